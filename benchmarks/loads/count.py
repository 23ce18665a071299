"""Print how many rows each table has that a load has made.

Labels are an object of each incident, of which dlt makes columns, and opsnest rows: what is in
those columns counts as those rows.
"""

import json

import duckdb

_INCIDENTS = "incidents"
_LABELS = "attributes__labels__"

with duckdb.connect("bench.duckdb", read_only=True) as database:
    names = database.execute(
        "SELECT table_name, list(column_name) FROM information_schema.columns"
        " WHERE table_schema = 'loaded' AND NOT starts_with(table_name, '_dlt') GROUP BY table_name"
    ).fetchall()
    columns: dict[str, list[str]] = dict(names)
    counted = {
        name: database.execute(f'SELECT count(*) FROM loaded."{name}"').fetchall()[0][0]
        for name in columns
    }
    if labels := [name for name in columns[_INCIDENTS] if name.startswith(_LABELS)]:
        filled = " + ".join(f'count("{name}")' for name in labels)
        found = database.execute(f"SELECT {filled} FROM loaded.{_INCIDENTS}").fetchall()
        counted[f"{_INCIDENTS}__attributes__labels"] = found[0][0]
print(json.dumps(counted))
