"""`restarrow.read` and `restarrow.stream`: lists as Arrow tables, over real HTTP, without dlt."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.sources.rest_api import rest_api_source
from packages.restarrow.tests.scripted_server import Asked, Server, reply, scripted

import restarrow
from restarrow.errors import (
    BodyError,
    ConfigurationError,
    ForeignOriginError,
    PagingError,
    StatusError,
    UnsupportedError,
)
from restarrow.paging import WindowPolicy

ONE = WindowPolicy(most=1, speculate=False)
THINGS: list[Any] = [
    [{"id": 1, "name": "a", "tags": [{"tag": "x"}, {"tag": "y"}], "at": "2026-01-01T10:00:00Z"}],
    [{"id": 2, "name": None, "tags": [], "size": {"w": 1.5, "parts": [[1], [2, 3]]}}],
    [{"id": 3, "late": True, "tags": [{"tag": "z", "odd": 7}]}],
]
OTHERS: list[Any] = [[{"key": "a", "n": 1}], [{"key": "b", "n": 1.5}], [{"key": "c", "n": "x"}]]


def answer(asked: Asked) -> bytes:
    """Answer with pages that are counted (things), or that name the next one (others)."""
    number = int(asked.target.rpartition("=")[2]) if "=" in asked.target else 0
    if asked.path == "/things":
        return reply({"data": THINGS[number], "pages": len(THINGS)})
    if asked.path == "/others":
        more = {"next": str(number + 1)} if number + 1 < len(OTHERS) else {}
        return reply({"items": OTHERS[number], "cursors": more})
    return reply({"data": []})


def config(server: Server, *resources: Any, **client: Any) -> dict[str, Any]:
    return {"client": {"base_url": server.url, **client}, "resources": list(resources)}


THINGS_LIST = {
    "name": "things",
    "endpoint": {
        "path": "things",
        "data_selector": "data",
        "paginator": {"type": "page_number", "base_page": 0, "total_path": "pages"},
    },
}
OTHERS_LIST = {"name": "others", "endpoint": {"path": "others", "paginator": "cursor"}}


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what is drawn by chance, or is null."""
    return {k: v for k, v in row.items() if v is not None and not k.startswith("_dlt_")}


def test_parents_and_children() -> None:
    with scripted(answer) as server:
        tables = restarrow.read(config(server, THINGS_LIST))
    assert list(tables) == [
        "things",
        "things__tags",
        "things__size__parts",
        "things__size__parts__list",
    ]
    things = tables["things"]
    assert things.schema.names == [
        "id",
        "name",
        "at",
        "_dlt_load_id",
        "_dlt_id",
        "size__w",
        "late",
    ]
    assert things.column("late").to_pylist() == [None, None, True]
    parents = dict(
        zip(things.column("_dlt_id").to_pylist(), things.column("id").to_pylist(), strict=True)
    )
    tags = [
        (parents[row["_dlt_parent_id"]], row["_dlt_list_idx"], row["tag"], row["odd"])
        for row in tables["things__tags"].to_pylist()
    ]
    assert tags == [(1, 0, "x", None), (1, 1, "y", None), (3, 0, "z", 7)]


def test_the_same_tables_as_those_of_dlt(tmp_path: Path) -> None:
    with scripted(answer) as server:
        ours = restarrow.read(config(server, THINGS_LIST, OTHERS_LIST))
        theirs: Any = config(server, THINGS_LIST, OTHERS_LIST)
        pipeline = dlt.pipeline(
            "compared",
            destination=dlt.destinations.duckdb(str(tmp_path / "x.duckdb")),
            dataset_name="data",
            pipelines_dir=str(tmp_path),
        )
        pipeline.run(rest_api_source(theirs))
    wanted = {name for name in pipeline.default_schema.tables if not name.startswith("_dlt")}
    assert set(ours) == wanted
    for name, table in ours.items():
        columns = list(pipeline.default_schema.get_table_columns(name))
        assert table.schema.names == columns
        with pipeline.sql_client() as client:
            rows = client.execute_sql(f"SELECT * FROM {name} ORDER BY rowid") or ()
        found = [plain(dict(zip(columns, row, strict=True))) for row in rows]
        assert [plain(row) for row in table.to_pylist()] == found


def test_tables_can_be_asked_by_duckdb() -> None:
    with scripted(answer) as server:
        things = restarrow.read(config(server, THINGS_LIST))["things"]
    assert duckdb.sql("SELECT sum(id) FROM things").fetchall() == [(6,)]
    assert things.num_rows == 3


