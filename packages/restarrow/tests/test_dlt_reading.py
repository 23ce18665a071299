"""How pages are read behind dlt's REST source: at once or by dlt's client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import dlt
import pytest
import requests
from dlt.common.configuration import configspec
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.sources.helpers.rest_client import auth, paginators
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config, lists
from packages.restarrow.tests.paged_things import (
    PAGES,
    ROWS,
    SIZE,
    a_page,
    is_whole,
    loaded,
    page_of,
    source,
)
from packages.restarrow.tests.scripted_server import Asked, reply, scripted
from requests.adapters import HTTPAdapter
from starlette.requests import Request
from starlette.responses import Response

import restarrow.dlt
from restarrow.errors import ForeignOriginError


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": [ROWS[at : at + SIZE] for at in range(0, len(ROWS), SIZE)]}) as served:
        yield served


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dlt.Pipeline:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    return dlt.pipeline(
        "reading",
        destination=dlt.destinations.duckdb(str(tmp_path / "reading.duckdb")),
        dataset_name="data",
        pipelines_dir=str(tmp_path / "pipelines"),
    )


# ---- who reads


def test_pages_are_read_at_once(pipeline: dlt.Pipeline) -> None:
    at_once = threading.Barrier(3, timeout=20)

    def answer(asked: Asked) -> bytes:
        if 1 <= page_of(asked) <= 3:
            at_once.wait()  # three pages have to be under way, or this breaks
        return a_page(page_of(asked))

    with scripted(answer) as server:
        pipeline.run(source(server))
    assert restarrow.dlt.report()["things"].reading == "at once"
    assert restarrow.dlt.report()["things"].rows == len(ROWS)
    assert is_whole(pipeline)


def test_rows_become_tables_without_being_decoded(compared: Comparison, api: Lists) -> None:
    compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    assert compared.lanes("things") == {"columns", "bytes"}
    assert compared.lanes("things", "things__tags") == {"columns", "bytes"}
    compared.check()


def _hook(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
    return response


@configspec
class OwnAuth(auth.AuthConfigBase):
    def __call__(self, request: Any) -> Any:
        request.headers["X-Own"] = "1"
        return request


class OwnPages(paginators.PageNumberPaginator):
    pass


REASONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a session of its own": ({"session": requests.Session()}, {}),
    "response actions": ({}, {"response_actions": [_hook]}),
    "credentials of its own, OwnAuth": ({"auth": OwnAuth()}, {}),
    "a paginator of its own, OwnPages": (
        {"paginator": OwnPages(base_page=0, total_path="total")},
        {},
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_is_left_to_the_client_of_dlt(compared: Comparison, api: Lists, reason: str) -> None:
    client, endpoint = REASONS[reason]

    def make(rest: Any) -> Any:
        things = {"name": "things", "endpoint": {"path": "things", **endpoint}}
        return rest.rest_api_source(config(api, things, **client))

    compared.load(make)
    assert compared.reports["things"].reading == f"dlt's client: {reason}"
    compared.check()


def test_limits_are_left_to_the_client_of_dlt(compared: Comparison, api: Lists) -> None:
    asked: list[int] = []

    def make(rest: Any) -> Any:
        made = rest.rest_api_source(config(api, "things"))
        made.resources["things"].add_limit(3)
        return made

    compared.load(make)
    asked.append(len(api.paths()))
    assert asked == [2 * 3]  # nothing is asked for beyond the limit
    assert compared.reports["things"].reading == "dlt's client: a limit"
    compared.check()


def test_doubles_of_requests_are_asked(compared: Comparison, api: Lists, monkeypatch: Any) -> None:
    sent: list[str] = []
    send: Any = HTTPAdapter.send

    def double(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        sent.append(request.url)
        return send(self, request, *args, **options)

    monkeypatch.setattr(HTTPAdapter, "send", double)
    compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    assert len(sent) == 2 * PAGES
    assert "double" in compared.reports["things"].reading


def test_steps_see_rows_that_were_read_at_once(compared: Comparison, api: Lists) -> None:
    steps: dict[str, Callable[[Any], Any]] = {
        "map": lambda row: {**row, "seen": True},
        "filter": lambda row: row["id"] % 3 == 0,
        "yield_map": lambda row: [row, {**row, "id": -row["id"]}],
    }

    def make(rest: Any) -> Any:
        resources = [
            {"name": step, "endpoint": "things", "processing_steps": [{step: taken}]}
            for step, taken in steps.items()
        ]
        return rest.rest_api_source(config(api, *resources))

    api.pages["things"] = api.pages["things"][:6]
    compared.load(make)
    assert {compared.reports[step].reading for step in steps} == {"at once"}
    compared.check()


# ---- credentials


@pytest.mark.parametrize("reader", ["at once", "dlt's client"])
def test_a_link_to_another_host_does_not_receive_the_token(
    pipeline: dlt.Pipeline, reader: str
) -> None:
    with scripted(lambda _: reply({"data": [{"id": 2}], "next": None})) as other:

        def answer(_: Asked) -> bytes:
            return reply({"data": [{"id": 1}], "next": f"{other.url}/things?page=1"})

        actions: dict[str, Any] = {} if reader == "at once" else {"response_actions": [_hook]}
        with scripted(answer) as server:
            made = source(
                server, paginator={"type": "json_link", "next_url_path": "next"}, **actions
            )
            with pytest.raises(PipelineStepFailed) as failed:
                pipeline.run(made)
        assert restarrow.dlt.report()["things"].reading.startswith(reader)
        assert other.asked == []
    causes = [failed.value, failed.value.__cause__, failed.value.__context__]
    chain = " ".join(map(str, causes))
    assert "127.0.0.1" in chain
    assert "allowed_origins" in chain
    assert "s3cret-token" not in chain


@pytest.mark.parametrize("reader", ["at once", "dlt's client"])
def test_hosts_that_are_allowed_are_asked(pipeline: dlt.Pipeline, reader: str) -> None:
    with scripted(lambda _: reply({"data": [{"id": 2}], "next": None})) as other:

        def answer(_: Asked) -> bytes:
            return reply({"data": [{"id": 1}], "next": f"{other.url}/things?page=1"})

        actions: dict[str, Any] = {} if reader == "at once" else {"response_actions": [_hook]}
        with scripted(answer) as server:
            made: Any = {
                "client": {"base_url": server.url, "auth": {"token": "s3cret-token"}},
                "resources": [
                    {
                        "name": "things",
                        "endpoint": {
                            "path": "things",
                            "data_selector": "data",
                            "paginator": {"type": "json_link", "next_url_path": "next"},
                            **actions,
                        },
                    }
                ],
            }
            pipeline.run(restarrow.dlt.rest_api_source(made, allowed_origins=[other.url]))
        assert [each.headers["authorization"] for each in other.asked] == ["Bearer s3cret-token"]
    assert [row[0] for row in loaded(pipeline)] == [1, 2]


def test_a_redirect_to_another_host_does_not_receive_the_key(pipeline: dlt.Pipeline) -> None:
    with scripted(lambda _: reply({"data": []})) as other:

        def answer(_: Asked) -> bytes:
            return reply(b"", 302, {"Location": f"{other.url}/things"})

        with scripted(answer) as server, pytest.raises(PipelineStepFailed) as failed:
            pipeline.run(source(server))
        assert other.asked == []
    assert isinstance(failed.value.__context__, Exception)
    assert _has_cause(failed.value, ForeignOriginError)


def _has_cause(failure: BaseException | None, kind: type[BaseException]) -> bool:
    while failure is not None:
        if isinstance(failure, kind):
            return True
        failure = failure.__cause__ or failure.__context__
    return False


def test_the_order_of_rows_is_that_of_pages(pipeline: dlt.Pipeline) -> None:
    late = threading.Event()

    def answer(asked: Asked) -> bytes:
        number = page_of(asked)
        if number == 1:
            late.wait(0.3)
        return a_page(number)

    with scripted(answer) as server:
        pipeline.run(source(server))
    with pipeline.sql_client() as client:
        ids = client.execute_sql("SELECT id FROM things ORDER BY rowid")
    assert [row[0] for row in ids or ()] == [row["id"] for row in ROWS]


def test_resources_share_connections_and_credentials(api: Lists, compared: Comparison) -> None:
    api.pages["token"] = []

    def token(request: Request) -> Response | None:
        if request.url.path == "/token":
            return Response(
                json.dumps({"access_token": "t", "expires_in": 3600}),
                media_type="application/json",
            )
        return None

    api.answer = token
    api.pages |= {"a": [[{"id": 1}]], "b": [[{"id": 2}]], "c": [[{"id": 3}]]}
    login = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{api.url}/token",
        "client_id": "id",
        "client_secret": "secret",
    }

    def make(rest: Any) -> Any:
        api.asked.clear()
        return rest.rest_api_source(config(api, "a", "b", "c", auth=login))

    compared.load(make)
    assert [path for path in api.paths() if path == "/token"] == ["/token"]
    compared.check()


def test_own_kinds_of_credentials_are_not_mistaken(compared: Comparison, api: Lists) -> None:
    @configspec
    class Renewed(auth.BearerTokenAuth):
        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = "Bearer renewed"
            return request

    compared.load(
        lambda rest: rest.rest_api_source(config(api, "things", auth=Renewed(token="old")))
    )
    assert {headers.get("authorization") for _, _, headers, _ in api.asked} == {"Bearer renewed"}
    compared.check()
