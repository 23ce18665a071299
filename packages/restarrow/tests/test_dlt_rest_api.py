"""The door of `restarrow.dlt`: what it shares with dlt's, and what it does to pages."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator
from typing import Any

import dlt
import pytest
from dlt.common.exceptions import DictValidationException
from dlt.sources import rest_api
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config, lists
from starlette.requests import Request
from starlette.responses import Response

import restarrow.dlt
from restarrow.dlt import bridge
from restarrow.dlt.client import FastClient

plain: Any = rest_api
ROWS = [{"id": number, "l": [number]} for number in range(40)]
PAGES = [ROWS[start : start + 4] for start in range(0, 40, 4)]


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


def _batches(compared: Comparison, resource: str = "things") -> int:
    return sum(compared.reports[resource].lanes[resource].values())


def _steps(resource: Any) -> list[type]:
    return [type(step) for step in resource._pipe.steps]


def test_what_it_offers() -> None:
    assert restarrow.dlt.RESTAPIConfig is plain.RESTAPIConfig
    assert set(restarrow.dlt.__all__) == {
        "RESTAPIConfig",
        "ResourceReport",
        "accelerate",
        "check_connection",
        "postgres",
        "report",
        "rest_api",
        "rest_api_resources",
        "rest_api_source",
    }


@pytest.mark.parametrize("name", ["rest_api_source", "rest_api_resources"])
def test_arguments_are_those_of_dlt(name: str) -> None:
    ours = inspect.signature(getattr(restarrow.dlt, name)).parameters.values()
    theirs = list(inspect.signature(getattr(plain, name)).parameters)
    named = [each.name for each in ours if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert named == theirs[: len(named)]


def test_options_of_a_source(api: Lists) -> None:
    options: dict[str, Any] = {
        "name": "named",
        "section": "sections",
        "max_table_nesting": 1,
        "root_key": True,
        "schema_contract": {"columns": "freeze"},
        "parallelized": True,
    }
    made: Any = restarrow.dlt.rest_api_source(config(api, "things"), **options)  # type: ignore[arg-type]
    wanted: Any = plain.rest_api_source(config(api, "things"), **options)
    for attribute in ("name", "section", "max_table_nesting", "root_key", "schema_contract"):
        assert getattr(made, attribute) == getattr(wanted, attribute)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"client": {}},
        {"resources": ["things"]},
        {"client": {"base_url": "x", "unknown": 1}, "resources": ["things"]},
        {"client": {"base_url": "x"}, "resources": [{"endpoint": "things"}]},
        {"client": {"base_url": "x"}, "resources": ["things", "things"]},
        {"client": {"base_url": "x", "paginator": "of no kind"}, "resources": ["things"]},
        {
            "client": {"base_url": "x"},
            "resources": [{"name": "a", "endpoint": "{resources.none.id}"}],
        },
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["rest_api_source", "rest_api_resources"])
def test_configurations_that_make_no_sense(broken: Any, name: str) -> None:
    said: list[tuple[type, str]] = []
    for module in (plain, restarrow.dlt):
        with pytest.raises(Exception) as failure:  # noqa: PT011 - whichever dlt raises
            getattr(module, name)(broken)
        said.append((failure.type, str(failure.value)))
    assert said[0] == said[1]
    assert plain.RESTClient is RESTClient


def test_secrets_are_not_in_errors_about_configurations(api: Lists) -> None:
    broken: Any = config(api, "things", auth={"type": "bearer", "token": "hush-hush"}, odd=1)
    with pytest.raises(DictValidationException) as failure:
        restarrow.dlt.rest_api_source(broken)
    assert "hush-hush" not in str(failure.value)


def test_sources_of_dlt_stay_as_they_are(api: Lists) -> None:
    restarrow.dlt.rest_api_source(config(api, "things"))  # type: ignore[arg-type]
    source: Any = plain.rest_api_source(config(api, "things"))
    assert plain.RESTClient is RESTClient
    assert bridge.ArrowTail not in _steps(source.resources["things"])


def test_which_resources_are_attached_to(api: Lists) -> None:
    @dlt.resource(name="own")
    def own() -> Iterator[Any]:
        yield [{"id": 1}]

    given = own()
    dependent = {"name": "dependent", "endpoint": "things/{resources.things.id}"}
    for _ in range(2):
        resources = restarrow.dlt.rest_api_resources(config(api, given, "things", dependent))  # type: ignore[arg-type]
        source = restarrow.dlt.rest_api_source(config(api, given, "things", dependent))  # type: ignore[arg-type]
        for each in ({one.name: one for one in resources}, dict(source.resources)):
            attached = {name for name, one in each.items() if bridge.ArrowTail in _steps(one)}
            assert attached == {"things"}
            assert _steps(each["things"]).count(bridge.ArrowTail) == 1
    assert bridge.ArrowTail not in _steps(given)


def _same(row: Any) -> Any:
    return row


def test_the_tail_stays_last(api: Lists) -> None:
    source: Any = restarrow.dlt.rest_api_source(config(api, "things"))  # type: ignore[arg-type]
    things = source.resources["things"]
    things.add_map(_same).add_limit(3).add_filter(_same)
    things.apply_hints(incremental=dlt.sources.incremental("id"))
    assert _steps(things)[-1] is bridge.ArrowTail


# ---- batches


@pytest.mark.parametrize(("batch_rows", "batches"), [(9, 4), (5000, 1)])
def test_pages_are_joined_to_batches(
    compared: Comparison, api: Lists, batch_rows: int, batches: int
) -> None:
    compared.batch_rows = batch_rows
    compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    assert _batches(compared) == batches
    compared.check()


def test_pages_stay_apart_where_somebody_counts_them(compared: Comparison, api: Lists) -> None:
    compared.batch_rows = 5000

    def make(rest: Any) -> Any:
        in_order = {"cursor_path": "id", "initial_value": 0, "row_order": "desc"}
        ordered = {"name": "ordered", "endpoint": {"path": "things", "incremental": in_order}}
        cursor = {"cursor_path": "id", "initial_value": 0}
        joined = {"name": "joined", "endpoint": {"path": "things", "incremental": cursor}}
        limited = {"name": "limited", "endpoint": "things"}
        source = rest.rest_api_source(config(api, ordered, joined, limited))
        source.resources["limited"].add_limit(3)
        return source

    compared.load(make)
    assert [_batches(compared, name) for name in ("ordered", "joined", "limited")] == [10, 1, 3]
    compared.check()


def test_a_client_on_its_own_hands_pages_on_as_they_come(api: Lists) -> None:
    seen: list[list[Any]] = []
    for kind in (RESTClient, FastClient):
        client = kind(api.url, paginator=JSONLinkPaginator(next_url_path="next"))
        seen.append([list(page) for page in client.paginate("things", data_selector="data")])
    assert seen == [PAGES, PAGES]


def test_an_error_amid_the_pages(compared: Comparison, api: Lists) -> None:
    api.pages["things"] = [*PAGES[:2], [{"id": "x"}]]
    asked: list[list[str]] = []

    def refuse(request: Request) -> Response | None:
        return Response(status_code=403) if request.query_params.get("page") == "2" else None

    api.answer = refuse
    for rows in (1, 5000):
        compared.batch_rows = rows
        compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
        asked.append(api.paths())
    assert asked[0] == ["/things", "/things?page=1", "/things?page=2"] * 2
    compared.check(failed=True)
    api.answer = lambda _: None
    compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    compared.check(failed=True)
    assert compared.query("SELECT count(*) FROM things") == [(9,)]
