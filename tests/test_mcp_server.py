"""What a code assistant gets over MCP, and what it is refused, asked by a client."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from packages.opsnest.tests.attack_queries import ANYWHERE, DUCKDB, HARMLESS

from opsnest.mcp.reading import Bounds
from opsnest.mcp.server import make_server
from opssim import RootlySimulator
from opssim.pytest_plugin import Simulate

PIPELINE = "events_pipeline"
#: What somebody pasted into a title, and what is in a column that says so by its name.
TOKEN = "ghp_" + "a1B2" * 9
PASSWORD = "correct-horse-battery"


class Place:
    """Pipelines in a folder, and the DuckDB file of one."""

    def __init__(self, folder: Path) -> None:
        self.pipelines = folder / "pipelines"
        self.file = folder / f"{PIPELINE}.duckdb"

    def server(self, *allowed: str, **bounds: Any) -> FastMCP[Any]:
        return make_server(self.pipelines, allowed, bounds=Bounds(**bounds))

    def ask(self, tool: str, *allowed: str, **arguments: Any) -> Any:
        return run(self.server(*allowed), lambda client: call(client, tool, **arguments))

    def query(self, sql: str, **arguments: Any) -> Any:
        return self.ask("query", pipeline=PIPELINE, sql=sql, **arguments)

    def digest(self) -> str:
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def run(server: Any, what: Callable[[Client[Any]], Awaitable[Any]]) -> Any:
    async def talk() -> Any:
        async with Client(server) as client:
            return await what(client)

    return asyncio.run(talk())


async def call(client: Client[Any], tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    structured = answer.structured_content
    assert structured is not None
    return structured["result"] if set(structured) == {"result"} else structured


async def refusal(client: Client[Any], tool: str, **arguments: Any) -> str:
    with pytest.raises(ToolError) as refused:
        await client.call_tool(tool, arguments)
    return str(refused.value)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("mcp")
    place = Place(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        pipeline = dlt.pipeline(
            PIPELINE, destination="duckdb", dataset_name="data", pipelines_dir=str(place.pipelines)
        )
        rows = [
            {
                "id": number,
                "title": f"event {number}",
                "at": f"2026-01-0{number}T00:00:00Z",
                "tags": [{"name": "a"}, {"name": "b"}],
            }
            for number in range(1, 10)
        ]
        rows[2] |= {"title": f"the token is {TOKEN}, keep it", "password": PASSWORD}
        pipeline.run(rows, table_name="events", primary_key="id", write_disposition="merge")
        pipeline.deactivate()
    with duckdb.connect(str(place.file)) as connection:
        connection.execute(
            "CREATE SCHEMA secret; CREATE TABLE secret.tokens AS SELECT 'x' AS token"
        )
    other = place.pipelines / "files_pipeline"
    other.mkdir()
    state = {"destination_type": "dlt.destinations.filesystem", "dataset_name": "files"}
    (other / "state.json").write_text(json.dumps(state))
    return place


# what there is


def test_the_tools_only_read_and_say_what_they_do(place: Place) -> None:
    tools = run(place.server(), lambda client: client.list_tools())

    names = {tool.name for tool in tools}
    assert names == {"pipelines", "tables", "schema", "freshness", "query", "plan", "context"}
    for tool in tools:
        assert tool.annotations.model_dump()["read_only_hint"] is True
        assert tool.description


def test_pipelines_tables_and_columns_are_listed(place: Place) -> None:
    async def look(client: Client[Any]) -> tuple[Any, Any, Any]:
        return (
            await call(client, "pipelines"),
            await call(client, "tables", pipeline=PIPELINE),
            await call(client, "schema", pipeline=PIPELINE, table="events"),
        )

    pipelines, tables, schema = run(place.server(), look)

    assert pipelines == [
        {"pipeline": PIPELINE, "destination": "duckdb", "dataset": "data", "tables": 2},
        {
            "pipeline": "files_pipeline",
            "destination": "filesystem",
            "dataset": "files",
            "tables": 0,
        },
    ]
    assert [(each["table"], each["parent"], each["key"]) for each in tables] == [
        ("events", None, ["id"]),
        ("events__tags", "events", []),
    ]
    columns = {each["name"]: each for each in schema["columns"]}
    assert columns["id"] == {"name": "id", "type": "bigint", "nullable": False, "key": True}
    assert columns["at"]["type"] in {"text", "timestamp"}


def test_freshness_tells_the_last_load_of_each_table(place: Place) -> None:
    fresh = place.ask("freshness", pipeline=PIPELINE)

    assert fresh["loads"] == 1
    assert fresh["last_load"].endswith("+00:00")
    assert fresh["tables"] == [
        {"table": "events", "last_load": fresh["last_load"], "rows": 9},
        {"table": "events__tags", "last_load": None, "rows": 18},
    ]


def test_a_query_is_answered_and_told_where_it_is_cut(place: Place) -> None:
    all_of_them = place.query("SELECT id FROM events ORDER BY id")
    some = place.query("SELECT id FROM events ORDER BY id", rows=2)

    assert all_of_them == {"columns": ["id"], "rows": [[n] for n in range(1, 10)], "cut": ""}
    assert some["rows"] == [[1], [2]]
    assert "the first 2" in some["cut"]


def test_what_people_ask_is_answered(place: Place) -> None:
    async def ask(client: Client[Any]) -> None:
        for sql in HARMLESS[2::4]:
            # dlt leaves times that come as text as they are
            timed = re.sub(r"\bat (?=>)", "CAST(at AS TIMESTAMP) ", sql)
            timed = timed.replace("year FROM at", "year FROM now()")
            await call(client, "query", pipeline=PIPELINE, sql=timed)

    run(place.server(), ask)


# what is refused


def test_every_attack_is_refused_and_the_file_stays_as_it_is(place: Place) -> None:
    before = place.digest()

    async def attack(client: Client[Any]) -> list[str]:
        return [
            await refusal(client, "query", pipeline=PIPELINE, sql=sql)
            for sql in (*ANYWHERE, *DUCKDB)
        ]

    said = run(place.server(), attack)

    assert len(said) > 150
    assert all(len(each) > 20 for each in said)
    assert place.digest() == before


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM events", "only one SELECT"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT * FROM '/etc/passwd'", "none of those that may be read"),
        ("SELECT * FROM secret.tokens", "none of those that may be read"),
        ("SELECT nope FROM events", "`schema` has the columns"),
    ],
)
def test_a_refusal_says_why(sql: str, words: str, place: Place) -> None:
    with pytest.raises(ToolError, match=words):
        place.query(sql)


@pytest.mark.parametrize("name", ["nope", "../pipelines", f"{PIPELINE}/../{PIPELINE}", "", "/"])
def test_a_pipeline_is_named_as_it_is_listed(name: str, place: Place) -> None:
    for tool in ("tables", "freshness"):
        with pytest.raises(ToolError, match="there is no pipeline"):
            place.ask(tool, pipeline=name)


def test_other_pipelines_than_those_allowed_are_not_there(place: Place) -> None:
    assert [each["pipeline"] for each in place.ask("pipelines", PIPELINE)] == [PIPELINE]
    assert place.ask("pipelines", "another") == []
    with pytest.raises(ToolError, match="there is no pipeline"):
        place.ask("query", "another", pipeline=PIPELINE, sql="SELECT 1")
    with pytest.raises(ToolError, match="may not be seen"):
        place.ask("plan", "another", platform="rootly")


def test_tables_are_named_as_they_are_listed(place: Place) -> None:
    with pytest.raises(ToolError, match=r"has no table 'nope'[\s\S]*events, events__tags"):
        place.ask("schema", pipeline=PIPELINE, table="nope")


def test_another_destination_is_told_to_be_none_that_can_be_asked(place: Place) -> None:
    with pytest.raises(ToolError, match="loads into filesystem: rows can be read from DuckDB"):
        place.ask("query", pipeline="files_pipeline", sql="SELECT 1")
    assert place.ask("tables", pipeline="files_pipeline") == []


# secrets


def test_secrets_in_rows_are_masked(place: Place) -> None:
    answer = place.query(
        f"SELECT title, password, [title] AS l, {{'a': title}} AS s, upper('x') AS \"{TOKEN}\" "
        "FROM events WHERE id = 3"
    )

    said = json.dumps(answer)
    assert TOKEN not in said
    assert PASSWORD not in said
    assert answer["rows"][0][0] == "the token is [removed: GitHub token], keep it"
    assert answer["rows"][0][1] == "[removed: password]"


def test_a_secret_that_a_text_ends_in_is_masked_as_well(place: Place) -> None:
    half = place.query(
        "SELECT concat(" + ", ".join(f"'{'x' * 990} '" for _ in range(4)) + ", '    ', title) "
        "FROM events WHERE id = 3"
    )
    assert "ghp_" not in json.dumps(half)
    assert "Texts end after 4,000 characters." in half["cut"]


def test_errors_have_no_secrets(place: Place) -> None:
    with pytest.raises(ToolError) as refused:
        place.query(f'SELECT "{TOKEN}" FROM events')
    assert TOKEN not in str(refused.value)
    with pytest.raises(ToolError) as refused:
        place.ask("schema", pipeline=PIPELINE, table=TOKEN)
    assert TOKEN not in str(refused.value)


def test_what_nobody_foresaw_is_told_without_its_words(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr("opsnest.mcp.server.freshness_of", fail)
    with pytest.raises(ToolError, match=r"^freshness failed unexpectedly \(RuntimeError\)\.$"):
        place.ask("freshness", pipeline=PIPELINE)


# bounds


def test_time_and_memory_are_bounded(place: Place) -> None:
    async def ask(client: Client[Any]) -> tuple[str, str]:
        endless = (
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT 1 FROM n) SELECT sum(i) FROM n"
        )
        double = ", ".join(
            f"a{n} AS (SELECT concat({', '.join(['x'] * 10)}) AS x FROM a{n - 1})"
            for n in range(1, 9)
        )
        large = f"WITH a0 AS (SELECT '0123456789' AS x), {double} SELECT length(x) FROM a8"
        return (
            await refusal(client, "query", pipeline=PIPELINE, sql=endless),
            await refusal(client, "query", pipeline=PIPELINE, sql=large),
        )

    slow, large = run(place.server(seconds=0.5), ask)

    assert "took longer than 0.5 seconds" in slow
    assert "more memory than it may have" in large or "took longer" in large


def test_an_answer_has_so_many_bytes(place: Place) -> None:
    answer = run(
        place.server(bytes=300),
        lambda client: call(client, "query", pipeline=PIPELINE, sql="SELECT * FROM events"),
    )
    assert 1 <= len(answer["rows"]) < 5
    assert "fill an answer" in answer["cut"]


def test_a_file_that_is_being_loaded_into_is_told_to_be_in_use(place: Place) -> None:
    with (
        duckdb.connect(str(place.file)),
        pytest.raises(ToolError, match="a load is running, or another program"),
    ):
        place.query("SELECT 1")


def test_a_file_that_is_not_there_is_told_with_what_to_do(place: Place, tmp_path: Path) -> None:
    server = make_server(place.pipelines, database=tmp_path / "nope.duckdb")
    said = run(server, lambda client: refusal(client, "freshness", pipeline=PIPELINE))
    assert "is not at" in said
    assert "--database" in said


def test_nothing_is_written_beside_the_pipelines(place: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.pipelines.rglob("*")}
    for tool in ("tables", "freshness"):
        place.ask(tool, pipeline=PIPELINE)
    assert {path: path.stat().st_mtime_ns for path in place.pipelines.rglob("*")} == before


# plan and context


def test_a_plan_is_made_with_credentials_that_stay_here(
    place: Place, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rootly = simulate(RootlySimulator(incidents=250, alerts=20))
    for name, value in rootly.configuration.items():
        monkeypatch.setenv(name, value)

    plan = place.ask("plan", platform="rootly", resources=["incidents", "teams"])

    lists = {each["list"]: each for each in plan["lists"]}
    assert set(lists) == {"incidents", "teams"}
    assert lists["incidents"]["rows"] == 250
    assert lists["incidents"]["first_time"] is True
    assert plan["calls"] >= 3
    token = next(value for name, value in rootly.configuration.items() if name.endswith("TOKEN"))
    assert token not in json.dumps(plan)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"platform": "rootly"}, r"a setting is missing[\s\S]*\.dlt/secrets\.toml"),
        ({"platform": "nope"}, "there is no platform 'nope'"),
    ],
)
def test_a_plan_says_what_is_missing(arguments: dict[str, Any], words: str, place: Place) -> None:
    with pytest.raises(ToolError, match=words):
        place.ask("plan", **arguments)


def test_the_context_of_a_platform_comes_over_mcp(place: Place) -> None:
    assert place.ask("context", platform="rootly").startswith("# Rootly, with Opsnest and dlt")


# as a process


@pytest.mark.slow
def test_a_real_process_answers_and_refuses_over_stdio(place: Place) -> None:
    """Beside answers, nothing comes on its standard output, or the client would fail."""
    transport = StdioTransport(
        str(Path(sys.executable).with_name("opsnest")),
        ["mcp", "--pipelines-dir", str(place.pipelines), "--allow", PIPELINE],
        env={"PATH": os.environ["PATH"], "RUNTIME__DLTHUB_TELEMETRY": "false"},
        keep_alive=False,
    )

    async def talk(client: Client[Any]) -> tuple[Any, ...]:
        refused = [
            await refusal(client, "query", pipeline=PIPELINE, sql=sql)
            for sql in ("DELETE FROM events", "SELECT 1; SELECT 2", "FROM '/etc/passwd'")
        ]
        return (
            {tool.name for tool in await client.list_tools()},
            await call(client, "pipelines"),
            await call(client, "query", pipeline=PIPELINE, sql="SELECT count(*) FROM events"),
            await call(client, "query", pipeline=PIPELINE, sql="SELECT * FROM events WHERE id = 3"),
            refused,
        )

    tools, pipelines, answer, secret, refused = run(transport, talk)

    assert "query" in tools
    assert [each["pipeline"] for each in pipelines] == [PIPELINE]
    assert answer["rows"] == [[9]]
    assert TOKEN not in json.dumps(secret)
    assert "[removed: GitHub token]" in json.dumps(secret)
    assert len(refused) == 3