def test_tables_come_while_the_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restarrow.rows.BATCH_BYTES", 1)
    monkeypatch.setattr("restarrow.rows.batches.__kwdefaults__", {"most_bytes": 1, "most_rows": 1})
    last = threading.Event()

    def slow(asked: Asked) -> bytes:
        if asked.target.endswith("=2"):
            assert last.wait(30)
        return answer(asked)

    with scripted(slow) as server:
        names: list[str] = []
        for name, table in restarrow.stream(config(server, THINGS_LIST), window=ONE):
            names.append(name)
            assert table.num_rows
            last.set()
    assert names[:2] == ["things", "things__tags"]
    assert names.count("things") == 3


def test_lists_without_rows_have_no_table() -> None:
    with scripted(answer) as server:
        assert restarrow.read(config(server, "nothing")) == {}
        assert list(restarrow.stream(config(server, "nothing"))) == []


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "t"}, "authorization", "Bearer t"),
        ({"token": "t"}, "authorization", "Bearer t"),
        ({"type": "api_key", "api_key": "k", "name": "X-Key"}, "x-key", "k"),
        ({"type": "http_basic", "username": "u", "password": "p"}, "authorization", "Basic dTpw"),
    ],
)
def test_credentials(auth: Any, header: str, value: str) -> None:
    with scripted(answer) as server:
        restarrow.read(config(server, "nothing", auth=auth, headers={"X-One": "1"}))
        assert [each.headers[header] for each in server.asked] == [value]
        assert server.asked[0].headers["x-one"] == "1"


def test_a_login() -> None:
    def login(asked: Asked) -> bytes:
        if asked.path == "/token":
            return reply({"access_token": "fresh"})
        return answer(asked)

    with scripted(login) as server:
        auth = {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{server.url}/token",
            "client_id": "id",
            "client_secret": "s",
        }
        restarrow.read(config(server, "nothing", THINGS_LIST, auth=auth))
        assert [each.path for each in server.asked].count("/token") == 1
        assert server.asked[-1].headers["authorization"] == "Bearer fresh"


def test_links_to_other_hosts() -> None:
    with scripted(lambda _: reply({"data": [{"id": 2}]})) as other:
        page = reply({"data": [{"id": 1}], "next": f"{other.url}/things"})
        with scripted(lambda _: page) as server:
            wanted = config(
                server,
                {"name": "things", "endpoint": {"paginator": "json_link"}},
                auth={"token": "s3cret"},
            )
            with pytest.raises(ForeignOriginError) as refused:
                restarrow.read(wanted)
            assert "s3cret" not in str(refused.value)
            assert other.asked == []
            tables = restarrow.read(wanted, allowed_origins=[other.url])
        assert other.asked[0].headers["authorization"] == "Bearer s3cret"
    assert tables["things"].column("id").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("page", "kind", "said"),
    [
        (reply({"error": "gone"}, 404), StatusError, "GET /things, page 1"),
        (reply(b'{"data": [{"id":'), BodyError, "GET /things, page 1"),
        (reply({"data": [{"id": 2**64}], "pages": 3}), UnsupportedError, "64 bits"),
    ],
)
def test_what_goes_wrong(page: bytes, kind: type[Exception], said: str) -> None:
    def broken(asked: Asked) -> bytes:
        return page if asked.target.endswith("=1") else answer(asked)

    with scripted(broken) as server, pytest.raises(kind, match=said):
        restarrow.read(config(server, THINGS_LIST))
    assert not [each for each in threading.enumerate() if each.name.startswith("restarrow")]


def test_a_list_that_never_ends() -> None:
    page = reply({"data": [{"id": 1}], "cursors": {"next": "same"}})
    with scripted(lambda _: page) as server, pytest.raises(PagingError, match="read before"):
        restarrow.read(config(server, {"name": "others", "endpoint": {"paginator": "cursor"}}))


def test_leaving_early_ends_all_threads() -> None:
    with scripted(answer) as server:
        parts = restarrow.stream(config(server, THINGS_LIST, OTHERS_LIST))
        next(parts)
        parts.close()
        assert not [each for each in threading.enumerate() if each.name.startswith("restarrow")]
        assert "/others" not in server.paths()


# ---- configurations


