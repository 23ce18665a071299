"""Read `filter[...]` and `sort` parameters as a list understands them, and drop the others."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opssim.core.store import JsonObject, Row, Table
from opssim.rootly.lists import Filter, Listing, written
from opssim.rootly.times import exact_instant

_PARAMETER = re.compile(r"filter\[(\w+)\](?:\[(\w+)\])?")
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

#: A row's place in an order: a pair for each sort, and its key for those that agree in these.
Place = tuple[tuple[tuple[int, int], ...], str]


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter of a request.

    Attributes:
        name: what tells it from others, for the rows that match to be found again.
        on_fields: what a row's times must pass, if it is about times.
        on_data: what a row's decoded data must pass, if it is about anything else.
    """

    name: Hashable
    on_fields: Callable[[Mapping[str, object]], bool] | None = None
    on_data: Callable[[JsonObject], bool] | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that a request asks for, in their order."""

    conditions: tuple[Condition, ...]
    sorts: tuple[str, ...]

    def place(self, row: Row) -> Place:
        """Return where a row stands: by times as instants, nulls last, or first when descending.

        PostgreSQL, which the API sorts with, orders nulls so.
        """
        place: list[tuple[int, int]] = []
        for sort in self.sorts:
            descending = sort.startswith("-")
            at = row.fields[sort.removeprefix("-")]
            if isinstance(at, int):
                place.append((0, -at if descending else at))
            else:
                place.append((-1 if descending else 1, 0))
        return tuple(place), row.key

    def rows(self, table: Table) -> list[Row]:
        """Return the rows, from the table's memory if it has not changed."""
        name = (tuple(condition.name for condition in self.conditions), self.sorts)
        where = self._passes if self.conditions else None
        return table.view(name, where=where, order=self._order if self.sorts else None)

    def _order(self, rows: list[Row]) -> None:
        rows.sort(key=self.place)

    def _passes(self, row: Row) -> bool:
        if not all(
            condition.on_fields(row.fields) for condition in self.conditions if condition.on_fields
        ):
            return False
        looks = [condition.on_data for condition in self.conditions if condition.on_data]
        if not looks:
            return True
        data = row.data()
        return all(look(data) for look in looks)


def select(
    listing: Listing,
    parameters: Iterable[tuple[str, str]],
    tables: Mapping[str, Table],
    extra: Sequence[Condition] = (),
) -> Selection:
    """Read a request's query: what the list does not know is ignored, as the API does."""
    conditions = list(extra)
    sorts = _sorts(listing, "")
    for name, value in parameters:
        if name == "sort":
            sorts = _sorts(listing, value)
        elif name in listing.parameters:
            wanted = frozenset(value.split(","))
            conditions.append(matching(name, "in", listing.parameters[name], wanted))
        elif match := _PARAMETER.fullmatch(name):
            condition = _condition(listing, match[1], match[2] or "", value, tables)
            if condition is not None:
                conditions.append(condition)
    return Selection(tuple(conditions), sorts)


def within(name: str, comparison: str, bound: float) -> Condition:
    """Return the condition that a time of a row compares so with `bound`; a null never does."""
    compare = _COMPARISONS[comparison]

    def look(fields: Mapping[str, object]) -> bool:
        at = fields[name]
        return isinstance(at, int) and compare(at, bound)

    return Condition((name, comparison, bound), on_fields=look)


def owned(parameter: str, parent: str) -> Condition:
    """Return the condition that a row belongs to a parent."""
    return Condition((parameter, parent), on_fields=lambda fields: fields[parameter] == parent)


def matching(name: str, comparison: str, given: Filter, wanted: frozenset[str]) -> Condition:
    """Return the condition that a value of a row is among `wanted`; negated, that none is."""
    positive = not comparison.startswith("not")
    read = given.read

    def look(data: JsonObject) -> bool:
        return any(written(value) in wanted for value in read(data)) is positive

    return Condition((name, positive, wanted), on_data=look)


def _sorts(listing: Listing, asked: str) -> tuple[str, ...]:
    """Return the sorts of a comma list that the list knows, or its own order."""
    known = tuple(sort for sort in asked.split(",") if sort.removeprefix("-") in listing.sorts)
    return known or ((listing.order,) if listing.order else ())


def _condition(
    listing: Listing, name: str, comparison: str, value: str, tables: Mapping[str, Table]
) -> Condition | None:
    """Return the condition that one parameter puts, or None if the list does not know it."""
    if name == "search" and listing.search and not comparison:
        return _search(listing.search, value)
    if name in listing.times and comparison in _COMPARISONS:
        bound = exact_instant(value)
        return None if bound is None else within(name, comparison, bound)
    given = listing.filters.get(name)
    if given is None or comparison not in given.operators:
        return None
    several = comparison in {"", "in", "not_in"}
    wanted = frozenset(value.split(",") if several else [value])
    if given.table is not None:
        wanted = _keys(tables[given.table], given.by, wanted)
    return matching(name, comparison, given, wanted)


def _search(attributes: tuple[str, ...], text: str) -> Condition:
    folded = text.casefold()

    def look(data: JsonObject) -> bool:
        values = (data["attributes"].get(name) for name in attributes)
        return any(folded in value.casefold() for value in values if value)

    return Condition(("search", folded), on_data=look)


def _keys(table: Table, by: tuple[str, ...], names: frozenset[str]) -> frozenset[str]:
    """Return the keys of the rows that one of `names` names."""
    found: set[str] = set()
    for row in table:
        attributes = row.data()["attributes"]
        if any(attributes[attribute] in names for attribute in by):
            found.add(row.key)
    return frozenset(found)
