"""When a pipeline and its tables were last loaded, from dlt's table of loads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from opsnest.mcp.pipelines import LOADS, Record
from opsnest.mcp.reading import Database

__all__ = ["freshness_of"]

#: Tables that are asked in one statement: parsers recurse along UNION ALL.
_AT_ONCE: Final = 50


def freshness_of(record: Record, database: Database) -> dict[str, Any]:
    """Return when the pipeline was last loaded, and for each table when, and how many rows it has.

    A table's time is that of the last load that left rows in it: what is merged without a change
    keeps the load that it came with. Nested tables have their parent's.

    Raises:
        DestinationError: the database could not be asked.
    """
    loads = database.own(
        lambda dataset: (
            f'SELECT max(inserted_at), count(*) FROM {dataset}."{LOADS}" WHERE status = 0'  # noqa: S608 - a name of dlt's
        ),
        [LOADS],
    ).rows[0]
    tables: list[dict[str, Any]] = []
    names = list(record.tables)
    for first in range(0, len(names), _AT_ONCE):
        some = {name: record.tables[name] for name in names[first : first + _AT_ONCE]}
        answer = database.own(partial(_asked_of, some), [*some, LOADS])
        tables += [{"table": row[0], "last_load": row[1], "rows": row[2]} for row in answer.rows]
    return {"last_load": loads[0], "loads": loads[1], "tables": tables}


def _asked_of(tables: Mapping[str, Mapping[str, Any]], dataset: str) -> str:
    asked = " UNION ALL ".join(_asked(dataset, name, table) for name, table in tables.items())
    return f"{asked} ORDER BY 1"


def _asked(dataset: str, name: str, table: Mapping[str, Any]) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    literal = "'" + name.replace("'", "''") + "'"
    if "_dlt_load_id" not in table.get("columns", {}):
        return f"SELECT {literal}, NULL, count(*) FROM {dataset}.{quoted}"  # noqa: S608 - quoted
    return (
        f"SELECT {literal}, max(l.inserted_at), count(*) FROM {dataset}.{quoted} t "  # noqa: S608 - quoted
        f'LEFT JOIN {dataset}."{LOADS}" l ON l.load_id = t._dlt_load_id'
    )
