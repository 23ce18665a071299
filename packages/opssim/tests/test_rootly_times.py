from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from opssim.rootly.times import (
    DAY,
    HOUR,
    Calendar,
    exact_instant,
    instant,
    milliseconds,
    moment_of,
    months_later,
)


def _at(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def test_milliseconds_go_both_ways() -> None:
    moment = datetime(2026, 7, 1, 3, 10, 0, 123_000, tzinfo=UTC)
    assert milliseconds(moment) == 1_782_875_400_123
    assert moment_of(milliseconds(moment)) == moment


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-03-08T09:59:59.999+00:00", "2026-03-08T01:59:59.999-08:00"),
        ("2026-03-08T10:00:00.000+00:00", "2026-03-08T03:00:00.000-07:00"),
        ("2026-11-01T08:59:59.999+00:00", "2026-11-01T01:59:59.999-07:00"),
        ("2026-11-01T09:00:00.000+00:00", "2026-11-01T01:00:00.000-08:00"),
        ("2026-01-01T00:00:00.000+00:00", "2025-12-31T16:00:00.000-08:00"),
    ],
)
def test_clocks_change_twice_a_year(at: str, text: str) -> None:
    assert Calendar(-8, -7).text(_at(at)) == text


def test_the_calendar_is_that_of_los_angeles() -> None:
    try:
        zone = ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        pytest.skip("this system has no time zones")
    calendar = Calendar(-8, -7)
    begin = _at("2023-01-01T00:30:00+00:00")
    for at in range(begin, begin + 4 * 366 * DAY, 5 * HOUR):
        expected = moment_of(at).astimezone(zone).isoformat(timespec="milliseconds")
        assert calendar.text(at) == expected


def test_utc_is_written_with_a_z() -> None:
    assert Calendar(0, 0).text(_at("2026-07-01T00:00:00+00:00")) == "2026-07-01T00:00:00.000Z"


def test_an_offset_of_nothing_in_winter_only() -> None:
    calendar = Calendar(0, 1)
    assert calendar.text(_at("2026-01-01T00:00:00+00:00")).endswith("T00:00:00.000+00:00")
    assert calendar.text(_at("2026-07-01T00:00:00+00:00")).endswith("T01:00:00.000+01:00")


def test_instants_of_rows() -> None:
    assert instant("2026-07-01T03:10:00.000-07:00") == _at("2026-07-01T10:10:00+00:00")
    assert instant(None) is None


def test_instants_of_queries_may_be_finer() -> None:
    whole = exact_instant("2026-07-01T00:00:00.001Z")
    finer = exact_instant("2026-07-01T00:00:00.001001Z")
    assert whole == _at("2026-07-01T00:00:00.001+00:00")
    assert whole is not None
    assert finer is not None
    assert 0 < finer - whole < 0.01
    assert exact_instant("soon") is None


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [
        ("2026-01-15", 1, "2026-02-15"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-11-30", 2, "2027-01-30"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-10-31", 2, "2026-12-31"),
    ],
)
def test_months_are_those_of_the_calendar(moment: str, months: int, later: str) -> None:
    begin = datetime.fromisoformat(moment).replace(tzinfo=UTC) + timedelta(hours=5)
    expected = datetime.fromisoformat(later).replace(tzinfo=UTC) + timedelta(hours=5)
    assert months_later(begin, months) == expected
