"""The only module of the normaliser that knows pyarrow's compute functions.

pyarrow has no types: it is imported as if it were data, and gets its types here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from restarrow.errors import UnsupportedError

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
pj: Any = import_module("pyarrow.json")

Array = Any
Table = Any
DataType = Any

TYPES: dict[str, DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
}
#: What the JSON of a column is read as; a column of moments is read as text first.
READ_AS: dict[str | None, DataType] = {
    None: pa.null(),
    "text": pa.string(),
    "timestamp": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
}
_NAIVE = pa.timestamp("us")
#: Integers from here on are none of 64 bits.
_TOO_BIG = 2.0**63
#: The first and the last microsecond of the calendar, counted from 1970. Of its first day the zone
#: may be one in which it is the year 0 still, which Arrow knows and dlt does not.
_FIRST = -62_135_596_800_000_000 + 86_400_000_000
_LAST = 253_402_300_799_999_999
#: How dlt's type marks (U+F026 to U+F02D) begin in UTF-8.
_MARK = b"\xef\x80"


class UnexpectedError(Exception):
    """JSON that is not of the type that it was to be read as."""


def array(values: Sequence[Any], data_type: str) -> Array:
    """Make a column of values that fit its type, or are None.

    Raises:
        UnsupportedError: for an integer or a text that Arrow has no room for.
    """
    try:
        return pa.array(values, TYPES[data_type])
    except (OverflowError, pa.ArrowInvalid) as error:
        msg = "an integer has more than 64 bits"
        raise UnsupportedError(msg) from error
    except UnicodeEncodeError as error:
        msg = "a text holds half a surrogate pair"
        raise UnsupportedError(msg) from error


def prefixes(data: bytes, width: int, kept: int) -> Array:
    """Make a column of the first characters of texts of one width, which stand in one piece."""
    count = len(data) // width
    whole = pa.Array.from_buffers(pa.binary(width), count, [None, pa.py_buffer(data)])
    return pc.cast(pc.binary_slice(whole, 0, kept), pa.string())


def nulls(count: int, data_type: str) -> Array:
    """Make a column of nulls."""
    return pa.nulls(count, TYPES[data_type])


def repeated(value: str, count: int) -> Array:
    """Make a column of one text."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def table(columns: Mapping[str, Array], types: Iterable[tuple[str, str, bool]]) -> Table:
    """Make a table of columns, in the order of their names, types and whether they are nullable."""
    fields = [pa.field(name, TYPES[kind], nullable=null) for name, kind, null in types]
    return pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))


def stacked(above: Table, below: Table) -> Table:
    """Return two tables of one schema as one."""
    return pa.concat_tables([above, below])


def stacked_all(tables: Sequence[Table]) -> Table:
    """Return tables as one, with nulls where some of them lack a column."""
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def reordered(rows: Table, columns: Sequence[str]) -> Table:
    """Return a table with its columns in this order."""
    return rows.select([name for name in columns if name in rows.schema.names])


def has_nulls(column: Array) -> bool:
    """Tell whether a column has a null."""
    return bool(column.null_count)


def has_marks(column: Array) -> bool:
    """Tell whether a text of a column may start with one of dlt's type marks."""
    data = column.buffers()[2]
    if data is None:
        return False
    texts: bytes = data.to_pybytes()  # in bytes, one byte is found far quicker than three
    if _MARK[:1] not in texts or _MARK not in texts:
        return False
    return bool(pc.any(pc.match_substring_regex(column, "^[\uf026-\uf02d]")).as_py())


def is_finite(column: Array) -> bool:
    """Tell whether all numbers of a column are finite."""
    return bool(pc.all(pc.is_finite(column), min_count=0).as_py())


def is_plain(column: Array) -> bool:
    """Tell whether all numbers are finite, smaller than integers may be, and not -0.0.

    In a column of floats Arrow cannot tell -0, an integer to dlt, from -0.0, and its reader takes
    NaN and Infinity for numbers.
    """
    bounds = pc.min_max(column).as_py()
    if bounds["min"] is None:
        return True
    if not is_finite(column):  # the bounds leave NaN out
        return False
    if not -_TOO_BIG < bounds["min"] <= bounds["max"] < _TOO_BIG:
        return False
    zeros = column.filter(pc.equal(column, 0.0))
    return not len(zeros) or not pc.any(pc.less(pc.divide(1.0, zeros), 0.0)).as_py()


def struct(fields: Iterable[tuple[str, DataType]]) -> DataType:
    """Return the type of objects with these members."""
    return pa.struct(list(fields))


def list_of(item: DataType) -> DataType:
    """Return the type of lists."""
    return pa.list_(item)


def read_json(
    data: bytes, fields: Iterable[tuple[str, DataType]], block: int, *, many_lines: bool
) -> Array:
    """Read objects, one after the other, that have these members or some of them.

    Raises:
        UnexpectedError: if there is anything else.
    """
    try:
        rows = pj.read_json(
            pa.BufferReader(data),
            read_options=pj.ReadOptions(use_threads=True, block_size=block),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema(list(fields)),
                newlines_in_values=many_lines,
                unexpected_field_behavior="error",
            ),
        )
    except pa.ArrowException as error:
        raise UnexpectedError(str(error)) from error
    return rows.combine_chunks().to_struct_array().combine_chunks()


def member(objects: Array, key: str) -> Array:
    """Return what objects have under a key."""
    at = objects.type.get_field_index(key)
    return pc.struct_field(objects, [at]) if objects.null_count else objects.field(at)


def wrap(values: Array, key: str) -> Array:
    """Return objects that have nothing but a value under a key."""
    return pa.StructArray.from_arrays([values], names=[key])


def unnest(lists: Array) -> tuple[Array, Array, list[int]]:
    """Return the items of lists, the number of the list of each, and the lengths of all lists."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_pylist()
    return pc.list_flatten(lists), pc.list_parent_indices(lists), lengths


def take(values: Array, rows: Array) -> Array:
    """Return the values of rows, given by number."""
    return pc.take(values, rows)


def moments(texts: Array) -> Array | None:
    """Read a column of moments; None if they are not all of one plain notation.

    What Arrow reads is a part of what dlt reads, and means the same.
    """
    try:
        try:
            column = pc.cast(texts, TYPES["timestamp"])
        except pa.ArrowInvalid:
            column = pc.cast(pc.cast(texts, _NAIVE), TYPES["timestamp"])
    except pa.ArrowInvalid:
        return None
    bounds = pc.min_max(pc.cast(column, pa.int64())).as_py()
    if bounds["min"] is not None and not _FIRST <= bounds["min"] <= bounds["max"] <= _LAST:
        return None
    return column
