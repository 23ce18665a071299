"""How a list is read for what changed, and how it is known in the end that nothing was missed.

Lists move while they are read. A row that changes or comes may push others to a page that was read
already, which does no harm, as rows are merged on their keys; one that goes may pull others out of
a page that is yet to come, which then are missed. It shows in the total, and the list is read
again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from opsnest.catalogue import Entry, Strategy
from opsnest.reading import reading as clock
from opsnest.reading.memory import earlier
from opsnest.reading.reading import Ask, Page, Reading, Row, key_of, newest_of, stamp_of
from restarrow.paging import ChainPlan, Slice, cut

__all__ = ["SHIFTS_BEFORE", "read"]

log = logging.getLogger("opsnest")

Rows = list[Row]

#: Times that a list is read before it is left as it was last seen.
_PASSES: Final = 5
#: Rows from which on a first load is cut into slices.
_WORTH_SLICING: Final = 1000
#: The slices: a month each, for two years, and one for all that was before.
_MONTH: Final = timedelta(days=30)
_MONTHS: Final = 24
_DAWN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DUSK: Final = datetime(9000, 1, 1, tzinfo=UTC)
#: Parents whose children are asked for at a time.
_PARENTS: Final = 100
#: What a windowed list is read of: at first, and from then on around now.
_HISTORY: Final = timedelta(days=365)
SHIFTS_BEFORE: Final = timedelta(days=14)
_AHEAD: Final = timedelta(days=90)
_WINDOW: Final = timedelta(days=28)


def read(reading: Reading) -> Iterator[Rows]:
    """Yield the rows that are to be looked at, as the strategy of the list has it."""
    if reading.entry.parent is None:
        yield from _STRATEGIES[reading.entry.strategy](reading)
    elif reading.entry.include:
        yield from _included(reading)
    else:
        yield from _children(reading)


def _changed(reading: Reading) -> Iterator[Rows]:
    """Ask for what changed; where it cannot be sorted by that, until nothing did meanwhile."""
    since = asked_since(reading)
    if not since:
        meanwhile = yield from _backfill(reading)
        if meanwhile is None:
            reading.complete = True
            return
        since = meanwhile
        reading.complete = True
    yield from _caught_up(reading, since)


def _caught_up(reading: Reading, since: str) -> Iterator[Rows]:
    """Ask for what changed since a time, until nothing new comes.

    For a list that is sorted by the time of the change once is enough: a row that changes moves
    ahead of the reader, never behind. So it is when an answer holds it all, which is one moment.
    """
    for _ in range(_PASSES):
        before = reading.newest
        ask = Ask(since=since, sort=reading.entry.sort)
        pages, following = 0, since
        for page in reading.pages(ask):
            pages += 1
            if pages == 1:
                # the newest of these rows is older than any change made from now on
                following = newest_of(page.rows, reading.entry.cursor) or since
            yield page.rows
        if reading.entry.sort or pages <= 1 or reading.newest == before:
            return
        since = following
    _warn(reading)


def _backfill(reading: Reading) -> Generator[Rows, None, str | None]:
    """Read all rows for the first time, the long lists in slices at once.

    Returns:
        The time from which on changes may have been missed meanwhile; None if none may.
    """
    entry = reading.entry
    pages = reading.pages(Ask(sort=entry.sort))
    count, newest = 0, ""
    for count, page in enumerate(pages, start=1):
        many = page.total is None or page.total >= _WORTH_SLICING
        if count == 1 and entry.slices and not page.last and many:
            break
        newest = newest or newest_of(page.rows, entry.cursor)
        yield page.rows
    else:
        return None if count <= 1 or entry.sort else newest
    pages.close()
    begun = _newest_change(reading)
    plans = [reading.dialect.plan(entry, Ask(between=part, sort=entry.sort)) for part in _slices()]
    for answer in reading.answers(ChainPlan(plans)):
        rows = list(answer.rows)
        reading.newest = max(reading.newest, newest_of(rows, entry.cursor))
        yield rows
    return begun


def _newest_change(reading: Reading) -> str:
    """Return the time of the last change that an API tells before a list is read."""
    entry = reading.entry
    if entry.strategy != "changed":
        return ""
    newest_first = f"-{entry.sort}" if entry.sort else None
    first = next(reading.pages(Ask(sort=newest_first, size=1)), None)
    return newest_of(first.rows, entry.cursor) if first else ""


def _slices() -> list[Slice]:
    """Return slices of all times, the last one open at its end; those of before are one."""
    recent = cut(clock.now() - _MONTHS * _MONTH, clock.now(), _MONTH)
    first, *others, last = recent
    return [Slice(_DAWN, first.start), first, *others, Slice(last.start, _DUSK)]


def _appended(reading: Reading) -> Iterator[Rows]:
    """Ask for the rows that were made since the last load; no row ever changes."""
    since = asked_since(reading)
    if not since and reading.entry.slices:
        yield from _backfill(reading)
        reading.complete = True
        return
    for _ in range(_PASSES):
        moved = _Moved()
        for page in reading.pages(Ask(since=since, sort=reading.entry.sort)):
            moved.note(page)
            yield page.rows
        if not moved.lost_some:
            reading.complete = not since
            return
    _warn(reading)


def _newest_first(reading: Reading) -> Iterator[Rows]:
    """Read from the last changed row to where the last load began, until nothing is newer."""
    until = asked_since(reading)
    whole = not until
    for _ in range(_PASSES):
        before, moved, count, top, reached = reading.newest, _Moved(), 0, "", False
        for page in reading.pages(Ask(sort=reading.entry.sort)):
            count += 1
            moved.note(page)
            stamps = [stamp_of(row, reading.entry.cursor) for row in page.rows]
            top = top or max(stamps, default="")
            # what is older was loaded before; what has no time is not known to be
            yield [row for row, at in zip(page.rows, stamps, strict=True) if not at or at >= until]
            if until and stamps and min(stamps) < until:
                reached = True
                break
        whole = whole or not (reached or moved.lost_some)
        settled = count <= 1 or reading.newest == before
        if settled and not moved.lost_some:
            reading.complete, reading.total = whole, moved.total
            return
        if not moved.lost_some:
            until = top or until
    _warn(reading)


def _whole(reading: Reading) -> Iterator[Rows]:
    """Read all rows, again until the list stood still; yield each once, as it was last seen."""
    rows: dict[str, Row] = {}
    for _ in range(_PASSES):
        rows.clear()
        moved = _Moved()
        for page in reading.pages(Ask()):
            moved.note(page)
            rows.update({key_of(row, reading.entry.key): row for row in page.rows})
        reading.total = moved.total
        if not moved.at_all and (moved.total is None or len(rows) >= moved.total):
            reading.complete = True
            break
    else:
        _warn(reading)
    if rows:
        yield list(rows.values())


def _windows(reading: Reading) -> Iterator[Rows]:
    """Read what lies around now, window by window."""
    yield from _windowed(reading, {})


def _windowed(reading: Reading, ids: Mapping[str, str]) -> Iterator[Rows]:
    now = clock.now()
    back = SHIFTS_BEFORE if reading.since else _HISTORY
    span = Slice(now - back, now + _AHEAD)
    for part in cut(span.start, span.end, _WINDOW):
        for page in reading.pages(Ask(window=part, ids=ids)):
            yield page.rows
    reading.window, reading.complete = span, True
    reading.newest = max(reading.newest, earlier(now.isoformat(), timedelta()))


def _snapshot(reading: Reading) -> Iterator[Rows]:
    for page in reading.pages(Ask()):
        yield page.rows


def _children(reading: Reading) -> Iterator[Rows]:
    """Ask once for each parent: for all of them, or for those that changed."""
    entry = reading.entry
    reading.parents = set() if entry.of_changed else None
    for asked in _asked(reading, reading.catalogue.by_name[str(entry.parent)]):
        if reading.parents is not None:
            reading.parents.update(ids[str(entry.parent_key)] for ids in asked)
        yield from _of_parents(reading, asked)
    reading.complete = entry.strategy != "appended"


def _of_parents(reading: Reading, asked: list[Mapping[str, str]]) -> Iterator[Rows]:
    entry = reading.entry
    since = asked_since(reading) if entry.strategy == "appended" else ""
    if entry.strategy == "windows":
        for ids in asked:
            for rows in _windowed(reading, ids):
                yield [{**row, **ids} for row in rows]
        return
    plans = [reading.dialect.plan(entry, Ask(ids=ids, since=since)) for ids in asked]
    if not plans:
        return
    of: deque[int] = deque(maxlen=1)
    for answer in reading.answers(ChainPlan(plans, note=of.append)):
        rows = [{**row, **asked[of[0]]} for row in answer.rows]
        if entry.strategy == "appended":
            reading.newest = max(reading.newest, newest_of(rows, entry.cursor))
        yield rows


def _asked(reading: Reading, parent: Entry) -> Iterator[list[Mapping[str, str]]]:
    """Yield the ids of what is to be asked for, some at a time, each once."""
    entry = reading.entry
    if not entry.of_changed:
        ids = reading.ids_of(parent.name) if reading.ids_of else []
        for at in range(0, len(ids), _PARENTS):
            yield [{str(entry.parent_key): each} for each in ids[at : at + _PARENTS]]
        return
    seen: set[str] = set()
    above = _reading_of(reading, parent)
    for rows in read(above):
        fresh = {str(row["id"]): row for row in rows if str(row["id"]) not in seen}
        seen.update(fresh)
        yield [ids for row in fresh.values() for ids in reading.dialect.ids(entry, row)]
    reading.newest = max(reading.newest, above.newest)


def _reading_of(reading: Reading, entry: Entry) -> Reading:
    """Return the reading of a parent, from where the children were read."""
    return Reading(
        entry=entry,
        catalogue=reading.catalogue,
        api=reading.api,
        dialect=reading.dialect,
        since=reading.since,
        ids_of=reading.ids_of,
    )


def _included(reading: Reading) -> Iterator[Rows]:
    """Read the children that the parent's list brings along, instead of asking for each parent."""
    entry = reading.entry
    parent = reading.catalogue.by_name[str(entry.parent)]
    key = str(entry.parent_key)
    reading.parents = set()
    since = asked_since(reading)
    for _ in range(_PASSES):
        before, pages, following = reading.newest, 0, since
        ask = Ask(since=since, sort=parent.sort, include=entry.include)
        for answer in reading.answers(reading.dialect.plan(parent, ask), parent):
            pages += 1
            stamp = newest_of(list(answer.rows), parent.cursor)
            following = stamp if pages == 1 and stamp else following
            reading.newest = max(reading.newest, stamp)
            rows: Rows = []
            for above, children in reading.dialect.children(entry, answer):
                reading.parents.add(str(above["id"]))
                rows += [{**child, key: str(above["id"])} for child in children]
            yield rows
        if parent.sort or pages <= 1 or reading.newest == before:
            break
        since = following
    reading.complete = True


def asked_since(reading: Reading) -> str:
    """Return the time from which on a list is asked for; "" for all of it."""
    return earlier(reading.since) if reading.since else ""


class _Moved:
    """Tells from the totals of one pass whether a list moved while it was read."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.at_all = False
        self.lost_some = False

    def note(self, page: Page) -> None:
        """Look at a page."""
        if page.total is None:
            return
        if self.total is not None:
            self.at_all = self.at_all or page.total != self.total
            self.lost_some = self.lost_some or page.total < self.total
        self.total = page.total


def _warn(reading: Reading) -> None:
    log.warning(
        "%s / %s kept changing while it was read %d times; what changed last may be missing until "
        "it is next read",
        reading.api.source,
        reading.entry.name,
        _PASSES,
    )


_STRATEGIES: dict[Strategy, Callable[[Reading], Iterator[Rows]]] = {
    "changed": _changed,
    "newest_first": _newest_first,
    "appended": _appended,
    "whole": _whole,
    "windows": _windows,
    "snapshot": _snapshot,
}
