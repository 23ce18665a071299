"""The live schema: which tables and columns there are so far, in order, and how they grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from restarrow.errors import UnsupportedError
from restarrow.normalise.naming import Naming
from restarrow.normalise.types import SUPPORTED, Column, MisfitError, coerce, infer, kind_of

ID = "_dlt_id"
LOAD_ID = "_dlt_load_id"
ROOT_ID = "_dlt_root_id"
PARENT_ID = "_dlt_parent_id"
LIST_INDEX = "_dlt_list_idx"
#: The column of list items that are no objects.
VALUE = "value"
#: The key under which a list within a list is held.
LIST = "list"

Columns = dict[str, Column]


@dataclass(slots=True)
class Schema:
    """Tables and their columns, each in the order of discovery.

    Attributes:
        tables: columns by table.
        parents: the parent of each nested table.
    """

    tables: dict[str, Columns] = field(default_factory=dict[str, Columns])
    parents: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Mapping[str, Column]] | None,
        parents: Mapping[str, str] | None = None,
    ) -> Schema:
        """Start from columns that are known or declared, and from the parents of known tables."""
        tables = {table: dict(known) for table, known in (columns or {}).items()}
        return cls(tables, dict(parents or {}))

    def copy(self) -> Schema:
        """Return one that grows by itself."""
        tables = {table: dict(columns) for table, columns in self.tables.items()}
        return Schema(tables, dict(self.parents))

    def is_json(self, table: str, column: str) -> bool:
        """Tell whether objects and lists stay as they are in a column."""
        columns = self.tables.get(table)
        known = columns.get(column) if columns is not None else None
        return known is not None and known.data_type == "json"

    def data_type(self, table: str, column: str) -> str | None:
        """Return the type of a column; None if it is not known yet."""
        columns = self.tables.get(table)
        known = columns.get(column) if columns is not None else None
        return known.data_type if known is not None else None


def fit(schema: Schema, naming: Naming, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Fit a row into a table, which grows by the columns that it lacks.

    Returns:
        the values that are not null, by the name of the column that they went to.

    Raises:
        UnsupportedError: if dlt would stop at this row, or store what this does not reproduce.
    """
    columns = schema.tables.get(table) or {}
    new: Columns = {}
    fitted: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            refuse_null(columns, table, name)
            continue
        target, column, result = _place(columns, naming, table, name, value, is_variant=False)
        fitted[target] = result
        if column is not None:
            new[target] = column
    if new:
        _grow(schema, table, new)
    return fitted


def refuse_null(columns: Mapping[str, Column], table: str, name: str) -> None:
    """Refuse a null in a column that has none."""
    column = columns.get(name)
    if column is not None and column.data_type is not None and not column.nullable:
        msg = f"a null in the column {name}, which is not nullable"
        raise UnsupportedError(msg, table=table)


def variant_name(columns: Mapping[str, Column], naming: Naming, name: str, kind: str) -> str:
    """Return the column that takes the values of this kind which a column does not take."""
    if kind == "json":  # was once called so, and still is where it exists
        old = naming.join(name, "v_complex")
        column = columns.get(old)
        if column is not None and column.variant:
            return old
    return naming.join(name, f"v_{kind}")


def _place(
    columns: Mapping[str, Column],
    naming: Naming,
    table: str,
    name: str,
    value: Any,
    *,
    is_variant: bool,
) -> tuple[str, Column | None, Any]:
    known = columns.get(name)
    data_type = known.data_type if known is not None else None
    if data_type is not None and data_type not in SUPPORTED:
        msg = f"the column {name} is of type {data_type}"
        raise UnsupportedError(msg, table=table)
    target = data_type or infer(value)
    try:
        result = coerce(target, value)
    except MisfitError as error:
        if is_variant:
            msg = f"the variant column {name} does not take a value, at which dlt stops"
            raise UnsupportedError(msg, table=table) from error
        variant = variant_name(columns, naming, name, kind_of(value))
        return _place(columns, naming, table, variant, value, is_variant=True)
    if data_type is not None:
        return name, None, result
    return name, _new_column(known, name, target, is_variant=is_variant), result


def _new_column(known: Column | None, name: str, data_type: str, *, is_variant: bool) -> Column:
    if known is not None:
        return replace(known, data_type=data_type, variant=known.variant or is_variant)
    return Column(data_type, nullable=name not in _NEVER_NULL, variant=is_variant)


_NEVER_NULL = frozenset({ID, LOAD_ID, ROOT_ID, PARENT_ID, LIST_INDEX})


def _grow(schema: Schema, table: str, new: Columns) -> None:
    columns = schema.tables.get(table)
    if columns is None:
        columns = schema.tables[table] = {}
    for name, column in new.items():
        columns.pop(name, None)  # declared without a type: it comes where its type is found
        columns[name] = column
