"""Sources and runs of pipelines, with nothing changed but the import."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config, lists
from packages.restarrow.tests.dlt_rows import PAGES, ROWS, Row


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


# ---- sources and pipelines


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
@pytest.mark.parametrize("loads", [1, pytest.param(2, marks=pytest.mark.long)])
def test_normalising_in_processes(
    compared: Comparison, api: Lists, loads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__WORKERS", "2")
    monkeypatch.setenv("NORMALIZE__START_METHOD", "spawn")
    for _ in range(loads):
        compared.load(lambda rest: rest.rest_api_source(config(api, "things")))
    compared.check()
