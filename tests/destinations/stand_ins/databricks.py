"""Databricks by DuckDB, behind a connection of our own.

It shows that what dlt says is Databricks' SQL as sqlglot knows it, and that it has the effect that
dlt wants where DuckDB says it in its own words. It was written from the same understanding as the
tests, and is looser than Databricks: properties of tables are dropped, nothing is refused that a
warehouse would refuse.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import dlt
import duckdb
import sqlglot
from sqlglot import expressions
from tests.destinations.stand_ins.statements import Statements

__all__ = ["VERBS", "databricks"]

#: Statements that are Databricks' own, which sqlglot does not parse.
VERBS: Final = ("CREATE VOLUME", "PUT", "REMOVE", "COPY INTO")
_CATALOG: Final = "unity"
#: Databricks' names for DuckDB's types.
_TYPES: Final[Mapping[str, str]] = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DOUBLE": "double",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "VARCHAR": "string",
}


def databricks(folder: Path, statements: Statements, monkeypatch: Any) -> Any:
    """Return dlt's Databricks destination, which loads into a DuckDB in this folder."""
    warehouse = _Warehouse(folder, statements)
    monkeypatch.setattr("databricks.sql.connect", warehouse.connect)
    return dlt.destinations.databricks(
        credentials={
            "catalog": _CATALOG,
            "server_hostname": "localhost",
            "http_path": "/sql",
            "access_token": "none",
        }
    )


class _Warehouse:
    """A database, and a folder for what is put into volumes."""

    def __init__(self, folder: Path, statements: Statements) -> None:
        self.volumes, self.statements = folder / "volumes", statements
        self.database = duckdb.connect(str(folder / f"{_CATALOG}.duckdb"))

    def connect(self, **_: Any) -> _Connection:
        connection = self.database.cursor()
        connection.execute("SET TimeZone = 'UTC'")
        return _Connection(self, connection)


class _Connection:
    """A connection, as far as dlt uses it."""

    staging_allowed_local_path: str

    def __init__(self, warehouse: _Warehouse, connection: duckdb.DuckDBPyConnection) -> None:
        self.warehouse, self.connection = warehouse, connection

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    def close(self) -> None:
        self.connection.close()


class _Cursor:
    """A cursor, as far as dlt uses it."""

    def __init__(self, owner: _Connection) -> None:
        self.warehouse, self.connection = owner.warehouse, owner.connection
        self.names_types = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: what was found is let go of with the connection."""

    @property
    def description(self) -> Any:
        return self.connection.description

    def execute(self, query: str, args: Any = None) -> Self:
        self.warehouse.statements.note(query)
        self.names_types = "full_data_type" in query
        try:
            for verb, run in self._verbs().items():
                if found := re.match(verb, query.strip(), re.IGNORECASE | re.DOTALL):
                    run(*found.groups())
                    self.connection.execute("BEGIN; ROLLBACK")  # nothing is found
                    return self
            for statement in _for_duckdb(query):
                self.connection.execute(statement, list(args or ()))
        except duckdb.Error as error:
            raise _as_databricks(error) from error
        return self

    def _verbs(self) -> dict[str, Callable[..., None]]:
        return {
            r"CREATE VOLUME IF NOT EXISTS (\S+)$": _make_nothing,
            r"PUT '([^']+)' INTO '([^']+)' OVERWRITE$": self._put,
            r"REMOVE '([^']+)'$": self._remove,
            r"COPY INTO (\S+)\s+FROM '([^']+)'\s+FILEFORMAT = PARQUET$": self._copy,
        }

    def _put(self, file: str, target: str) -> None:
        path = self._volume(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, path)

    def _remove(self, target: str) -> None:
        path = self._volume(target)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()

    def _copy(self, table: str, folder: str) -> None:
        name = table.replace("`", '"')
        files = f"{self._volume(folder)}/*.parquet"
        self.connection.execute(f"INSERT INTO {name} BY NAME FROM read_parquet('{files}')")

    def _volume(self, path: str) -> Path:
        return self.warehouse.volumes / path.removeprefix("/Volumes/")

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [self._named(row) for row in self.connection.fetchall()]

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        return [self._named(row) for row in self.connection.fetchmany(size)]

    def fetchone(self) -> tuple[Any, ...] | None:
        row = self.connection.fetchone()
        return None if row is None else self._named(row)

    def _named(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a row with Databricks' names of types, if it is of the columns that there are."""
        return tuple(_TYPES.get(value, value) for value in row) if self.names_types else row


def _make_nothing(_name: str) -> None:
    """Make no volume: folders are made when something is put there."""


def _for_duckdb(query: str) -> list[str]:
    """Return Databricks' statements in DuckDB's words."""
    made: list[str] = []
    for statement in sqlglot.parse(query.replace("%s", "?"), read="databricks"):
        if statement is None:
            continue
        if isinstance(statement, expressions.Create) and statement.kind == "TABLE":
            statement.set("properties", None)
        for column in statement.find_all(expressions.Column):
            if column.name == "full_data_type":
                column.replace(expressions.column("data_type"))
        made.append(statement.sql(dialect="duckdb"))
    return made


def _as_databricks(error: duckdb.Error) -> Exception:
    exceptions: Any = import_module("databricks.sql.exc")
    words = str(error)
    if isinstance(error, duckdb.CatalogException) and "does not exist" in words:
        words = f"TABLE_OR_VIEW_NOT_FOUND: {words}"
    made: Exception = exceptions.ServerOperationError(words)
    return made
