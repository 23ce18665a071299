"""The reference: rows one at a time, depth first, in the very order in which dlt meets them.

The column lane asks it what the few rows do that change the schema, and hands it whole batches
whose names are tangled: where two keys make one name, or two lists one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from restarrow.errors import NormaliseError, UnsupportedError
from restarrow.normalise.ids import child_ids, key_ids
from restarrow.normalise.naming import RESERVED_PREFIX, Naming
from restarrow.normalise.schema import (
    ID,
    LIST,
    LIST_INDEX,
    LOAD_ID,
    PARENT_ID,
    ROOT_ID,
    VALUE,
    Schema,
    fit,
)
from restarrow.normalise.types import LIST_TYPE, OBJECT

#: Characters of the longest name of a table: dlt names files after tables, with 19 more at least,
#: and no file system takes more than 255.
_LONGEST = 236

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Options:
    """How rows become tables.

    Attributes:
        load_id: what `_dlt_load_id` says.
        max_nesting: how deep objects and lists are taken apart; below they stay JSON.
        root_key: whether nested rows have `_dlt_root_id`.
        row_ids: "random", or "key_hash" to derive ids of roots from `primary_key`.
        primary_key: names of columns of the root table.
        max_length: the longest name that the destination takes.
    """

    load_id: str = ""
    max_nesting: int = 1000
    root_key: bool = False
    row_ids: str = "random"
    primary_key: tuple[str, ...] = ()
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies.

    Attributes:
        table: the name of its table.
        parent: the name of its parent's table, or "".
        fragments: the names that its table's name is joined from.
        level: how many more levels of objects and lists are taken apart.
    """

    table: str
    parent: str
    fragments: tuple[str, ...]
    level: int


@dataclass(slots=True)
class Walker:
    """Takes rows apart and fits them into a schema, which grows.

    Attributes:
        rows: the rows of each table, fitted; parents before children.
    """

    schema: Schema
    naming: Naming
    options: Options
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def walk(self, table: str, items: Iterable[Any], ids: Sequence[str]) -> None:
        """Take root rows apart. Ids are ignored if they are derived from keys.

        Raises:
            UnsupportedError: for what only dlt's own path handles.
        """
        place = Place(table, "", (table,), self.options.max_nesting)
        for item, given in zip(items, ids, strict=True):
            row: dict[str, Any] = item if type(item) is OBJECT else {VALUE: item}
            flat, lists = self._flatten(place, row)
            row_id = self._key_id(flat) if self.options.row_ids == "key_hash" else given
            flat[LOAD_ID] = self.options.load_id
            flat[ID] = row_id
            self._keep(place, flat)
            self._descend(place, lists, row_id, row_id)

    def _key_id(self, flat: Mapping[str, Any]) -> str:
        return key_ids([key_text(flat, self.options.primary_key)])[0]

    def _flatten(
        self, place: Place, row: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[tuple[str, ...], list[Any]]]:
        """Return a row's own values, and its lists by the path to them.

        The last object on a level is taken apart first, which decides the order of columns.
        """
        flat: dict[str, Any] = {}
        lists: dict[tuple[str, ...], list[Any]] = {}
        stack: list[tuple[Mapping[str, Any], int, tuple[str, ...]]] = [(row, place.level, ())]
        while stack:
            members, level, path = stack.pop()
            for key, value in members.items():
                name = column_name(self.naming, place.table, path, key)
                kind = _type_of(value)
                if (kind is OBJECT or kind is LIST_TYPE) and not (
                    level <= 0 or self.schema.is_json(place.table, name)
                ):
                    if kind is OBJECT:
                        stack.append((value, level - 1, (*path, self.naming.column(key))))
                    else:
                        lists[(*path, list_name(self.naming, place.table, key))] = value
                    continue
                flat[name] = value
        return flat, lists

    def _descend(
        self,
        place: Place,
        lists: Mapping[tuple[str, ...], list[Any]],
        parent_id: str,
        root_id: str,
    ) -> None:
        for path, items in lists.items():
            child = child_place(self.naming, place, path)
            ids = child_ids([parent_id] * len(items), child.table, range(len(items)))
            for index, (item, row_id) in enumerate(zip(items, ids, strict=True)):
                self._item(child, item, index, (parent_id, root_id, row_id))

    def _item(self, place: Place, item: Any, index: int, ids: tuple[str, str, str]) -> None:
        parent_id, root_id, row_id = ids
        lists: dict[tuple[str, ...], list[Any]] = {}
        if type(item) is OBJECT:
            flat, lists = self._flatten(place, item)
        elif type(item) is LIST_TYPE:
            place = Place(place.table, place.parent, place.fragments, place.level - 1)
            flat, lists = self._flatten(place, {LIST: item})
        else:
            flat = {VALUE: item}
        if self.options.root_key:
            flat[ROOT_ID] = root_id
        flat[PARENT_ID] = parent_id
        flat[LIST_INDEX] = index
        flat[ID] = row_id
        self._keep(place, flat)
        self._descend(place, lists, row_id, root_id)

    def _keep(self, place: Place, flat: Mapping[str, Any]) -> None:
        fitted = fit(self.schema, self.naming, place.table, flat)
        if place.parent:
            self.schema.parents.setdefault(place.table, place.parent)
        self.rows.setdefault(place.table, []).append(fitted)


def _type_of(value: object) -> type[object]:
    return type(value)


def column_name(naming: Naming, table: str, path: tuple[str, ...], key: str) -> str:
    """Return the column of a key at a path of names.

    Raises:
        UnsupportedError: for keys that make no name, or one of dlt's own.
    """
    part = naming.column(key)
    if not part:
        msg = f"the key {key!r} makes no name"
        raise UnsupportedError(msg, table=table)
    name = naming.join(*path, part) if path else part
    if name.startswith(RESERVED_PREFIX):
        msg = f"the key {key!r} makes the name {name}, which dlt has for itself"
        raise UnsupportedError(msg, table=table)
    return name


def list_name(naming: Naming, table: str, key: str) -> str:
    """Return the last part of the name of a list's table.

    Raises:
        UnsupportedError: for keys that make no name.
    """
    name = naming.path(key)
    if not name:
        msg = f"a list has the key {key!r}, which makes no name"
        raise UnsupportedError(msg, table=table)
    return name


def child_place(naming: Naming, place: Place, path: tuple[str, ...]) -> Place:
    """Return where the items of a list lie.

    Raises:
        NormaliseError: their table would have a name that is too long.
    """
    fragments = place.fragments + path
    table = naming.join(*fragments)
    if len(table) > _LONGEST:
        msg = (
            f"lists within lists make tables with names of more than {_LONGEST} characters, which "
            "no file can have: set max_table_nesting, which keeps what is deeper as JSON"
        )
        raise NormaliseError(msg, table=place.fragments[0])
    return Place(table, place.table, fragments, place.level - 1)


def key_text(flat: Mapping[str, Any], primary_key: Iterable[str]) -> bytes:
    """Encode a row's key.

    Raises:
        UnsupportedError: if the row lacks a part of it, or if a part is no plain value.
    """
    return b"{" + b",".join(_key_parts(flat, primary_key)) + b"}"


def _key_parts(flat: Mapping[str, Any], primary_key: Iterable[str]) -> Iterator[bytes]:
    for name in sorted(primary_key):
        value = flat.get(name)
        if value is None:
            msg = f"a row lacks {name}, which is in the primary key"
            raise UnsupportedError(msg)
        if isinstance(value, float | dict | list):
            msg = f"{name}, in the primary key, is no text, integer or truth value"
            raise UnsupportedError(msg)
        yield _encode(name) + b":" + _encode(value)
