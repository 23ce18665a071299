"""What to expect in the bytes of rows: one Arrow type, and where its parts go.

A plan is made from what was seen so far. At each place it expects values of one type, for which
there is a column of that type; then reading the bytes with exactly these types proves that the
rows are of the known shape. Where values of other types were seen too, it expects none of those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import NoneType

from restarrow.normalise import arrow
from restarrow.normalise.naming import Naming
from restarrow.normalise.schema import LIST, VALUE, Schema
from restarrow.normalise.shape import Shape
from restarrow.normalise.walker import Place, child_place, column_name, list_name

#: The types of JSON values that a column takes as they are.
_TAKES: dict[str, frozenset[type]] = {
    "text": frozenset({str}),
    "timestamp": frozenset({str}),
    "bigint": frozenset({int}),
    "double": frozenset({float, int}),
    "bool": frozenset({bool}),
}


class NoPlanError(Exception):
    """Rows of this shape cannot be read as columns of bytes.

    Attributes:
        reason: why not.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key whose value is a column's; without a data type, it is always null."""

    name: str
    data_type: str | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list: its items are rows of the table that `place` tells.

    Attributes:
        key: None if the items are objects; else the key that dlt puts them under.
    """

    place: Place
    key: str | None
    content: Members


@dataclass(frozen=True, slots=True)
class Members:
    """An object, by key."""

    parts: dict[str, Leaf | Items | Members] = field(
        default_factory=dict[str, "Leaf | Items | Members"]
    )

    def fields(self) -> Iterator[tuple[str, arrow.DataType]]:
        """Return the keys and the Arrow types of their values."""
        for key, part in self.parts.items():
            yield key, arrow_type(part)


@dataclass(slots=True)
class Planner:
    """Makes a plan out of what is known."""

    schema: Schema
    naming: Naming
    _names: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _tables: set[str] = field(default_factory=set[str])

    def plan(self, place: Place, shape: Shape) -> Members:
        """Return the plan for root rows.

        Raises:
            NoPlanError: if there is none.
        """
        self._tables.add(place.table)
        return self._members(place, shape, (), place.level)

    def _members(self, place: Place, shape: Shape, path: tuple[str, ...], level: int) -> Members:
        members = Members()
        for key, member in shape.fields.items():
            members.parts[key] = self._part(place, key, member, path, level)
        return members

    def _part(
        self, place: Place, key: str, shape: Shape, path: tuple[str, ...], level: int
    ) -> Leaf | Items | Members:
        name = column_name(self.naming, place.table, path, key)
        if (place.table, name) in self._names:
            msg = f"two keys make the column {name}"
            raise NoPlanError(msg)
        self._names.add((place.table, name))
        kinds = shape.kinds - {NoneType}
        if not kinds:
            return Leaf(name, None)
        data_type = self.schema.data_type(place.table, name)
        if not kinds.isdisjoint(_TAKES.get(data_type or "", ())):
            return Leaf(name, data_type)
        if kinds.isdisjoint({dict, list}) or level <= 0 or data_type == "json":
            msg = f"the column {name} holds JSON or values of another type"
            raise NoPlanError(msg)
        if dict in kinds:
            inner = (*path, self.naming.column(key))
            return self._members(place, shape, inner, level - 1)
        inner = (*path, list_name(self.naming, place.table, key))
        return self._items(child_place(self.naming, place, inner), shape.items())

    def _items(self, place: Place, shape: Shape) -> Items:
        if place.table in self._tables:
            msg = f"two lists make the table {place.table}"
            raise NoPlanError(msg)
        self._tables.add(place.table)
        kinds = shape.kinds - {NoneType}
        if kinds == {dict}:
            return Items(place, None, self._members(place, shape, (), place.level))
        if not kinds.isdisjoint({dict, list}) and kinds != {list}:
            msg = f"the items in {place.table} are of several types"
            raise NoPlanError(msg)
        key = LIST if kinds == {list} else VALUE
        level = place.level - 1 if kinds == {list} else place.level
        place = Place(place.table, place.parent, place.fragments, level)
        member = shape.fields.get(key) or Shape()
        return Items(place, key, Members({key: self._part(place, key, member, (), level)}))


def arrow_type(part: Leaf | Items | Members) -> arrow.DataType:
    """Return the Arrow type that JSON of this plan is read as."""
    if isinstance(part, Leaf):
        return arrow.READ_AS[part.data_type]
    if isinstance(part, Members):
        return arrow.struct(part.fields())
    if part.key is None:
        return arrow.list_of(arrow.struct(part.content.fields()))
    item = part.content.parts[part.key]
    if isinstance(item, Leaf) and item.data_type is None:
        # Arrow's reader miscounts nulls in lists of nulls, so that they are checked afterwards.
        return arrow.list_of(arrow.READ_AS["bool"])
    return arrow.list_of(arrow_type(item))
