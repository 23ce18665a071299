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


@pytest.mark.long
@pytest.mark.timeout(900)
@THOROUGH
@given(cases())
def test_decoded_rows_thoroughly(case: Case) -> None:
    compare(case)


@pytest.mark.long
@pytest.mark.timeout(900)
@THOROUGH
@given(cases(raw=True))
def test_raw_rows_thoroughly(case: Case) -> None:
    compare(case)


@pytest.fixture(scope="module")
def platforms() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every list of the three platforms."""
    simulators: list[Simulator] = [
        RootlySimulator(incidents=120, alerts=120, alert_events=80, shifts=60),
        RoostSimulator(),
        CloudBotSimulator(),
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for simulator in simulators:
        for name, table in simulator.tables.items():
            rows = [row.data() for row in list(table)[:75]]
            if rows:
                found[f"{simulator.name} {name}"] = rows
    return found


# all lists in one test, as there are more than a hundred of them
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("max_nesting", [None, 0, 2])
def test_what_the_platforms_send(
    platforms: dict[str, list[dict[str, Any]]], raw: bool, max_nesting: int | None
) -> None:
    assert len(platforms) > 120
    for name, rows in platforms.items():
        third = max(1, len(rows) // 3)
        batches = [rows[at : at + third] for at in range(0, len(rows), third)]
        try:
            outcome = compare(Case(Settings(max_nesting, root_key=True), batches, raw))
        except AssertionError as error:
            error.add_note(f"the list is {name}")
            raise
        assert not outcome.refused, name


def test_the_lanes_are_really_taken() -> None:
    rows = [{"id": number, "at": "2024-01-01T00:00:00Z", "tags": ["x"]} for number in range(5)]
    assert compare(Case(Settings(), [rows, rows])).lanes == ["columns", "columns"]
    assert compare(Case(Settings(), [rows, rows], raw=True)).lanes == ["columns", "bytes"]
    tangled = [{"Id": 1, "id": 2}]
    assert compare(Case(Settings(), [tangled, tangled])).lanes == ["rows", "rows"]


def test_large_rows_are_what_the_platforms_send(
    platforms: dict[str, list[dict[str, Any]]],
) -> None:
    incidents = platforms["rootly incidents"]
    assert len(msgspec.json.encode(incidents[0])) > 5000
