"""How `opsnest status` judges what it knows, and the lengths of time it reads and tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from packages.opsnest.tests.status_loads import (
    TWO_HOURS,
)

from opsnest.durations import ago, duration
from opsnest.errors import ConfigurationError
from opsnest.status.destinations import Place
from opsnest.status.judging import Verdict, judged
from opsnest.status.records import Failure, Records

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def judge(records: Records, place: Place) -> Verdict:
    return judged(records, place, stale_after=TWO_HOURS, now=NOW)


def test_a_failure_that_another_machine_has_made_up_for_is_none() -> None:
    failed = Records(name="p", destination="postgres", failure=Failure(at(30), "load", "no"))

    assert judge(failed, Place(loaded=at(60))).state == "failed"
    assert judge(failed, Place(loaded=at(10))).state == "ok"


def test_the_worst_is_the_state_and_all_of_it_is_told() -> None:
    records = Records(
        name="p",
        destination="postgres",
        succeeded=at(600),
        failure=Failure(at(30), "extract", "no"),
        pending=(at(40), at(20)),
    )

    verdict = judge(records, Place(problem="no route to host"))

    assert verdict.state == "failed"
    assert [text.partition(":")[0] for text in verdict.problems] == [
        "extract failed 30 min ago",
        "2 load packages pending, since 40 min ago",
        "the destination cannot be asked",
        "the last good run was 10 h ago",
    ]


def test_a_load_that_runs_for_too_long_is_pending_all_the_same() -> None:
    records = Records(
        name="p", destination="duckdb", succeeded=at(50), pending=(at(5),), running=True
    )
    assert judge(records, Place(loaded=at(50))).state == "ok"
    hanging = replace(records, pending=(at(200),))
    assert judge(hanging, Place(loaded=at(50))).state == "pending"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s ago"), (119, "119 s ago"), (180, "3 min ago"), (7199, "120 min ago"),
     (7200, "2 h ago"), (200_000, "2 days ago"), (-5, "in the future")],
)  # fmt: skip
def test_how_long_ago_something_was(seconds: int, words: str) -> None:
    assert ago(timedelta(seconds=seconds)) == words


def test_lengths_of_time_are_read() -> None:
    lengths = [duration(text, "--x") for text in ("90s", "15m", "2H", "1d", " 1w ")]
    assert [length.total_seconds() for length in lengths] == [90, 900, 7200, 86_400, 604_800]
    for text in ("", "0h", "-1h", "1", "h", "1.5h", "1y", "9999999d"):
        with pytest.raises(ConfigurationError, match="is no length of time"):
            duration(text, "--x")
