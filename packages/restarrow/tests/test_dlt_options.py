"""The options of dlt's `rest_api`, with nothing changed but the import."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import dlt
import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config, lists
from packages.restarrow.tests.dlt_rows import PAGES, ROWS, Row


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


# ---- steps between pages and tables


def _split(row: Row) -> Iterator[Row]:
    yield {"id": row["id"], "half": 1}
    yield {"id": row["id"], "half": 2, "at": row["at"]}


def _with(**values: Any) -> list[Row]:
    """Make a step that gives a row more values."""

    def change(row: Row) -> Row:
        return {**row, **values}

    return [{"map": change}]


def _is_none(row: Row) -> bool:
    return not row


def _is_odd(row: Row) -> bool:
    return bool(row["id"] % 2)


def _add_up(row: Row) -> Row:
    return {**row, "sum": row["id"] + row["half"]}


def _steps() -> dict[str, list[Row]]:
    return {
        "map": _with(id="text"),
        "filter": [{"filter": _is_odd}],
        "filter_all": [{"filter": _is_none}],
        "yield_map": [{"yield_map": _split}],
        "all": [{"filter": _is_odd}, {"yield_map": _split}, {"map": _add_up}],
        "decimals": _with(cost=Decimal("1.5")),
        "times": _with(at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        "bytes": _with(raw=b"\x00\xff"),
        "tuples": _with(pair=(1, 2)),
    }


def test_processing_steps(compared: Comparison, api: Lists) -> None:
    api.pages = dict.fromkeys(_steps(), PAGES)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": name, "processing_steps": each}
            for name, each in _steps().items()
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    assert compared.lanes("map") == compared.lanes("all") == {"columns"}
    assert compared.lanes("decimals") == {"dlt"}
    compared.check()


def test_rows_that_say_which_table_they_go_to(compared: Comparison, api: Lists) -> None:
    def mark(rows: Any) -> Any:
        return dlt.mark.with_table_name(rows, "elsewhere") if rows[0]["id"] else rows

    def make(rest: Any) -> Any:
        @dlt.resource(name="things")
        def marked() -> Iterator[Any]:
            for page in (ROWS[:2], ROWS[2:4], [{"id": 0, "new": 1}]):
                yield mark(page)

        return rest.rest_api_resources(config(api, marked(), "other"))

    api.pages["other"] = PAGES
    compared.load(make)
    compared.check()


@pytest.mark.parametrize("batch_rows", [1, pytest.param(5000, marks=pytest.mark.slow)])
def test_steps_that_are_added_later(compared: Comparison, api: Lists, batch_rows: int) -> None:
    compared.batch_rows = batch_rows
    names = ("add_map", "add_filter", "add_limit", "rows_limit", "add_yield_map")
    api.pages = dict.fromkeys(names, PAGES)

    def twice(row: Row) -> Iterator[Row]:
        yield from (row, {"id": -1})

    def is_not_three(row: Row) -> bool:
        return bool(row["id"] != 3)

    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(api, *names))
        resources = source.resources
        resources["add_map"].add_map(_mapped)
        resources["add_filter"].add_filter(is_not_three)
        resources["add_limit"].add_limit(2)
        resources["rows_limit"].add_limit(3, count_rows=True)
        resources["add_yield_map"].add_yield_map(twice)
        return source

    compared.load(make)
    counts = compared.arrow.counts[-1]
    assert counts["add_limit"] == 5
    assert counts["add_yield_map"] == 12
    compared.check()


def _mapped(row: Row) -> Row:
    return {"id": row["id"], "mapped": True}


# ---- incremental loading


def _date(value: str) -> str:
    return value[:10]


def _incremental() -> dict[str, Row]:
    cursor = {"cursor_path": "at", "initial_value": "2026-01-02T00:00:00Z"}
    by_param = {"type": "incremental", **cursor}
    return {
        "param": {"params": {"since": by_param}},
        "param_convert": {"params": {"since": {**by_param, "convert": _date}}},
        "placeholder": {
            "params": {
                "since": "{incremental.start_value}",
                "first": "{incremental.initial_value}",
            },
            "incremental": cursor,
        },
        "with_lag": {"incremental": {**cursor, "lag": 86400}},
        "nested_cursor": {"incremental": {"cursor_path": "nested.deep.at"}},
        "by_id": {"incremental": {"cursor_path": "id", "initial_value": 0, "row_order": "asc"}},
        "descending": {
            "incremental": {"cursor_path": "id", "initial_value": 4, "row_order": "desc"}
        },
        "with_end": {"incremental": {**cursor, "end_value": "2026-01-05T00:00:00Z"}},
        "missing": {"incremental": {"cursor_path": "absent", "on_cursor_value_missing": "include"}},
        "largest_first": {"incremental": {"cursor_path": "id", "last_value_func": min}},
    }


def test_incremental_loads(compared: Comparison, api: Lists) -> None:
    asked: list[list[str]] = []

    def make(rest: Any) -> Any:
        asked.append(sorted(api.paths()))
        resources = [
            {"name": name, "endpoint": {"path": name, **endpoint}}
            for name, endpoint in _incremental().items()
        ]
        return rest.rest_api_source(config(api, *resources))

    for pages in (PAGES, [*PAGES, [{**ROWS[0], "id": 9, "at": "2026-01-09T00:00:00Z"}]]):
        api.pages = {**dict.fromkeys(_incremental(), pages)}
        api.pages["descending"] = [page[::-1] for page in pages[::-1]]
        compared.load(make)
    asked.append(sorted(api.paths()))
    assert asked[1] == asked[2]
    assert asked[3] == asked[4]
    for name in _incremental():
        assert compared.lanes(name) <= {"columns"}
    compared.check()


# ---- resources that hang on each other


def _dependent(path: str = "things/{resources.things.id}/notes") -> Row:
    return {"name": "notes", "endpoint": path, "include_from_parent": ["id", "at"]}


@pytest.fixture
def with_notes(api: Lists) -> Lists:
    api.pages |= {
        f"things/{number}/notes": [[{"text": f"note {number}", "tags": ["x", number]}], [{"n": 1}]]
        for number in range(6)
    }
    return api


@pytest.mark.parametrize(
    "selected",
    [("things", "notes"), ("notes",), pytest.param(("things",), marks=pytest.mark.slow)],
)
def test_dependent_resources(
    compared: Comparison, with_notes: Lists, selected: tuple[str, ...]
) -> None:
    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(with_notes, "things", _dependent()))
        return source.with_resources(*selected)

    compared.load(make)
    if "things" in selected:
        assert compared.lanes("things") <= {"bytes", "columns"}
    compared.check()


@pytest.mark.slow
def test_dependents_of_dependents(compared: Comparison, with_notes: Lists) -> None:
    with_notes.pages |= {f"n/{number}": [[{"z": number}]] for number in range(6)}

    def make(rest: Any) -> Any:
        notes = {**_dependent(), "selected": False}
        last = {"name": "last", "endpoint": "n/{resources.notes._things_id}"}
        return rest.rest_api_source(config(with_notes, "things", notes, last))

    compared.load(make)
    compared.check()


def test_transformers_of_a_user(compared: Comparison, api: Lists) -> None:
    received: list[list[str]] = []

    def make(rest: Any) -> Any:
        source = rest.rest_api_source(config(api, "things"))
        kinds: list[str] = []
        received.append(kinds)

        @dlt.transformer(data_from=source.resources["things"], name="ids")
        def ids(rows: Any) -> Iterator[Any]:
            kinds.extend(type(row).__name__ for row in rows)
            yield [{"only": row["id"], "list": [row["id"]]} for row in rows]

        source.resources.add(ids)
        return source

    compared.load(make)
    assert received == [["dict"] * 6] * 2
    assert compared.lanes("things") == {"columns"}
    compared.check()


def test_resources_of_a_user_among_those_of_the_configuration(
    compared: Comparison, api: Lists
) -> None:
    def make(rest: Any) -> Any:
        @dlt.resource(name="own", selected=False)
        def own() -> Iterator[Any]:
            yield [{"name": "things", "nested": [1, 2]}]

        dependent = {"name": "of_own", "endpoint": "{resources.own.name}"}
        return rest.rest_api_source(config(api, own(), dependent))

    compared.load(make)
    compared.check()
