"""The byte lane: rows of a known shape, read as columns without ever being Python objects.

Arrow reads the bytes with a type that names every key there may be. Whatever it does not expect
makes it fail, and so do the few things that it reads otherwise than dlt; the column lane takes
such a batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import msgspec

from restarrow.errors import UnsupportedError
from restarrow.normalise import arrow
from restarrow.normalise.byte_plan import Items, Leaf, Members
from restarrow.normalise.ids import CHARACTERS, PADDED, key_ids, padded_child_ids, pick, split
from restarrow.normalise.schema import ID, LIST_INDEX, LOAD_ID, PARENT_ID, ROOT_ID, Schema
from restarrow.normalise.tables import assemble
from restarrow.normalise.walker import Options, key_text
from restarrow.utf8 import is_utf8

#: Arrow reads so many bytes at a time, or one row if that is longer. With less, making the columns
#: of each block takes longer than reading it.
_BLOCK = 1 << 22
#: A row that is null, as it begins.
_NULL = re.compile(rb"\s*null")
_NULL_LATER = re.compile(rb"\n[ \t\r]*null")  # from the last line end on: time stays linear


class MismatchError(Exception):
    """Rows that are not of the known shape.

    Attributes:
        reason: what was unexpected.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Raws:
    """Rows as they came: one JSON object each.

    Attributes:
        rows: the rows.
        checked: whether they are known to be valid UTF-8.
    """

    rows: Sequence[bytes | msgspec.Raw]
    checked: bool = False

    def __len__(self) -> int:
        return len(self.rows)


