"""The column lane: decoded rows taken apart by columns rather than by cells.

Rows are shredded without looking at the schema much. Then the few rows that change the schema,
those with the first value of a column or the first misfit of a kind, are shown to the walker in
order, which makes the schema grow as dlt does. Last, whole columns are converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restarrow.errors import UnsupportedError
from restarrow.normalise import arrow
from restarrow.normalise.ids import child_ids, key_ids, pick
from restarrow.normalise.naming import Naming
from restarrow.normalise.schema import (
    ID,
    LIST_INDEX,
    LOAD_ID,
    PARENT_ID,
    ROOT_ID,
    Schema,
    refuse_null,
    variant_name,
)
from restarrow.normalise.shape import Shape
from restarrow.normalise.shredder import Cells, Shredded, Shredder, TangledError
from restarrow.normalise.tables import assemble
from restarrow.normalise.types import (
    SUPPORTED,
    Column,
    MisfitError,
    coerce,
    kind_of,
)
from restarrow.normalise.walker import (
    Options,
    Place,
    Walker,
    key_text,
)

_ONE_KIND = {"text": str, "bigint": int, "double": float, "bool": bool}


@dataclass(slots=True)
class ColumnLane:
    """Turns one batch of objects into tables; made anew for every batch.

    Attributes:
        schema: what is known so far; it is left as it is.
        shape: takes note of which keys hold what.
    """

    schema: Schema
    naming: Naming
    options: Options
    shape: Shape

    def run(
        self, table: str, rows: Sequence[dict[str, Any]], ids: Sequence[str]
    ) -> tuple[Schema, dict[str, arrow.Table]]:
        """Return the schema that has grown, and the tables.

        Raises:
            TangledError: if the walker has to take the batch.
            UnsupportedError: if only dlt's own path handles it.
        """
        shredder = Shredder(self.schema, self.naming)
        place = Place(table, "", (table,), self.options.max_nesting)
        root = shredder.shred(place, rows, self.shape)
        tables = shredder.tables
        changes = set(self._first_values(tables.values()))
        while True:
            schema = self._grown(table, [rows[row] for row in sorted(changes)])
            _check(schema, tables.values())
            converted = {
                name: _Converter(part, schema, self.naming) for name, part in tables.items()
            }
            misfits = {
                row
                for name, each in converted.items()
                for row in each.convert(self.schema.tables.get(name, {}))
            }
            if misfits <= changes:
                break
            changes |= misfits
        if self.options.row_ids == "key_hash":
            ids = _key_ids(root, self.options.primary_key)
        return schema, self._assemble(schema, tables, converted, ids)

    def _first_values(self, tables: Iterable[Shredded]) -> Iterator[int]:
        """Return the root rows in which a column, or a table, is met for the first time."""
        for table in tables:
            known = self.schema.tables.get(table.place.table, {})
            for name in self._system(table):
                if name not in known or known[name].data_type is None:
                    yield table.root_row(0)
            for name, cells in table.cells.items():
                if name not in known or known[name].data_type is None:
                    first = next(row for row, value in enumerate(cells.values) if value is not None)
                    yield table.root_row(first)

    def _system(self, table: Shredded) -> tuple[str, ...]:
        if table.parent is None:
            return (LOAD_ID, ID)
        if self.options.root_key:
            return (ROOT_ID, PARENT_ID, LIST_INDEX, ID)
        return (PARENT_ID, LIST_INDEX, ID)

    def _grown(self, table: str, rows: Sequence[dict[str, Any]]) -> Schema:
        """Return the schema, grown by the rows that change it."""
        schema = self.schema.copy()
        Walker(schema, self.naming, self.options).walk(table, rows, [""] * len(rows))
        return schema

    def _assemble(
        self,
        schema: Schema,
        parts: Mapping[str, Shredded],
        converted: Mapping[str, _Converter],
        root_ids: Sequence[str],
    ) -> dict[str, arrow.Table]:
        ids = dict.fromkeys(parts, root_ids)
        roots = dict.fromkeys(parts, root_ids)
        tables: dict[str, arrow.Table] = {}
        for name, part in parts.items():
            columns = converted[name].columns
            if part.parent is None:
                columns[LOAD_ID] = arrow.repeated(self.options.load_id, part.count)
            else:
                above = part.parent.place.table
                parents = pick(ids[above], part.parent_rows)
                ids[name] = child_ids(parents, name, part.positions)
                columns[PARENT_ID] = arrow.array(parents, "text")
                columns[LIST_INDEX] = arrow.array(part.positions, "bigint")
                if self.options.root_key:
                    roots[name] = pick(roots[above], part.parent_rows)
                    columns[ROOT_ID] = arrow.array(roots[name], "text")
            columns[ID] = arrow.array(ids[name], "text")
            tables[name] = assemble(schema.tables[name], name, columns, part.count)
        return tables


class _Converter:
    """Converts the columns of one table.

    Attributes:
        columns: what is converted so far, by name.
    """

    def __init__(self, table: Shredded, schema: Schema, naming: Naming) -> None:
        self.columns: dict[str, arrow.Array] = {}
        self._table = table
        self._known = schema.tables[table.place.table]
        self._naming = naming
        self._variants: dict[str, list[Any]] = {}

    def convert(self, before: Mapping[str, Column]) -> Iterator[int]:
        """Convert all columns.

        Args:
            before: the columns that were known before this batch.

        Returns:
            the root rows in which a variant is met for the first time.
        """
        for name, cells in self._table.cells.items():
            self._refuse_nulls(name)
            data_type = self._known[name].data_type or ""
            if data_type not in SUPPORTED:
                msg = f"the column {name} is of type {data_type}"
                raise UnsupportedError(msg, table=self._table.place.table)
            column = _whole_column(data_type, cells)
            if column is None:
                column = arrow.array(self._fitted(name, data_type, cells.values), data_type)
            self.columns[name] = column
        for variant, values in self._variants.items():
            if variant in self._table.names:
                msg = f"the variant {variant} is a column of its own too"
                raise TangledError(msg)
            if variant not in before or before[variant].data_type is None:
                first = next(row for row, value in enumerate(values) if value is not None)
                yield self._table.root_row(first)
            known = self._known.get(variant)
            if known is not None and known.data_type is not None:
                self.columns[variant] = self._variant(variant, known.data_type, values)

    def _fitted(self, name: str, data_type: str, values: Sequence[Any]) -> list[Any]:
        """Fit values one by one; those that do not fit go to variants."""
        fitted: list[Any] = [None] * len(values)
        for row, value in enumerate(values):
            if value is None:
                continue
            try:
                fitted[row] = coerce(data_type, value)
            except MisfitError:
                variant = variant_name(self._known, self._naming, name, kind_of(value))
                misfits = self._variants.get(variant)
                if misfits is None:
                    misfits = self._variants[variant] = [None] * len(values)
                if misfits[row] is not None:
                    msg = f"two columns have the variant {variant}"
                    raise TangledError(msg) from None
                misfits[row] = value
        return fitted

    def _variant(self, name: str, data_type: str, values: Sequence[Any]) -> arrow.Array:
        try:
            fitted = [None if value is None else coerce(data_type, value) for value in values]
        except MisfitError as error:
            msg = f"the variant column {name} does not take a value, at which dlt stops"
            raise UnsupportedError(msg, table=self._table.place.table) from error
        return arrow.array(fitted, data_type)

    def _refuse_nulls(self, name: str) -> None:
        if not self._known[name].nullable and None in self._table.cells[name].values:
            refuse_null(self._known, self._table.place.table, name)


def _whole_column(data_type: str, cells: Cells) -> arrow.Array | None:
    """Convert a column whose values are all of its own type; None if they are not."""
    if data_type == "timestamp" and cells.kinds == {str}:
        return arrow.moments(arrow.array(cells.values, "text"))
    if cells.kinds != {_ONE_KIND.get(data_type)}:
        return None
    column = arrow.array(cells.values, data_type)
    if data_type == "text" and arrow.has_marks(column):
        msg = "a text starts with one of dlt's type marks"
        raise UnsupportedError(msg)
    if data_type == "double" and not arrow.is_finite(column):
        msg = "a number is infinite or not a number"
        raise UnsupportedError(msg)
    return column


def _check(schema: Schema, tables: Iterable[Shredded]) -> None:
    """Add the parents of tables, unless objects of one are both taken apart and left as JSON."""
    for table in tables:
        place = table.place
        if any(schema.is_json(place.table, name) for name in table.opened):
            msg = f"the table {place.table} has objects both as JSON and as columns"
            raise TangledError(msg)
        if place.parent:
            schema.parents.setdefault(place.table, place.parent)


def _key_ids(root: Shredded, primary_key: Sequence[str]) -> list[str]:
    empty: list[Any] = [None] * root.count
    columns = [root.cells[name].values if name in root.cells else empty for name in primary_key]
    return key_ids(
        [
            key_text(dict(zip(primary_key, key, strict=True)), primary_key)
            for key in zip(*columns, strict=True)
        ]
    )
