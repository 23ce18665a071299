from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from opssim.core.clock import (
    DEFAULT_NOW,
    Clock,
    floor_to_millisecond,
    iso_offset,
    iso_utc,
    parse_iso,
)


def test_time_starts_where_it_is_told_to() -> None:
    start = datetime(2020, 2, 29, 12, tzinfo=UTC)
    assert start < Clock(start).now() < start + timedelta(minutes=1)


def test_time_starts_on_the_same_day_always() -> None:
    assert DEFAULT_NOW < Clock().now() < DEFAULT_NOW + timedelta(minutes=1)


def test_no_two_readings_agree() -> None:
    clock = Clock()
    readings = [clock.now() for _ in range(500)]
    assert readings == sorted(set(readings))


def test_no_two_readings_agree_across_threads() -> None:
    clock = Clock()
    readings: list[datetime] = []

    def read() -> None:
        mine = [clock.now() for _ in range(200)]
        readings.extend(mine)

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(readings)) == len(readings) == 1000


def test_readings_are_whole_milliseconds() -> None:
    clock = Clock()
    assert {clock.now().microsecond % 1000 for _ in range(50)} == {0}


def test_time_skips() -> None:
    clock = Clock()
    before = clock.now()
    clock.skip(timedelta(days=3))
    assert timedelta(days=2, hours=23) < clock.now() - before < timedelta(days=3, minutes=1)


def test_floor_to_millisecond() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)
    assert floor_to_millisecond(moment).microsecond == 678_000


def test_utc_format_has_three_digits_and_a_z() -> None:
    assert iso_utc(datetime(2026, 7, 1, 3, 10, tzinfo=UTC)) == "2026-07-01T03:10:00.000Z"


def test_utc_format_of_a_local_time() -> None:
    local = datetime(2026, 7, 1, 3, 10, 0, 45_000, tzinfo=timezone(timedelta(hours=-7)))
    assert iso_utc(local) == "2026-07-01T10:10:00.045Z"


def test_offset_format_shows_the_same_instant() -> None:
    moment = datetime(2026, 7, 1, 10, 10, tzinfo=UTC)
    text = iso_offset(moment, timezone(timedelta(hours=-7)))
    assert text == "2026-07-01T03:10:00.000-07:00"
    assert parse_iso(text) == moment


@pytest.mark.parametrize(
    "text",
    ["2026-07-01T00:00:00", "2026-07-01T00:00:00Z", "2026-07-01", "2026-07-01T02:00:00+02:00"],
)
def test_parsing_takes_every_form(text: str) -> None:
    assert parse_iso(text) == DEFAULT_NOW


def test_parsing_refuses_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_iso("yesterday")


def test_a_frozen_clock_moves_by_skips_and_by_readings_only() -> None:
    clock = Clock()
    clock.freeze()
    first = clock.now()
    assert first == DEFAULT_NOW + timedelta(milliseconds=1)
    assert clock.now() == DEFAULT_NOW + timedelta(milliseconds=2)
    clock.skip(timedelta(hours=1))
    assert clock.now() == DEFAULT_NOW + timedelta(hours=1)