def decode(raws: Raws) -> list[Any]:
    """Decode rows.

    Raises:
        UnsupportedError: if they are no JSON, hold numbers beyond any float, or are nested too
            deeply.
    """
    try:
        rows: list[Any] = msgspec.json.decode(b"[" + b",".join(raws.rows) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"rows cannot be decoded: {error}"
        raise UnsupportedError(msg) from error
    return rows


@dataclass(slots=True)
class _Rows:
    """The rows of one table while their columns are collected.

    Attributes:
        ids: returns the ids as texts, which only the rows of lists need.
    """

    ids: Callable[[], Sequence[str]]
    id_column: arrow.Array
    root_column: arrow.Array
    columns: dict[str, arrow.Array] = field(default_factory=dict[str, arrow.Array])


@dataclass(frozen=True, slots=True)
class ByteLane:
    """Turns batches of one shape into tables."""

    table: str
    plan: Members
    schema: Schema
    options: Options

    def run(self, raws: Raws, ids: Sequence[str]) -> dict[str, arrow.Table]:
        """Return the tables.

        Raises:
            MismatchError: if the rows are not of the known shape.
        """
        rows = self._read(raws)
        if self.options.row_ids == "key_hash":
            ids = self._key_ids(rows, len(raws))
        id_column = arrow.array(ids, "text")
        tables: dict[str, arrow.Table] = {}
        root = _Rows(lambda: ids, id_column, id_column)
        root.columns[LOAD_ID] = arrow.repeated(self.options.load_id, len(raws))
        self._finish(self.table, root, self.plan, rows, tables)
        return tables

    def _read(self, raws: Raws) -> arrow.Array:
        data = b"\n".join(raws.rows)
        if not raws.checked and not is_utf8(data):  # Arrow does not mind
            msg = "it is not UTF-8"
            raise MismatchError(msg)
        # Arrow would crash at a row that is null, and the process end
        if any(map(_is_odd, raws.rows)) and (_NULL.match(data) or _NULL_LATER.search(data)):
            msg = "a row is null"
            raise MismatchError(msg)
        try:
            longest = max(map(_size, raws.rows))
            many_lines = data.count(b"\n") != len(raws) - 1
            rows = arrow.read_json(
                data, self.plan.fields(), max(_BLOCK, longest + 2), many_lines=many_lines
            )
        except arrow.UnexpectedError as error:
            raise MismatchError(str(error)) from error
        if len(rows) != len(raws):
            msg = "not every row is an object"
            raise MismatchError(msg)
        return rows

    def _key_ids(self, rows: arrow.Array, count: int) -> list[str]:
        keys: dict[str, list[Any]] = dict(self._key_columns(self.plan, rows))
        if len(keys) != len(self.options.primary_key):
            msg = "the rows lack a part of the primary key"
            raise MismatchError(msg)
        return key_ids(
            [
                key_text({name: values[row] for name, values in keys.items()}, keys)
                for row in range(count)
            ]
        )

    def _key_columns(self, plan: Members, rows: arrow.Array) -> Iterator[tuple[str, list[Any]]]:
        for key, part in plan.parts.items():
            if isinstance(part, Members):
                yield from self._key_columns(part, arrow.member(rows, key))
            elif isinstance(part, Leaf) and part.name in self.options.primary_key:
                yield part.name, arrow.member(rows, key).to_pylist()

    def _finish(
        self,
        name: str,
        rows: _Rows,
        plan: Members,
        values: arrow.Array,
        tables: dict[str, arrow.Table],
    ) -> None:
        """Add a table and, after it, those of its lists."""
        rows.columns[ID] = rows.id_column
        lists = list(_collect(plan, values, rows.columns))
        tables[name] = assemble(self.schema.tables[name], name, rows.columns, len(rows.id_column))
        ids = rows.ids() if lists else ()
        for items, column in lists:
            self._descend(items, column, rows, ids, tables)

    def _descend(
        self,
        items: Items,
        lists: arrow.Array,
        parents: _Rows,
        parent_ids: Sequence[str],
        tables: dict[str, arrow.Table],
    ) -> None:
        values, parent_rows, lengths = arrow.unnest(lists)
        if not len(values):
            return
        name = items.place.table
        if name not in self.schema.parents:
            msg = f"the table {name} is new"
            raise MismatchError(msg)
        positions = list(chain.from_iterable(map(range, lengths)))
        rows_above: list[int] = parent_rows.to_pylist()
        ids = padded_child_ids(pick(parent_ids, rows_above), name, positions)
        id_column = arrow.prefixes(ids, PADDED, CHARACTERS)
        root_column = arrow.take(parents.root_column, parent_rows)
        rows = _Rows(partial(split, ids), id_column, root_column)
        if self.options.root_key:
            rows.columns[ROOT_ID] = rows.root_column
        rows.columns[PARENT_ID] = arrow.take(parents.id_column, parent_rows)
        rows.columns[LIST_INDEX] = arrow.array(positions, "bigint")
        if items.key is not None:
            values = arrow.wrap(values, items.key)
        self._finish(name, rows, items.content, values, tables)


def _collect(
    plan: Members, values: arrow.Array, columns: dict[str, arrow.Array]
) -> Iterator[tuple[Items, arrow.Array]]:
    """Add the columns of objects to `columns`, and return their lists."""
    for key, part in plan.parts.items():
        if isinstance(part, Leaf):
            column = arrow.member(values, key)
            if part.data_type is not None:
                columns[part.name] = _column(part.data_type, column)
            elif column.null_count != len(column):
                msg = f"{key} is not null"
                raise MismatchError(msg)
        elif isinstance(part, Members):
            yield from _collect(part, arrow.member(values, key), columns)
        else:
            yield part, arrow.member(values, key)


def _column(data_type: str, values: arrow.Array) -> arrow.Array:
    if data_type == "timestamp":
        moments = arrow.moments(values)
        if moments is None:
            msg = "a text is no moment in a plain notation"
            raise MismatchError(msg)
        return moments
    if data_type == "text" and arrow.has_marks(values):
        msg = "a text starts with one of dlt's type marks"
        raise MismatchError(msg)
    if data_type == "double" and not arrow.is_plain(values):
        msg = "a number is huge or minus zero"
        raise MismatchError(msg)
    return values


def _is_odd(row: bytes | msgspec.Raw) -> bool:
    return bytes(memoryview(row)[:1]) != b"{"


def _size(row: bytes | msgspec.Raw) -> int:
    return memoryview(row).nbytes