WRONG: list[tuple[Any, str]] = [
    ({"resources": ["a"]}, "client must be a dictionary"),
    ({"client": {}, "resources": ["a"]}, "client needs a base_url"),
    ({"client": {"base_url": "http://x"}}, "no resources"),
    ({"client": {"base_url": "http://x"}, "resources": []}, "no resources"),
    ({"client": {"base_url": "http://x", "session": 1}, "resources": ["a"]}, "'session'"),
    ({"client": {"base_url": "http://x"}, "resources": ["a"], "b": 1}, "restarrow.dlt"),
    ({"client": {"base_url": "http://x"}, "resources": ["a", "a"]}, "two resources"),
    ({"client": {"base_url": "http://x"}, "resources": ["a b", "a_b"]}, "one table"),
    ({"client": {"base_url": "http://x"}, "resources": [{"endpoint": "a"}]}, "no name"),
    ({"client": {"base_url": "http://x"}, "resources": [1]}, "resource must be a dictionary"),
    (
        {"client": {"base_url": "http://x"}, "resources": [{"name": "a", "incremental": {}}]},
        "resource 'a' has 'incremental'.*restarrow.dlt",
    ),
    (
        {
            "client": {"base_url": "http://x"},
            "resources": [{"name": "a", "endpoint": {"path": "a/{resources.b.id}"}}],
        },
        "placeholders",
    ),
    (
        {"client": {"base_url": "http://x", "paginator": "none such"}, "resources": ["a"]},
        "there is no paginator",
    ),
    (
        {"client": {"base_url": "http://x", "auth": {"type": "magic"}}, "resources": ["a"]},
        "no auth of the type 'magic'",
    ),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_configurations_that_make_no_sense(wrong: Any, said: str) -> None:
    for ask in (restarrow.read, lambda given: list(restarrow.stream(given))):  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType, reportUnknownVariableType]
        with pytest.raises(ConfigurationError, match=said):
            ask(wrong)


WRONG_ENDPOINTS: list[tuple[Any, str]] = [
    ({"path": None}, "resource 'a': path must be a text, not NoneType"),
    ({"path": 5}, "path must be a text"),
    ({"method": 5}, "method must be a text"),
    ({"data_selector": ["a"]}, "data_selector must be a text"),
    ({"params": ["a"]}, "params must be a dictionary"),
    ({"params": "a=1"}, "params must be a dictionary"),
    ({"headers": ["a"]}, "headers must be a dictionary"),
    ({"headers": {"X-One": 1}}, "the header X-One must be a text, not int"),
    ({"headers": {"X-One": None}}, "the header X-One must be a text, not NoneType"),
    ({"paginator": {"type": "page_number", "no_such": 1}}, "page_number"),
    ({"paginator": {"type": "offset"}}, "limit"),
    ({"paginator": 5}, "paginator"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG_ENDPOINTS)
def test_endpoints_that_make_no_sense(wrong: Any, said: str) -> None:
    resource = {"name": "a", "endpoint": {"path": "a", **wrong}}
    with pytest.raises(ConfigurationError, match=said):
        restarrow.read({"client": {"base_url": "http://127.0.0.1:1"}, "resources": [resource]})


@pytest.mark.parametrize("level", [-1, 1.5, "2", True])
def test_nesting_that_makes_no_sense(level: Any) -> None:
    resource = {"name": "a", "max_table_nesting": level}
    with pytest.raises(ConfigurationError, match="max_table_nesting must be a number from 0 on"):
        restarrow.read({"client": {"base_url": "http://127.0.0.1:1"}, "resources": [resource]})


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ({"base_url": "no url"}, "base_url|URL|url"),
        ({"base_url": "ftp://x"}, "http"),
        ({"base_url": "http://127.0.0.1:1", "headers": {"X-One": 1}}, "client: the header X-One"),
        ({"base_url": "http://127.0.0.1:1", "headers": 5}, "headers must be a dictionary"),
        ({"base_url": "http://127.0.0.1:1", "auth": "a token"}, "auth must be a dictionary"),
        (
            {"base_url": "http://127.0.0.1:1", "auth": {"type": "bearer"}},
            "other settings than none",
        ),
    ],
)
def test_clients_that_make_no_sense(client: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        restarrow.read({"client": client, "resources": ["a"]})


def test_wrong_credentials_are_not_quoted() -> None:
    client = {"base_url": "http://x", "auth": {"type": "bearer", "secret": "hush-hush"}}
    with pytest.raises(ConfigurationError, match="other settings than secret") as refused:
        restarrow.read({"client": client, "resources": ["a"]})
    assert "hush-hush" not in str(refused.value)


def test_nesting_can_be_bounded() -> None:
    with scripted(answer) as server:
        tables = restarrow.read(config(server, {**THINGS_LIST, "max_table_nesting": 0}))
    assert list(tables) == ["things"]
    assert tables["things"].column("tags").to_pylist()[2] == '[{"tag":"z","odd":7}]'
