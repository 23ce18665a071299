"""The same rows through dlt's normaliser and through ours: everything must be equal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from packages.restarrow.tests.normalise_cases import Case, Settings, cases, compare

from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Simulator

# Making rows is slow, and most of what is drawn is large.
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=CHECKS, database=None)
THOROUGH = settings(QUICK, max_examples=1050)


@QUICK
@given(cases())
def test_decoded_rows(case: Case) -> None:
    compare(case)


@QUICK
@given(cases(raw=True))
def test_raw_rows(case: Case) -> None:
    compare(case)


@pytest.mark.slow
@pytest.mark.timeout(900)
@THOROUGH
@given(cases())
def test_decoded_rows_thoroughly(case: Case) -> None:
    compare(case)


@pytest.mark.slow
@pytest.mark.timeout(900)
@THOROUGH
@given(cases(raw=True))
def test_raw_rows_thoroughly(case: Case) -> None:
    compare(case)


def lists() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every list of the three platforms."""
    simulators: list[Simulator] = [
        RootlySimulator(incidents=120, alerts=120, alert_events=80, shifts=60),
        RoostSimulator(),
        CloudBotSimulator(),
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for simulator in simulators:
        for name, table in simulator.tables.items():
            rows = [row.data() for row in list(table)[:150]]
            if rows:
                found[f"{simulator.name} {name}"] = rows
    return found


LISTS = lists()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("max_nesting", [None, 0, 2])
def test_what_the_platforms_send(name: str, raw: bool, max_nesting: int | None) -> None:
    rows = LISTS[name]
    third = max(1, len(rows) // 3)
    batches = [rows[at : at + third] for at in range(0, len(rows), third)]
    outcome = compare(Case(Settings(max_nesting, root_key=True), batches, raw))
    assert not outcome.refused


def test_the_lanes_are_really_taken() -> None:
    rows = [{"id": number, "at": "2024-01-01T00:00:00Z", "tags": ["x"]} for number in range(5)]
    assert compare(Case(Settings(), [rows, rows])).lanes == ["columns", "columns"]
    assert compare(Case(Settings(), [rows, rows], raw=True)).lanes == ["columns", "bytes"]
    tangled = [{"Id": 1, "id": 2}]
    assert compare(Case(Settings(), [tangled, tangled])).lanes == ["rows", "rows"]


def test_large_rows_are_what_the_platforms_send() -> None:
    incidents = LISTS["rootly incidents"]
    assert len(msgspec.json.encode(incidents[0])) > 5000
