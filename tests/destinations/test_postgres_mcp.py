"""The same tools over a real PostgreSQL: what is answered, refused, and cannot be done anyway."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import dlt
import pytest
from packages.opsnest.tests.attack_queries import ANYWHERE, HARMLESS, POSTGRES
from tests.destinations.conftest import PASSWORD

from opsnest.errors import DestinationError, OpsnestError
from opsnest.mcp import worker
from opsnest.mcp.freshness import freshness_of
from opsnest.mcp.pipelines import Pipelines, Record
from opsnest.mcp.queries import QueryRefusedError
from opsnest.mcp.reading import Bounds, Database

#: psycopg2 is published without types.
psycopg2: Any = import_module("psycopg2")

pytestmark = pytest.mark.destinations

VARIABLE = "DESTINATION__POSTGRES__CREDENTIALS"


@pytest.fixture(scope="module")
def record(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("mcp-postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder))
        patch.setenv(VARIABLE, postgres)
        pipeline = dlt.pipeline("events_pipeline", destination="postgres", dataset_name="data")
        rows = [
            {"id": number, "title": f"event {number}", "at": "now", "tags": [{"name": "a"}]}
            for number in range(300)
        ]
        pipeline.run(rows, table_name="events")
        pipeline.deactivate()
    connection = psycopg2.connect(postgres)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA secret; CREATE TABLE secret.tokens AS SELECT 'x'::text AS token"
        )
        cursor.execute("ALTER TABLE data.events ALTER COLUMN at TYPE timestamptz USING now()")
    connection.close()
    return Pipelines(folder / "pipelines").record("events_pipeline")


@pytest.fixture
def database(record: Record, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv(VARIABLE, postgres)
    return Database(record)


def test_a_query_is_answered_and_cut(database: Database) -> None:
    answer = database.query("SELECT id, title FROM events ORDER BY id", rows=2)

    assert answer.columns == ["id", "title"]
    assert answer.rows == [[0, "event 0"], [1, "event 1"]]
    assert "There are more rows" in answer.cut
    assert database.query("SELECT count(*) FROM events").rows == [[300]]


def test_freshness_is_told(record: Record, database: Database) -> None:
    fresh = freshness_of(record, database)

    assert fresh["loads"] == 1
    assert [(each["table"], each["rows"]) for each in fresh["tables"]] == [
        ("events", 300),
        ("events__tags", 300),
    ]


def test_what_people_ask_is_answered(database: Database) -> None:
    for sql in HARMLESS[1::3]:
        database.query(sql, rows=5)


def test_every_attack_is_refused(database: Database) -> None:
    for sql in (*ANYWHERE, *POSTGRES):
        with pytest.raises(QueryRefusedError):
            database.query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO data.events (id) VALUES (1)",
        "DELETE FROM data.events",
        "SELECT 1; DELETE FROM data.events",
        "WITH x AS (DELETE FROM data.events RETURNING *) SELECT * FROM x",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT nextval('data.s')",
        "CREATE TEMP TABLE x (a int)",
    ],
)
def test_without_the_first_gate_nothing_is_written_either(
    sql: str, database: Database, postgres: str
) -> None:
    request: dict[str, Any] = {
        **database._request,  # pyright: ignore[reportPrivateUsage]
        "sql": sql,
        "rows": 10,
        "bytes": 1000,
        "cell": 100,
        "seconds": 5.0,
    }
    answer = worker.postgres_answer(request)

    assert answer["error"]["kind"] == "query"
    connection = psycopg2.connect(postgres)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM data.events")
        assert cursor.fetchone() == (300,)
    connection.close()


def test_a_query_is_stopped_in_time(
    record: Record, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, postgres)
    database = Database(record, bounds=Bounds(seconds=0.5))
    with pytest.raises(DestinationError, match=r"took longer than 0\.5 seconds"):
        database.query("SELECT count(*) FROM events a, events b, events c, events d")


def test_a_refused_password_is_told_without_it(
    record: Record, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, postgres.replace(PASSWORD, "wrong-password"))
    with pytest.raises(DestinationError, match="cannot be opened") as refused:
        Database(record).query("SELECT 1")
    assert "wrong-password" not in str(refused.value)


def test_missing_credentials_are_told(record: Record) -> None:
    with pytest.raises(OpsnestError, match=r"a setting is missing[\s\S]*destination\.postgres"):
        Database(record)
