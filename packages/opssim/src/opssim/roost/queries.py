"""The query parameters of the lists, checked and explained as Roost's class-validator does."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from opssim.core.store import Row
from opssim.roost import vocabulary
from opssim.roost.errors import RefusedError

_BOOLEANS: Final = ("true", "false")


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in names and ids."""

    term: str
    case_sensitive: bool
    whole_word: bool

    def finds(self, *texts: str) -> bool:
        """Tell whether one of the texts contains the term."""
        pattern = re.escape(self.term)
        if self.whole_word:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        flags = re.NOFLAG if self.case_sensitive else re.IGNORECASE
        return any(re.search(pattern, text, flags) for text in texts)


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that was asked for."""

    take: int | None
    skip: int


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """Which tests or test plans to list."""

    search: Search | None
    labels: frozenset[str]
    test_types: frozenset[str]

    def admits(self, row: Row) -> bool:
        """Tell whether a row is one of them."""
        fields = row.fields
        return (
            (not self.labels or bool(self.labels & fields["labels"]))
            and (not self.test_types or fields["test_type"] in self.test_types)
            and (self.search is None or self.search.finds(fields["name"], row.key))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to list, and the column to order them by."""

    search: Search | None
    test_id: str | None
    labels: frozenset[str]
    exact: tuple[tuple[str, frozenset[str]], ...]
    days: int | None
    only_mine: bool
    order_by: str | None

    def admits(self, row: Row) -> bool:
        """Tell whether a row is one of them, apart from the search, `days` and `only_mine`."""
        fields = row.fields
        return (
            (self.test_id is None or fields["test_id"] == self.test_id)
            and (not self.labels or bool(self.labels & fields["labels"]))
            and all(fields[name] in values for name, values in self.exact)
        )


class Parameters:
    """Read query parameters, and collect what is wrong with them.

    Lists may be written as `name=a&name=b`, `name[]=a` or `name[0]=a`.
    """

    def __init__(self, params: QueryParams) -> None:
        self._values: dict[str, list[str]] = {}
        for key, value in params.multi_items():
            self._values.setdefault(re.sub(r"\[\d*\]$", "", key), []).append(value)
        self._messages: list[str] = []

    def text(self, name: str, *, required: bool = False, message: str = "") -> str | None:
        """Return a string. If it is missing and must not be, `message` says so."""
        values = self._values.get(name)
        if values is None and required:
            self._messages.append(message or f"{name} must be a string")
        return values[-1] if values else None

    def one_of(self, name: str, allowed: Collection[str], *, required: bool = False) -> str | None:
        """Return one of the allowed words."""
        message = f"{name} must be one of the following values: {', '.join(allowed)}"
        value = self.text(name, required=required, message=message)
        if value is not None and value not in allowed:
            self._messages.append(message)
        return value

    def number(self, name: str, *, required: bool = False) -> int | None:
        """Return a number from nought up."""
        value = self.text(name, required=required)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", value):
            self._messages.append(f"{name} must be a number string")
            return None
        return int(value)

    def many(self, name: str, allowed: Collection[str] | None = None) -> frozenset[str]:
        """Return the words of a list, all of which must be allowed."""
        values = self._values.get(name, [])
        if allowed is not None and not set(values) <= set(allowed):
            self._messages.append(
                f"each value in {name} must be one of the following values: {', '.join(allowed)}"
            )
        return frozenset(values)

    def search(self, *, required: bool = False) -> Search | None:
        """Return what to search for; an empty term searches for nothing."""
        message = "searchTerm must be longer than or equal to 3 characters"
        term = self.text("searchTerm", required=required, message=message)
        if term and len(term) < 3:
            self._messages.append(message)
        case = self.one_of("isCaseSensitive", _BOOLEANS, required=required)
        word = self.one_of("isWholeWord", _BOOLEANS, required=required)
        return Search(term, case == "true", word == "true") if term else None

    def page(self, *, required: bool = False) -> Page:
        """Return `take` and `skip`."""
        take = self.number("take", required=required)
        return Page(take, self.number("skip", required=required) or 0)

    def check(self) -> None:
        """Refuse the request if anything was wrong.

        Raises:
            RefusedError: with all that was wrong, joined.
        """
        if self._messages:
            raise RefusedError(400, ", ".join(self._messages))


def entity_query(params: QueryParams, *, strict: bool) -> tuple[EntityFilter, Page]:
    """Read the parameters of `GET /test` and `GET /test/getAllTestPlan`.

    `get_for_all` and `getAll` are checked, and everything is listed whatever they say: what they
    do is not documented.

    Raises:
        RefusedError: something is wrong, or missing although `strict`.
    """
    parameters = Parameters(params)
    parameters.one_of("get_for_all", _BOOLEANS, required=strict)
    parameters.one_of("getAll", _BOOLEANS, required=strict)
    found = EntityFilter(
        parameters.search(required=strict),
        labels=parameters.many("label_filter"),
        test_types=parameters.many("test_type_filter", vocabulary.TEST_TYPES),
    )
    page = parameters.page(required=strict)
    parameters.check()
    return found, page


def event_query(params: QueryParams) -> tuple[EventFilter, Page]:
    """Read the parameters of `GET /test/event`, all of which may be missing.

    Raises:
        RefusedError: something is wrong.
    """
    parameters = Parameters(params)
    search = parameters.search()
    page = parameters.page()
    exact: Mapping[str, frozenset[str]] = {
        "status": parameters.many("status_filter", vocabulary.STATUSES),
        "test_type": parameters.many("test_type_filter", vocabulary.TEST_TYPES),
        "event_type": parameters.many("event_type_filter", vocabulary.EVENT_TYPES),
    }
    order = parameters.one_of("order_by", vocabulary.ORDERS)
    window = parameters.one_of("time_filter", vocabulary.WINDOWS)
    mine = parameters.one_of("show_my_events", _BOOLEANS)
    found = EventFilter(
        search=search,
        test_id=parameters.text("test_id"),
        labels=parameters.many("label_filter"),
        exact=tuple((name, values) for name, values in exact.items() if values),
        days=vocabulary.WINDOWS.get(window or ""),
        only_mine=mine == "true",
        order_by=vocabulary.ORDERS.get(order or ""),
    )
    parameters.check()
    return found, page
