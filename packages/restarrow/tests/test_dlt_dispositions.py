"""Rows that change from load to load, under each write disposition and depth of nesting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from dlt.sources import rest_api as plain_rest_api
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, config
from packages.restarrow.tests.dlt_rows import (
    BRIEF,
    CHANGED,
    DISPOSITIONS,
    RICH,
    Row,
    load_all,
    pages_of,
    taken,
    things,
)

MORE_DISPOSITIONS: dict[str, Row] = {
    "append_with_a_key": {"write_disposition": "append", "primary_key": "id"},
    "merge_without_a_key": {"write_disposition": "merge"},
    "merge_by_another_key": {"merge_key": "name", "write_disposition": "merge"},
    "merge_by_two_keys": {
        "primary_key": ["id", "name"],
        "write_disposition": {"disposition": "merge", "strategy": "delete-insert"},
    },
}


def _load_changing(compared: Comparison, api: Lists, hints: Mapping[str, Row]) -> None:
    for rows in (RICH, CHANGED, RICH[:2]):
        load_all(compared, api, dict.fromkeys(hints, pages_of(rows, 1, 3)), hints)
        assert taken(compared, *hints)
    compared.check()


def test_rows_that_change_from_load_to_load(compared: Comparison, api: Lists) -> None:
    _load_changing(compared, api, DISPOSITIONS)


@pytest.mark.long
def test_rows_that_change_under_other_dispositions(compared: Comparison, api: Lists) -> None:
    _load_changing(compared, api, MORE_DISPOSITIONS)


@pytest.mark.long
def test_rows_that_change_in_batches_of_many_pages(compared: Comparison, api: Lists) -> None:
    compared.batch_rows = 5000
    _load_changing(compared, api, {**DISPOSITIONS, **MORE_DISPOSITIONS})


# in one batch, as there is no other test of so many dispositions in one
@pytest.mark.slow
@pytest.mark.parametrize(
    "first", ["append", "merge", pytest.param("replace", marks=pytest.mark.long)]
)
def test_another_disposition_from_one_load_to_the_next(
    compared: Comparison, api: Lists, first: str
) -> None:
    compared.batch_rows = 5000
    for disposition in (first, "merge", "append", "replace"):
        hints = {"things": {"primary_key": "id", "write_disposition": disposition}}
        load_all(compared, api, {"things": pages_of(BRIEF, 2)}, hints)
    compared.check(failed=first != "merge")  # dlt cannot add the root's id to tables with rows


def test_how_deep_resources_say_that_tables_are_nested(compared: Comparison, api: Lists) -> None:
    hints = {f"level_{level}": {"max_table_nesting": level} for level in range(4)}
    for rows in (RICH[:4], CHANGED[:4]):
        load_all(compared, api, dict.fromkeys(hints, pages_of(rows, 2)), hints)
        assert taken(compared, *hints)
    compared.check()


@pytest.mark.slow
@pytest.mark.parametrize(
    "level", [0, 2, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 3))]
)
def test_how_deep_the_source_says(compared: Comparison, api: Lists, level: int) -> None:
    for rows in (RICH, CHANGED):
        api.pages["things"] = pages_of(rows, 4)
        compared.load(
            lambda rest: rest.rest_api_source(config(api, things()), max_table_nesting=level)
        )
    assert taken(compared, "things")
    compared.check()


@pytest.mark.slow
def test_another_depth_from_one_load_to_the_next(compared: Comparison, api: Lists) -> None:
    for levels in ((3, 0, 1), (0, 2, None)):
        hints = {
            f"things_{number}": {"max_table_nesting": level} for number, level in enumerate(levels)
        }
        load_all(compared, api, dict.fromkeys(hints, pages_of(RICH[:6], 4)), hints)
    compared.check()


def test_root_keys(compared: Comparison, api: Lists) -> None:
    for rows in (RICH[:4], CHANGED[:4]):
        api.pages["things"] = pages_of(rows, 2)
        compared.load(lambda rest: rest.rest_api_source(config(api, things()), root_key=True))
    assert compared.query("SELECT count(_dlt_root_id) > 0 FROM things__items") == [(True,)]
    compared.check()


# ---- dicts here, Arrow there


def _load_in_turns(compared: Comparison, api: Lists, turns: str) -> None:
    """Load several times, where "d" has dlt's own path on both sides."""
    for turn, rows in zip(turns, (RICH, CHANGED, RICH, CHANGED), strict=False):
        api.pages = dict.fromkeys(DISPOSITIONS, pages_of(rows[:5], 1, 4))

        def make(rest: Any, turn: str = turn) -> Any:
            resources = [
                {"name": name, "endpoint": name, **hints} for name, hints in DISPOSITIONS.items()
            ]
            chosen: Any = plain_rest_api if turn == "d" else rest
            return chosen.rest_api_source(config(api, *resources))

        compared.load(make)
    compared.check()


def test_arrow_after_dicts(compared: Comparison, api: Lists) -> None:
    _load_in_turns(compared, api, "da")


@pytest.mark.slow
@pytest.mark.parametrize(
    "turns", ["ad", *(pytest.param(each, marks=pytest.mark.long) for each in ("adad", "dada"))]
)
def test_dicts_and_arrow_in_other_turns(compared: Comparison, api: Lists, turns: str) -> None:
    _load_in_turns(compared, api, turns)
