"""All that is in a database, in a form in which two of them can be compared cell by cell."""

from __future__ import annotations

from typing import Any, Protocol

Cells = dict[str, list[dict[str, Any]]]


class Tables(Protocol):
    """Tables to look into."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        ...

    def tables(self) -> set[str]:
        """Return the names of the tables, bar those of dlt."""
        ...

    def types(self, table: str) -> dict[str, str]:
        """Return the type of each column."""
        ...


def live_cells(warehouse: Tables) -> Cells:
    """Return the rows of all tables, without those that are marked as deleted.

    Rows of nested tables are there if the row that they belong to is. Columns of dlt are left out,
    and nulls, as a column that no row fills may not be there at all.
    """
    found: Cells = {}
    for table in sorted(warehouse.tables()):
        root = table.partition("__")[0]
        marks = "deleted_at" in warehouse.types(root)
        where = "WHERE root.deleted_at IS NULL" if marks else ""
        if root == table:
            query = f"SELECT * FROM {root} AS root {where}"
            names = list(warehouse.types(table))
        else:
            # no key of a root row is in its nested rows: what it holds stands for it
            held = [name for name in warehouse.types(root) if not name.startswith("_dlt")]
            columns = ", ".join(f'root."{name}"' for name in held)
            query = (
                f"SELECT nested.*, {columns} FROM {table} AS nested "
                f"JOIN {root} AS root ON nested._dlt_root_id = root._dlt_id {where}"
            )
            names = [*warehouse.types(table), *(f"root.{name}" for name in held)]
        rows = [
            {
                name: value
                for name, value in zip(names, row, strict=True)
                if value is not None and (name == "_dlt_list_idx" or not name.startswith("_dlt"))
            }
            for row in warehouse.query(query)
        ]
        if rows:
            found[table] = sorted(rows, key=lambda row: repr(sorted(row.items())))
    return found
