"""Arrow tables in PostgreSQL: the tables are those of dlt's own path, cell by cell."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.dlt_comparison import (
    Comparison,
    Database,
    Lists,
    Pages,
    Side,
    config,
    lists,
)
from packages.restarrow.tests.dlt_rows import CHANGED, DISPOSITIONS, RICH, Row, load_all
from packages.restarrow.tests.test_dlt_destinations import (
    NUMBER_ROWS,
    TEXT_ROWS,
    TIME_ROWS,
)
from packages.restarrow.tests.test_dlt_shapes import SHAPES

import restarrow.dlt

psycopg2: Any = import_module("psycopg2")

pytestmark = pytest.mark.destinations

Compare = Callable[..., Comparison]
#: Two rows with one id of the user's are refused by PostgreSQL, from either.
LOADABLE = {f"shape_{n}": pages for n, pages in enumerate(SHAPES) if "_dlt_id" not in str(pages)}


def side_of(address: str, make: Callable[..., Any]) -> type[Side]:
    """Return a side whose pipelines load into schemas of their own."""

    class Postgres(Side):
        @property
        def dataset(self) -> str:
            return f"data_{self.folder.name}"

        def pipeline(self) -> dlt.Pipeline:
            made = dlt.pipeline(
                "compared",
                destination=make(address),
                dataset_name=self.dataset,
                pipelines_dir=str(self.folder / "pipelines"),
            )
            made.config.restore_from_destination = False
            return made

        def read(self, tables: Mapping[str, Any]) -> Database:
            with psycopg2.connect(address) as connection, connection.cursor() as cursor:
                return database(cursor, self.dataset, tables)

    return Postgres


def database(cursor: Any, dataset: str, tables: Mapping[str, Any]) -> Database:
    """Read a schema whole, with JSON and times as the texts that PostgreSQL makes of them."""
    cursor.execute("SET timezone = 'UTC'")
    cursor.execute(
        "SELECT table_name, column_name, data_type || is_nullable FROM information_schema.columns"
        " WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        (dataset,),
    )
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in cursor.fetchall():
        columns.setdefault(table, []).append((column, kind))
    rows: dict[str, list[dict[str, Any]]] = {}
    for table, known in columns.items():
        chosen = ", ".join(
            f'"{name}"::text' if kind.startswith(("json", "timestamp")) else f'"{name}"'
            for name, kind in known
        )
        cursor.execute(f'SELECT {chosen} FROM "{dataset}"."{table}"')
        names = [name for name, _ in known]
        rows[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    parents = {name: table["parent"] for name, table in tables.items() if "parent" in table}
    loads = sorted(row["load_id"] for row in rows.get("_dlt_loads", []))
    return Database(columns, rows, parents, loads)


@pytest.fixture(params=["binary", "csv"])
def compared(request: pytest.FixtureRequest, postgres: str, tmp_path: Path) -> Comparison:
    """Compare what dlt copies in binary, and what it copies as CSV."""
    binary = request.param == "binary"
    make = restarrow.dlt.postgres if binary else dlt.destinations.postgres
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        for name in ("arrow", "dlt"):
            cursor.execute(f"DROP SCHEMA IF EXISTS data_{name} CASCADE")
            cursor.execute(f"DROP SCHEMA IF EXISTS data_{name}_staging CASCADE")
    return Comparison(tmp_path, kind=side_of(postgres, make))


def is_binary(compared: Comparison) -> bool:
    formats = compared.arrow.pipeline().destination.capabilities().supported_loader_file_formats
    return list(formats).index("parquet") < list(formats).index("csv")


@pytest.fixture
def api() -> Generator[Lists]:
    with lists() as served:
        yield served


def test_shapes(compared: Comparison, api: Lists) -> None:
    load_all(compared, api, LOADABLE, {})
    load_all(compared, api, {name: [*reversed(each)] for name, each in LOADABLE.items()}, {})
    compared.check()


def test_dispositions(compared: Comparison, api: Lists) -> None:
    for rows in (RICH, CHANGED, RICH[3:]):
        load_all(compared, api, {name: [rows[:5], rows[5:]] for name in DISPOSITIONS}, DISPOSITIONS)
    compared.check()
    assert not any(compared.reasons(name) for name in DISPOSITIONS)


def test_texts_numbers_and_times(compared: Comparison, api: Lists) -> None:
    pages: dict[str, Pages] = {
        "texts": [TEXT_ROWS],
        "numbers": [NUMBER_ROWS],
        "times": [TIME_ROWS],
    }
    load_all(compared, api, pages, {"texts": {"columns": {"json": {"data_type": "json"}}}})
    compared.check()
    # dlt's CSV files have one form for an empty text and for NULL
    assert compared.lanes("texts") == ({"columns"} if is_binary(compared) else {"dlt"})
    assert "dlt" not in compared.lanes("numbers") | compared.lanes("times")


def test_null_characters_are_lost_as_dlt_loses_them(compared: Comparison, api: Lists) -> None:
    load_all(compared, api, {"things": [[{"id": 1, "a": "x\x00y", "b": ["\x00"]}]]}, {})
    compared.check()
    assert compared.lanes("things") == {"dlt"}


def test_long_names(compared: Comparison, api: Lists) -> None:
    row: Row = {"id": 1, "b" * 80: {"c" * 80: [{"d" * 70: 1}]}, "ü" * 40: 1}
    load_all(compared, api, {"a" * 70: [[row]]}, {})
    compared.check()


def test_files_that_the_user_asks_for_are_left_to_dlt(compared: Comparison, api: Lists) -> None:
    api.pages["things"] = [RICH]
    resource = {"name": "things", "endpoint": "things", "file_format": "insert_values"}
    compared.load(lambda rest: rest.rest_api_source(config(api, copy.deepcopy(resource))))
    compared.check()
    assert compared.lanes("things") == {"dlt"}
