"""Several resources and many tables in one load, and what they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Pages, config
from packages.restarrow.tests.dlt_rows import BRIEF, RICH, Row, load_all, things


def test_resources_that_share_a_table(compared: Comparison, api: Lists) -> None:
    api.pages["a"] = [[{"x": number, "l": [1]} for number in range(3)], [{"y": 1}]]
    api.pages["b"] = [[{"x": "text", "l": ["t"]}], [{"y": "u", "x": 1.5}]]

    def make(rest: Any) -> Any:
        shared = {"table_name": "shared"}
        resources = [{"name": name, "endpoint": name, **shared} for name in ("a", "b")]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    compared.check()


def test_variants_of_a_later_page_in_nested_tables(compared: Comparison, api: Lists) -> None:
    api.pages["things"] = [[{"l": [{}], "m": [1]}], [{"m": [1], "l": [1, "x"]}], [{"l": [[]]}]]
    compared.load(lambda rest: rest.rest_api_source(config(api, things())))
    compared.check()


@pytest.mark.parametrize(
    "order",
    [
        ("things", "things__items"),
        pytest.param(("things__items", "things"), marks=pytest.mark.slow),
    ],
)
def test_a_resource_named_like_a_nested_table(
    compared: Comparison, api: Lists, order: Sequence[str]
) -> None:
    api.pages["things"] = [RICH[:3]]
    api.pages["other"] = [[{"k": 5}]]

    def make(rest: Any) -> Any:
        resources: dict[str, Row] = {
            "things": things(),
            "things__items": {"name": "things__items", "endpoint": "other"},
        }
        return rest.rest_api_source(config(api, *(resources[name] for name in order)))

    compared.load(make)
    compared.check(failed=bool(compared.dlt.failures))


@pytest.mark.slow
def test_names_that_are_paths(compared: Comparison, api: Lists) -> None:
    names = ["team__things", "Team__BigThings", "a b", "x__y__z_"]
    hints = {f"list{number}": {"name": name} for number, name in enumerate(names)}
    for rows in (BRIEF[:2], BRIEF):
        load_all(compared, api, {name: [rows] for name in hints}, hints)
    assert not any(compared.reasons(name) for name in names)
    compared.check()


@pytest.mark.slow
@pytest.mark.parametrize("tables", [8, pytest.param(30, marks=pytest.mark.long)])
def test_many_nested_tables(compared: Comparison, api: Lists, tables: int) -> None:
    wide = [{"id": n, **{f"l{k}": [{"v": k, f"n{n}": n}] for k in range(tables)}} for n in range(6)]
    for rows in (wide, wide[::-1]):
        pages: dict[str, Pages] = {"a": [[row] for row in rows], "b": [[row] for row in rows[1:]]}
        load_all(compared, api, pages, {})
    compared.check()
