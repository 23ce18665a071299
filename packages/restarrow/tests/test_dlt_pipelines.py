"""Answers, credentials, sources and runs of pipelines, with nothing changed but the import."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
import requests
from dlt.sources.helpers.rest_client import auth
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, answer, config, lists
from packages.restarrow.tests.dlt_rows import PAGES, ROWS, Row, things
from starlette.requests import Request
from starlette.responses import Response


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    return Comparison(tmp_path)


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


# ---- answers, headers and credentials


def test_response_actions(compared: Comparison, api: Lists) -> None:
    seen: list[str] = []

    def note(response: Any, *_: Any, **__: Any) -> None:
        seen.append(response.url.partition("?")[2])

    def tag(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        response._content = response.content.replace(b'"id":', b'"key":')
        return response

    def make(rest: Any) -> Any:
        resources: list[Any] = [
            {
                "name": "gone",
                "endpoint": {
                    "path": "gone",
                    "response_actions": [{"status_code": 404, "action": "ignore"}],
                },
            },
            {
                "name": "by_content",
                "endpoint": {
                    "path": "things",
                    "response_actions": [{"content": "2026-01-03", "action": "ignore"}],
                },
            },
            things(response_actions=[note, {"status_code": 200, "action": tag}]),
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    assert seen == ["", "page=1", "page=2"] * 2
    compared.check()


def test_an_answer_that_refuses(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_source(config(api, "things", "gone")))
    compared.check(failed=True)


def _headers(api: Lists, name: str) -> list[list[str | None]]:
    """Return what a header said in the requests of either side, and forget them."""
    said = [headers.get(name) for _, _, headers, _ in api.asked]
    api.asked.clear()
    half = len(said) // 2
    return [said[:half], said[half:]]


def _auths(api: Lists) -> dict[str, Any]:
    return {
        "bearer": {"type": "bearer", "token": "secret"},
        "api_key": {"type": "api_key", "name": "authorization", "api_key": "secret"},
        "basic": {"type": "http_basic", "username": "u", "password": "p"},
        "instance": auth.BearerTokenAuth(token="secret"),
        "oauth": {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{api.url}/token",
            "client_id": "id",
            "client_secret": "secret",
        },
    }


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("bearer", "client"),
        ("oauth", "client"),
        pytest.param("basic", "endpoint", marks=pytest.mark.slow),
        pytest.param("api_key", "client", marks=pytest.mark.slow),
        pytest.param("instance", "client", marks=pytest.mark.slow),
        pytest.param("oauth", "endpoint", marks=pytest.mark.slow),
    ],
)
def test_credentials(compared: Comparison, api: Lists, kind: str, place: str) -> None:
    def token(request: Request) -> Response | None:
        if request.url.path == "/token":
            return answer({"access_token": "fresh", "expires_in": 3600})
        return None

    api.answer = token

    def make(rest: Any) -> Any:
        given = _auths(api)[kind]
        if place == "client":
            return rest.rest_api_source(config(api, "things", auth=given))
        return rest.rest_api_source(config(api, things(auth=given)))

    compared.load(make)
    theirs, ours = _headers(api, "authorization")
    assert ours == theirs
    assert ours[-1]
    compared.check()


@pytest.mark.slow
def test_a_session_of_a_user(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        session = requests.Session()
        session.headers["X-Session"] = "mine"
        return rest.rest_api_source(config(api, "things", session=session))

    compared.load(make)
    assert _headers(api, "x-session") == [["mine"] * 3] * 2
    compared.check()


# ---- sources and pipelines


@pytest.mark.slow
def test_resource_defaults_and_shorthands(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        made = config(api, "things", {"name": "other", "endpoint": {"path": "things"}})
        made["resource_defaults"] |= {"primary_key": "id", "write_disposition": "merge"}
        made["resource_defaults"]["endpoint"] |= {"params": {"per_page": 2}}
        return rest.rest_api_source(made, name="named", section="sections")

    compared.load(make)
    compared.check()


def test_resources_without_a_source(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_resources(config(api, "things")))
    assert compared.lanes("things") == {"bytes", "columns"}
    compared.check()


@pytest.mark.slow
def test_resources_within_a_source_of_a_user(compared: Comparison, api: Lists) -> None:
    def make(rest: Any) -> Any:
        @dlt.source(name="mine", max_table_nesting=1, root_key=True)
        def mine() -> Iterator[Any]:
            yield from rest.rest_api_resources(config(api, "things"))

        return mine()

    compared.load(make)
    assert compared.lanes("things") == {"columns"}
    compared.check()


def test_parallelized_and_unselected_resources(compared: Comparison, api: Lists) -> None:
    threads: set[str] = set()

    def make(rest: Any) -> Any:
        def note(row: Row) -> Row:
            threads.add(threading.current_thread().name)
            return row

        resources = [
            {"name": "one", "endpoint": "things", "parallelized": True},
            {"name": "two", "endpoint": "things", "parallelized": True},
            {"name": "off", "endpoint": "things", "selected": False},
        ]
        source = rest.rest_api_source(config(api, *resources))
        source.resources["one"].add_map(note)
        return source

    compared.load(make)
    compared.load(lambda rest: rest.rest_api_source(config(api, "things"), parallelized=True))
    assert threads
    compared.check()


def test_without_a_pipeline_rows_are_dicts(compared: Comparison, api: Lists) -> None:
    made: list[list[Any]] = []
    for side in (compared.dlt, compared.arrow):
        rest: Any = side.module
        source = rest.rest_api_source(config(api, "things"))
        rows = [list(source.resources["things"]), list(source)]
        limited = rest.rest_api_source(config(api, "things")).resources["things"].add_limit(1)
        made.append([*rows, list(limited)])
    assert made[0] == made[1]
    assert made[1][0] == ROWS


def test_one_source_object_for_several_runs(compared: Comparison, api: Lists) -> None:
    for side in (compared.dlt, compared.arrow):
        rest: Any = side.module
        source = rest.rest_api_source(config(api, "things"))
        for _ in range(2):
            side.load(source)
        assert list(source) == ROWS
        side.load(source)
    compared.reports = rest.report()
    assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.parametrize(
    "refresh",
    [
        "drop_sources",
        pytest.param("drop_resources", marks=pytest.mark.slow),
        pytest.param("drop_data", marks=pytest.mark.slow),
    ],
)
def test_refresh(compared: Comparison, api: Lists, refresh: str) -> None:
    def make(rest: Any) -> Any:
        return rest.rest_api_source(config(api, "things"))

    compared.load(make)
    api.pages["things"] = [[{"id": "text now", "nested": [1]}]]
    compared.load(make, refresh=refresh)
    assert compared.lanes("things") == {"columns"}
    compared.check()


@pytest.mark.slow
def test_options_of_the_run(compared: Comparison, api: Lists) -> None:
    compared.load(
        lambda rest: rest.rest_api_source(config(api, "things")),
        write_disposition="replace",
        primary_key="id",
        table_name="renamed",
        columns={"at": {"data_type": "text"}},
    )
    compared.check()


@pytest.mark.slow
def test_several_sources_in_one_run(compared: Comparison, api: Lists) -> None:
    api.pages["more"] = PAGES[1:]

    def make(rest: Any) -> Any:
        return [rest.rest_api_source(config(api, each), name=each) for each in ("things", "more")]

    compared.load(make)
    assert compared.lanes("things") | compared.lanes("more") <= {"bytes", "columns"}
    compared.check()


@pytest.mark.slow
def test_normalising_in_processes(
    compared: Comparison, api: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__WORKERS", "2")
    monkeypatch.setenv("NORMALIZE__START_METHOD", "spawn")
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    compared.check()
