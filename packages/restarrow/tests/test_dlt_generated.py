"""Rows of any kind through whole pipelines: dlt's tables and restarrow's, two loads in a row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.dlt_comparison import Comparison, Pages, config, lists
from packages.restarrow.tests.dlt_rows import DISPOSITIONS, Row


def _without_sign_of_zero(number: float) -> float:
    """Return the number, but 0.0 for -0.0, whose sign DuckDB loses where dlt makes INSERTs."""
    return number + 0.0


_KEYS = st.sampled_from(["a", "b", "B", "c d", "a__b", "e", "at"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(-1e6, 1e6, allow_nan=False).map(_without_sign_of_zero)
    | st.sampled_from(["", "x", "1", "1.5", "true", "2026-01-01", "2026-01-01T10:00:00Z", "é"])
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_ROWS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_PAGES = st.lists(st.lists(_ROWS, max_size=3), min_size=1, max_size=3)
_LOADS = st.lists(_PAGES, min_size=1, max_size=2)


def _loads_alike(folder: Callable[[], Path], loads: list[Pages], hints: Row) -> None:
    compared = Comparison(folder())
    with lists() as api:
        for pages in loads:
            # of rows with one key in one load, dlt merges any one: not to be compared
            numbers = itertools.count()
            api.pages["things"] = [[{"id": next(numbers), **row} for row in page] for page in pages]
            compared.load(
                lambda rest: rest.rest_api_source(
                    config(api, {"name": "things", "endpoint": "things", **hints})
                )
            )
    compared.check(failed=bool(compared.dlt.failures))


_ANY = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(loads=_LOADS, hints=st.sampled_from(list(DISPOSITIONS.values())))
@settings(_ANY, max_examples=4)
def test_any_rows(tmp_path_factory: pytest.TempPathFactory, loads: Any, hints: Row) -> None:
    _loads_alike(lambda: tmp_path_factory.mktemp("any"), loads, hints)


@pytest.mark.long
@pytest.mark.timeout(300)
@given(loads=_LOADS, hints=st.sampled_from(list(DISPOSITIONS.values())))
@settings(_ANY, max_examples=12)
def test_many_more_rows(tmp_path_factory: pytest.TempPathFactory, loads: Any, hints: Row) -> None:
    _loads_alike(lambda: tmp_path_factory.mktemp("any"), loads, hints)
