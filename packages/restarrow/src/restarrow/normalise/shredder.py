"""Taking rows apart by columns: each key once for all rows, rather than once for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import methodcaller
from types import NoneType
from typing import Any

from restarrow.normalise.naming import Naming
from restarrow.normalise.schema import LIST, VALUE, Schema
from restarrow.normalise.shape import Shape
from restarrow.normalise.tables import MOST_NULLS, refuse_nulls
from restarrow.normalise.types import LIST_TYPE, OBJECT
from restarrow.normalise.walker import Place, child_place, column_name, list_name

_CONTAINERS = frozenset({dict, list})
_members = methodcaller("values")


class TangledError(Exception):
    """Names of a batch meet in a way that only going row by row sorts out.

    Attributes:
        reason: what is tangled.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Cells:
    """The values of one column, None where a row has none, and which types they have."""

    values: Sequence[Any]
    kinds: set[type]


@dataclass(slots=True)
class Shredded:
    """The rows of one table, by columns.

    Attributes:
        place: where the rows lie.
        count: how many there are.
        parent: the rows that they were found in; None for roots.
        parent_rows: for each row, the number of its parent's row.
        positions: for each row, its place in its list.
        cells: the columns that have a value.
        names: all columns, also those of nulls only or of what is taken apart.
        opened: names at which objects and lists were taken apart.
    """

    place: Place
    count: int
    parent: Shredded | None = None
    parent_rows: list[int] = field(default_factory=list[int])
    positions: list[int] = field(default_factory=list[int])
    cells: dict[str, Cells] = field(default_factory=dict[str, Cells])
    names: set[str] = field(default_factory=set[str])
    opened: set[str] = field(default_factory=set[str])

    def root_row(self, row: int) -> int:
        """Return the number of the root row that a row was found in."""
        table = self
        while table.parent is not None:
            row = table.parent_rows[row]
            table = table.parent
        return row


@dataclass(slots=True)
class Shredder:
    """Takes the rows of one batch apart.

    Attributes:
        schema: what is known so far, of which only the columns of JSON matter.
        tables: the tables that were found, parents before children.
    """

    schema: Schema
    naming: Naming
    tables: dict[str, Shredded] = field(default_factory=dict[str, Shredded])

    def shred(self, place: Place, rows: Sequence[dict[str, Any]], shape: Shape) -> Shredded:
        """Take root rows apart, and note in `shape` which keys hold what.

        Raises:
            TangledError: if names meet.
            UnsupportedError: if keys make no names.
        """
        root = self.tables[place.table] = Shredded(place, len(rows))
        self._shred(root, rows, (), place.level, shape)
        return root

    def _shred(
        self,
        table: Shredded,
        rows: Sequence[Mapping[str, Any]],
        path: tuple[str, ...],
        level: int,
        shape: Shape,
    ) -> None:
        for key, found in _columns(rows, table.place.table):
            values = found
            kinds = {NoneType} if _are_null(values) else set(map(type, values))
            member = shape.member(key, kinds)
            name = column_name(self.naming, table.place.table, path, key)
            if name in table.names:
                msg = f"two keys make the column {name}"
                raise TangledError(msg)
            table.names.add(name)
            kinds.discard(NoneType)
            if not kinds.isdisjoint(_CONTAINERS) and not (
                level <= 0 or self.schema.is_json(table.place.table, name)
            ):
                table.opened.add(name)
                if dict in kinds:
                    part = self.naming.column(key)
                    self._shred(table, _objects(values), (*path, part), level - 1, member)
                if list in kinds:
                    self._shred_lists(
                        table,
                        (*path, list_name(self.naming, table.place.table, key)),
                        values,
                        member.items(),
                    )
                kinds -= _CONTAINERS
                values = _scalars(values) if kinds else values
            if kinds:
                table.cells[name] = Cells(values, kinds)

    def _shred_lists(
        self, table: Shredded, path: tuple[str, ...], values: Sequence[Any], shape: Shape
    ) -> None:
        rows = [row for row, value in enumerate(values) if type(value) is list]
        lists = [values[row] for row in rows]
        items = list(chain.from_iterable(lists))
        place = child_place(self.naming, table.place, path)
        kinds = set(map(type, items))
        shape.kinds |= kinds
        if not items:
            return
        if place.table in self.tables:
            msg = f"two lists make the table {place.table}"
            raise TangledError(msg)
        lengths = list(map(len, lists))
        child = Shredded(place, len(items), table)
        child.parent_rows = list(
            chain.from_iterable([row] * n for row, n in zip(rows, lengths, strict=True))
        )
        child.positions = list(chain.from_iterable(map(range, lengths)))
        self.tables[place.table] = child
        level = place.level
        if list in kinds:
            if dict in kinds:
                msg = f"lists and objects are items of one list, {place.table}"
                raise TangledError(msg)
            place = child.place = Place(place.table, place.parent, place.fragments, level - 1)
            level -= 1
        if dict not in kinds or len(kinds) > 1:
            items = [_wrapped(item) for item in items]
        self._shred(child, items, (), level, shape)


def _columns(rows: Sequence[Mapping[str, Any]], table: str) -> Iterator[tuple[str, Sequence[Any]]]:
    """Return the keys of objects, and the values that they have in each of them, or None.

    Raises:
        UnsupportedError: they have too few keys in common.
    """
    if len(set(map(tuple, rows))) == 1:
        return zip(rows[0], zip(*map(_members, rows), strict=True), strict=True)
    keys = dict.fromkeys(chain.from_iterable(rows))
    if len(keys) * len(rows) > MOST_NULLS:
        refuse_nulls(table, len(keys) * len(rows) - sum(map(len, rows)))
    return ((key, [row.get(key) for row in rows]) for key in keys)


def _are_null(values: Sequence[Any]) -> bool:
    return values[0] is None and values.count(None) == len(values)


def _scalars(values: Sequence[Any]) -> Sequence[Any]:
    """Replace what is no scalar by null."""
    return [None if type(value) in _CONTAINERS else value for value in values]


def _objects(values: Sequence[Any]) -> Sequence[dict[str, Any]]:
    """Replace what is no object by one of nulls, which looks as the others do and adds nothing."""
    blank: dict[str, Any] = dict.fromkeys(next(value for value in values if type(value) is OBJECT))
    return [value if type(value) is OBJECT else blank for value in values]


def _wrapped(item: Any) -> Any:
    if type(item) is OBJECT:
        return item
    return {LIST: item} if type(item) is LIST_TYPE else {VALUE: item}
