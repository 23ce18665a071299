"""The second and the third gate: what DuckDB itself reads in a query, and what it cannot do."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from packages.opsnest.tests.attack_queries import ANYWHERE, DUCKDB

from opsnest.mcp import worker

TOKEN = "the-token-in-another-schema"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("worker") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE SCHEMA data; CREATE SCHEMA secret;"
            "CREATE TABLE data.events AS SELECT range AS id, 'title' AS title FROM range(500);"
            f"CREATE TABLE secret.tokens AS SELECT 1 AS id, '{TOKEN}' AS token;"
            "CREATE TABLE main.tokens AS FROM secret.tokens;"
            "CREATE MACRO data.stolen() AS TABLE SELECT * FROM secret.tokens;"
        )
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before


def ask(file: Path, sql: str, **limits: Any) -> dict[str, Any]:
    request = {
        "engine": "duckdb",
        "path": str(file),
        "dataset": "data",
        "tables": ["events"],
        "sql": sql,
        "rows": 100,
        "bytes": 100_000,
        "cell": 1000,
        "seconds": 5.0,
        "memory": 1 << 30,
        **limits,
    }
    return worker.duckdb_answer(request)


def kind(answer: dict[str, Any]) -> str:
    return str(answer.get("error", {}).get("kind", ""))


#: What takes much memory is stopped by the limit of the process, which there is none here.
SMALL = [sql for sql in (*ANYWHERE, *DUCKDB) if "1000000000" not in sql and len(sql) < 1000]


@pytest.mark.parametrize("sql", SMALL, ids=lambda sql: sql[:60])
def test_without_the_first_gate_nothing_is_written_or_read_from_elsewhere(
    sql: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first gate refuses for its functions alone may be answered; no more than that."""
    monkeypatch.setenv("HOME", "the-home-of-the-user")

    answer = ask(file, sql, seconds=1.0)

    said = json.dumps(answer)
    assert TOKEN not in said
    assert "the-home-of-the-user" not in said
    assert "root:" not in said
    assert not Path("/tmp/opsnest_stolen.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM secret.tokens",
        "SELECT * FROM tokens",
        "SELECT * FROM data.events, secret.tokens",
        "SELECT * FROM data.stolen()",
        "SELECT * FROM warehouse.data.events",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM (SHOW ALL TABLES)",
        "SELECT (SELECT max(token) FROM secret.tokens)",
        "SELECT 1; SELECT 2",
        "CREATE TEMP TABLE x AS SELECT 1",
        "COPY data.events TO '/tmp/opsnest_stolen.csv'",
        "ATTACH ':memory:' AS x",
        "PRAGMA version",
        "SET memory_limit = '10GB'",
    ],
)
def test_duckdb_reads_for_itself_what_is_asked(sql: str, file: Path) -> None:
    assert kind(ask(file, sql)) in {"refused", "query"}


def test_tables_of_the_dataset_and_of_a_with_are_read(file: Path) -> None:
    answer = ask(
        file,
        'WITH a AS (SELECT * FROM "data"."events") '
        "SELECT count(*), max(range) FROM a, range(3) UNION ALL SELECT 1, 2 FROM A LIMIT 1",
    )
    assert answer["rows"] == [[1500, 2]]


def test_rows_are_cut_and_it_is_said(file: Path) -> None:
    assert ask(file, 'SELECT * FROM "data"."events"', rows=3)["cut"] == "rows"
    assert len(ask(file, 'SELECT * FROM "data"."events"', rows=3)["rows"]) == 3
    assert ask(file, 'SELECT * FROM "data"."events"', rows=500)["cut"] == ""


def test_bytes_are_cut_and_one_row_comes_at_least(file: Path) -> None:
    answer = ask(file, 'SELECT * FROM "data"."events"', bytes=100)
    assert answer["cut"] == "bytes"
    assert 1 < len(answer["rows"]) < 10
    assert len(ask(file, 'SELECT * FROM "data"."events"', bytes=1)["rows"]) == 1


def test_a_query_is_stopped_in_time(file: Path) -> None:
    sql = "SELECT sum(a.range * b.range) FROM range(9999999) a, range(9999999) b"
    assert kind(ask(file, sql, seconds=0.3)) == "time"


def test_aggregates_have_little_memory(file: Path) -> None:
    sql = "SELECT count(*) FROM (SELECT DISTINCT range, range::VARCHAR FROM range(20000000))"
    assert kind(ask(file, sql, memory=90 << 20, seconds=60)) == "memory"


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.duckdb"
    file.write_text("no database, but long enough to be looked at" * 200)
    assert kind(ask(file, "SELECT 1")) == "connection"


def test_a_wrong_column_is_told_by_its_name(file: Path) -> None:
    answer = ask(file, 'SELECT nope FROM "data"."events"')
    assert kind(answer) == "query"
    assert "nope" in answer["error"]["text"]


def test_values_are_as_json_has_them(file: Path) -> None:
    answer = ask(
        file,
        "SELECT 1, 1.5::DOUBLE, 0.1::DECIMAL(9,2), 'é', NULL, true, DATE '2024-01-02', "
        "TIMESTAMPTZ '2024-01-02 03:04:05+01', TIME '01:02:03', '\\x00a'::BLOB, [1, 2], {'a': 1}, "
        "'nan'::DOUBLE, INTERVAL 1 DAY, MAP {1: 'x'}, '9e8d7c6b-0000-4000-8000-000000000000'::UUID",
    )
    assert answer["rows"] == [
        [
            *(1, 1.5, "0.10", "é", None, True, "2024-01-02", "2024-01-02T02:04:05+00:00"),
            *("01:02:03", "[2 bytes]", [1, 2], {"a": 1}, "nan", "1 day, 0:00:00", {"1": "x"}),
            "9e8d7c6b-0000-4000-8000-000000000000",
        ]
    ]


def test_texts_are_cut_wherever_they_are() -> None:
    plain = worker._plain({"x" * 20: ["y" * 20, ("z" * 20,)]}, 5)  # pyright: ignore[reportPrivateUsage]
    assert plain == {"xxxxx": ["yyyyy", "('zzz"]}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("1E+2"), "1E+2"),
        (float("inf"), "inf"),
        (b"abc", "[3 bytes]"),
        (memoryview(b"abcd"), "[4 bytes]"),
        (dt.timedelta(seconds=1), "0:00:01"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (2**70, 2**70),
    ],
)
def test_other_values_are_texts(value: object, plain: object) -> None:
    assert worker._plain(value, 100) == plain  # pyright: ignore[reportPrivateUsage]
