"""Print how many rows each table has that a load has made."""

import json

import duckdb

with duckdb.connect("bench.duckdb", read_only=True) as database:
    tables = database.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'loaded' AND NOT starts_with(table_name, '_dlt')"
    ).fetchall()
    counted = {
        name: database.execute(f'SELECT count(*) FROM loaded."{name}"').fetchall()[0][0]
        for (name,) in tables
    }
print(json.dumps(counted))
