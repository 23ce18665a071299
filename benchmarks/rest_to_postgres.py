"""Measure loads of Rootly incidents into PostgreSQL: dlt's own way, restarrow's, and opsnest.

As `rest_to_duckdb.py`, with a PostgreSQL that you name: the contenders load into its schemas
`measured_...`. Their tables are compared afterwards, cell by cell, bar the columns that dlt draws.

    python benchmarks/rest_to_postgres.py postgresql://user:password@127.0.0.1/database
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from importlib import import_module
from typing import Any

from rest_to_duckdb import (  # type: ignore[import-not-found]
    HERE,
    Scenario,
    WrongLoadError,
    compile_packages,
    machine,
    measure_process,
    simulator,
)

psycopg2: Any = import_module("psycopg2")


def contenders() -> dict[str, str]:
    """Return the script of each contender, which loads into the schema of its own."""
    plain = (HERE / "loads" / "rest_api.py").read_text()
    ours = _exchanged(plain, "from dlt.sources.rest_api import", "from restarrow.dlt import")
    source = (HERE / "loads" / "opsnest_source.py").read_text()
    return {
        "dlt": _into(plain, "dlt", 'destination="postgres"'),
        "restarrow.dlt": _into(ours, "restarrow.dlt", _BINARY),
        "opsnest": _into(source, "opsnest", _BINARY),
    }


_BINARY = 'destination=__import__("restarrow.dlt").dlt.postgres()'


def _into(script: str, name: str, destination: str) -> str:
    """Let a script load into PostgreSQL."""
    script = _exchanged(script, 'destination=dlt.destinations.duckdb("bench.duckdb")', destination)
    return _exchanged(script, 'dataset_name="loaded"', f'dataset_name="{schema_of(name)}"')


def schema_of(name: str) -> str:
    """Return the schema of a contender."""
    return "measured_" + re.sub(r"\W", "_", name)


def _exchanged(script: str, old: str, new: str) -> str:
    """Exchange what a script contains exactly once: anything else would measure the wrong thing."""
    before, after = script.split(old)
    return f"{before}{new}{after}"


def contents(address: str, schema: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows of each table, and a digest of their cells."""
    found: dict[str, tuple[int, str]] = {}
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, string_agg(quote_ident(column_name), ',' ORDER BY column_name)"
            " FROM information_schema.columns WHERE table_schema = %s"
            r" AND table_name NOT LIKE '\_dlt%%' AND column_name NOT LIKE '\_dlt%%'"
            " GROUP BY table_name",
            (schema,),
        )
        for table, columns in cursor.fetchall():
            cursor.execute(
                "SELECT count(*), md5(string_agg(cells, '' ORDER BY cells)) FROM"
                f' (SELECT md5(ROW({columns})::text) AS cells FROM "{schema}"."{table}") AS each'
            )
            found[table] = cursor.fetchone()
    return found


def drop(address: str, schema: str) -> None:
    """Remove what an earlier load has left."""
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        for name in (schema, f"{schema}_staging"):
            cursor.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def main() -> int:
    """Measure and print; return 1 if tables differ."""
    parser = argparse.ArgumentParser(description="Measure loads of incidents into PostgreSQL.")
    parser.add_argument("address", help="postgresql://user:password@host/database")
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    compile_packages()
    print(machine())
    expected: dict[str, tuple[int, str]] = {}
    with simulator(Scenario(options.incidents)) as settings:
        for turn in range(1, options.rounds + 1):
            reference = 0.0
            for name, script in contenders().items():
                schema = schema_of(name)
                drop(options.address, schema)
                variable = {"DESTINATION__POSTGRES__CREDENTIALS": options.address}
                try:
                    with tempfile.TemporaryDirectory() as folder:
                        taken = measure_process(script, {**settings, **variable}, folder)
                except WrongLoadError as error:
                    print(f"error: {name}: {error}", file=sys.stderr)
                    return 1
                reference = reference or taken.wall
                found = contents(options.address, schema)
                line = f"round {turn}, {name}: {taken.wall:.1f} s, {taken.cpu:.1f} s of CPU, "
                print(f"{line}{taken.memory:.0f} MB, {reference / taken.wall:.1f} times dlt")
                if name == "opsnest":  # it has rows cleaned: tables of its own
                    continue
                expected = expected or found
                if found != expected:
                    print(f"error: {name}: the tables are not those of dlt", file=sys.stderr)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
