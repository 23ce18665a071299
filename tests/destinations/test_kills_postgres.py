"""Killed (-9) at any moment, a load into PostgreSQL goes on: equal tables, no row twice."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import dlt
import pytest
from tests.kill_cases import AT_ONCE, KILLS, SIMULATORS, TOTALS, kill_in_every_way
from tests.killing import rows_twice
from tests.same_cells import Cells, live_cells

import restarrow.dlt

psycopg2: Any = import_module("psycopg2")

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.destinations]


@contextmanager
def connected(address: str) -> Generator[Any]:
    """Yield a cursor of which each statement is committed."""
    connection = psycopg2.connect(address)
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


class Tables:
    """The tables of a load, to look into."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._cursor.execute("SET search_path TO data; SET TIME ZONE 'UTC'")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        self._cursor.execute(sql)
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows

    def tables(self) -> set[str]:
        """Return the names of the tables, bar those of dlt."""
        rows = self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'data'")
        return {name for (name,) in rows if not name.startswith("_dlt")}

    def types(self, table: str) -> dict[str, str]:
        """Return the type of each column."""
        return dict(
            self.query(
                "SELECT column_name, data_type FROM information_schema.columns "
                f"WHERE table_schema = 'data' AND table_name = '{table}' ORDER BY ordinal_position"
            )
        )


@dataclass(frozen=True)
class PostgresPlace:
    """A database of a server.

    Attributes:
        server: the address of the server, with a database from which others are made.
        folder: where the pipeline is; the database has its name.
    """

    server: str
    folder: Path
    kind: str = "postgres"

    @property
    def database(self) -> str:
        """The name of the database."""
        return self.folder.name.replace("-", "_")

    @property
    def address(self) -> str:
        """The address of the database."""
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{self.database}"))

    def make(self, template: str = "template1") -> PostgresPlace:
        """Make the database."""
        self.folder.mkdir(exist_ok=True)
        with connected(self.server) as cursor:
            cursor.execute(f'CREATE DATABASE "{self.database}" TEMPLATE "{template}"')
        return self

    def pipeline(self) -> Any:
        """Return the pipeline that loads into it."""
        pipeline = dlt.pipeline(
            pipeline_name="warehouse",
            destination=restarrow.dlt.postgres(self.address),
            dataset_name="data",
            pipelines_dir=str(self.folder / "pipelines"),
        )
        pipeline.config.restore_from_destination = False
        return pipeline

    def copy(self, folder: Path) -> PostgresPlace:
        """Return a place that has all that is in this one."""
        shutil.copytree(self.folder, folder)
        return PostgresPlace(self.server, folder).make(self.database)

    def cells(self) -> Cells:
        """Return the rows of all tables, but for what differs by chance."""
        with connected(self.address) as cursor:
            return live_cells(Tables(cursor))

    def twice(self) -> list[str]:
        """Return the tables in which a row of dlt is there twice."""
        with connected(self.address) as cursor:
            return rows_twice(Tables(cursor))

    def remove(self) -> None:
        """Make room."""
        with connected(self.server) as cursor:
            cursor.execute(f'DROP DATABASE "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.folder)


@pytest.fixture(name="server")
def _server(postgres: str) -> str:
    return postgres


@pytest.mark.timeout(240)
def test_a_load_that_is_killed_goes_on(server: str, tmp_path: Path) -> None:
    tally = kill_in_every_way(
        "cloud-bot",
        lambda name: PostgresPlace(server, tmp_path / f"short-{name}").make(),
        tmp_path,
        kills=2,
        writes=("append",),
    )
    assert max(tally.repeated) <= AT_ONCE["cloud-bot"], tally


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("platform", SIMULATORS)
def test_loads_that_are_killed_in_every_step_go_on(
    platform: str, server: str, tmp_path: Path
) -> None:
    tally = kill_in_every_way(
        platform,
        lambda name: PostgresPlace(server, tmp_path / f"{platform}-{name}").make(),
        tmp_path,
        kills=KILLS,
        seed=10,
    )
    log.info("%s: %s", platform, tally)
    assert tally.steps.keys() >= {"extract", "normalize", "load"}
    assert tally.share <= 0.02, tally
    assert max(tally.repeated) <= AT_ONCE[platform], tally
    assert min(tally.repeated) >= -TOTALS, tally  # else old pages were loaded for new ones
