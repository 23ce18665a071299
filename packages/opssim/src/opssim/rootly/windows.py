"""The windows of time that shifts and who is on call are asked for in."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.datastructures import QueryParams

from opssim.core.clock import parse_iso
from opssim.rootly.answers import RefusedError
from opssim.rootly.filters import Condition, matching, within
from opssim.rootly.lists import Filter, attribute
from opssim.rootly.times import milliseconds, months_later

#: The length of a window of shifts whose end is not asked for.
_DEFAULT_WINDOW = timedelta(days=14)
#: The years that a window may lie in: Python's own calendar ends not far beyond.
_FIRST_YEAR, _LAST_YEAR = 1000, 9000
_FILTERS = {
    "user_ids[]": Filter(attribute("user_id")),
    "schedule_ids[]": Filter(attribute("schedule_id")),
}


def shift_window(query: QueryParams, start: datetime, months: int) -> list[Condition]:
    """Return the conditions on shifts to touch the window that is asked for.

    Args:
        query: what was asked.
        start: where a window begins that does not say.
        months: how long it may be.

    Raises:
        RefusedError: it is longer than the endpoint allows, or its ends are no times.
    """
    begin = _moment(query, "from") or start
    end = _moment(query, "to") or begin + _DEFAULT_WINDOW
    if end > months_later(begin, months):
        raise RefusedError(422, f"Datetime range exceeds {months} month(s)")
    conditions = [
        within("starts_at", "lt", milliseconds(end)),
        within("ends_at", "gt", milliseconds(begin)),
    ]
    for name, given in _FILTERS.items():
        if wanted := frozenset(query.getlist(name)):
            conditions.append(matching(name, "in", given, wanted))
    return conditions


def oncall_window(query: QueryParams, start: datetime) -> list[Condition]:
    """Return the conditions on who is on call between `since`, or the start, and `until`.

    Raises:
        RefusedError: its ends are no times.
    """
    since = _moment(query, "since") or start
    until = _moment(query, "until") or since
    return [
        within("starts_at", "lte", milliseconds(until)),
        within("ends_at", "gt", milliseconds(since)),
    ]


def _moment(query: QueryParams, name: str) -> datetime | None:
    """Return a time of the query, if it is there.

    Raises:
        RefusedError: it is no time.
    """
    if name not in query:
        return None
    try:
        moment = parse_iso(query[name])
    except ValueError as error:
        raise RefusedError(422, "Invalid datetime", f"{name}: {error}") from error
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise RefusedError(422, "Invalid datetime", f"{name}: year {moment.year} is out of range")
    return moment
