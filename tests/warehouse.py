"""Where the end-to-end tests load to, and what they compare it with."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.extract import DltSource

from opssim import Running, Simulator


class Warehouse:
    """A DuckDB file and the pipeline that loads into it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "warehouse.duckdb"
        self._open: duckdb.DuckDBPyConnection | None = None
        self.pipeline = dlt.pipeline(
            pipeline_name="warehouse",
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="data",
            pipelines_dir=str(folder / "pipelines"),
        )
        self.pipeline.config.restore_from_destination = False  # it is here anyway

    def load(self, source: DltSource, *resources: str) -> dict[str, int]:
        """Load these resources, or what the source loads by itself; return rows by table."""
        self.close()
        # while it is open here, dlt's many connections do not open and close the file itself
        with duckdb.connect(str(self.file)), no_warnings():
            info = self.pipeline.run(source.with_resources(*resources) if resources else source)
        trace = self.pipeline.last_trace
        normalized = trace.last_normalize_info if trace and info.loads_ids else None
        counts = normalized.row_counts if normalized else {}
        # child tables and dlt's own have their names with two underscores, or one in front
        return {name: rows for name, rows in counts.items() if "__" not in name and name[0] != "_"}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        if self._open is None:
            self._open = duckdb.connect(str(self.file))
            self._open.execute("SET schema = 'data'; SET TimeZone = 'UTC'")
        return self._open.execute(sql).fetchall()

    def close(self) -> None:
        """Let go of the file, for a load to have it."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def column(self, table: str, column: str = "id") -> list[Any]:
        """Return the values of a column, sorted."""
        return [value for (value,) in self.query(f'SELECT "{column}" FROM {table} ORDER BY 1')]

    def tables(self) -> set[str]:
        """Return the names of the tables, bar those of dlt."""
        return {
            name
            for (name,) in self.query(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'data'"
            )
            if not name.startswith("_dlt")
        }

    def types(self, table: str) -> dict[str, str]:
        """Return the type of each column."""
        return {name: kind for name, kind, *_ in self.query(f"DESCRIBE {table}")}

    def text(self) -> str:
        """Return all that is in the file, to look for what must not be."""
        return "\n".join(
            repr(self.query(f"SELECT * FROM {table}")) for table in sorted(self.tables())
        )

    def orphans(self) -> dict[str, int]:
        """Return the child tables that have rows whose root is gone, with their number."""
        children = [name for name in sorted(self.tables()) if "__" in name]
        found = {
            name: self.query(
                f"SELECT count(*) FROM {name} WHERE _dlt_root_id NOT IN "
                f"(SELECT _dlt_id FROM {name.partition('__')[0]})"
            )[0][0]
            for name in children
        }
        return {name: count for name, count in found.items() if count}


class _Warnings(logging.Handler):
    """Keeps what is logged as a warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def no_warnings() -> Generator[None]:
    """Fail if dlt warns: an operator would see it at every load."""
    warnings = _Warnings()
    logger = logging.getLogger("dlt")
    logger.addHandler(warnings)
    try:
        yield
    finally:
        logger.removeHandler(warnings)
    assert warnings.messages == []


def keys(running: Running[Any], table: str) -> list[str]:
    """Return the ids that a simulator holds, sorted."""
    simulator: Simulator = running.simulator
    return sorted(simulator.tables[table].keys())


def rows(running: Running[Any], table: str) -> dict[str, dict[str, Any]]:
    """Return the rows that a simulator holds by id."""
    simulator: Simulator = running.simulator
    return {row.key: row.data() for row in simulator.tables[table]}


def loaded(warehouse: Warehouse, table: str, column: str) -> dict[str, Any]:
    """Return a column of the loaded rows by id."""
    return dict(warehouse.query(f"SELECT id, {column} FROM {table}"))
