"""Finished tables: columns in the order of the schema, and what goes with a batch of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from restarrow.errors import UnsupportedError
from restarrow.normalise import arrow
from restarrow.normalise.schema import Columns

#: Cells of a table that may be there for nothing but nulls, of eight bytes each or more: rows with
#: keys of their own make columns by the ten thousand, each of which is as long as the batch.
MOST_NULLS: Final = 32_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The tables of some rows.

    Attributes:
        tables: Arrow tables by name, parents before children; those without rows are left out.
        parents: the parent of each nested table.
        lanes: which way each table took, and why not a quicker one.
    """

    tables: Mapping[str, arrow.Table]
    parents: Mapping[str, str] = field(default_factory=dict[str, str])
    lanes: Mapping[str, str] = field(default_factory=dict[str, str])


def assemble(
    known: Columns, table: str, columns: Mapping[str, arrow.Array], count: int
) -> arrow.Table:
    """Put columns in the order of the schema, with nulls for those that these rows lack.

    Raises:
        UnsupportedError: if a column that is not nullable has nulls, or the table is nearly
            nothing but nulls.
    """
    refuse_nulls(table, (len(known) - len(columns)) * count)
    filled: dict[str, arrow.Array] = {}
    types: list[tuple[str, str, bool]] = []
    for name, column in known.items():
        if column.data_type is None:
            continue
        if column.data_type not in arrow.TYPES:
            msg = f"the column {name} is of type {column.data_type}"
            raise UnsupportedError(msg, table=table)
        values = columns.get(name)
        if values is None:
            values = arrow.nulls(count, column.data_type)
        if not column.nullable and arrow.has_nulls(values):
            msg = f"the column {name} has nulls but is not nullable"
            raise UnsupportedError(msg, table=table)
        filled[name] = values
        types.append((name, column.data_type, column.nullable))
    return arrow.table(filled, types)


def refuse_nulls(table: str, nulls: int) -> None:
    """Refuse a table that would fill the memory with nulls.

    Raises:
        UnsupportedError: it has too many.
    """
    if nulls > MOST_NULLS:
        msg = f"a table of so many columns that {nulls:,} of its cells would be null"
        raise UnsupportedError(msg, table=table)


def assemble_rows(known: Columns, table: str, rows: Sequence[Mapping[str, Any]]) -> arrow.Table:
    """Make a table of rows that fit its columns.

    Raises:
        UnsupportedError: if a value has no place in Arrow, a row lacks one that it needs, or the
            table is nearly nothing but nulls.
    """
    refuse_nulls(table, len(known) * len(rows) - sum(map(len, rows)))
    columns = {
        name: arrow.array([row.get(name) for row in rows], column.data_type)
        for name, column in known.items()
        if column.data_type in arrow.TYPES
    }
    return assemble(known, table, columns, len(rows))
