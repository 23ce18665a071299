"""Time stamps as an installation writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opssim.core.clock import DEFAULT_NOW
from opssim.core.stamps import StampForm
from opssim.core.store import Table

AFTER = "2026-07-01T00:00:07.654Z"


@pytest.mark.parametrize(
    ("hours", "stamp", "written"),
    [
        (0, "2026-07-01T06:41:03.004Z", "2026-07-01T06:41:03.004Z"),
        (5, "2026-07-01T06:41:03.004Z", "2026-07-01T11:41:03.004+05:00"),
        (5, "2026-07-01T22:41:02.987654321Z", "2026-07-02T03:41:02.987654321+05:00"),
        (-7, "2026-07-01T06:41:03Z", "2026-06-30T23:41:03-07:00"),
        (12, "2026-12-31T12:00:00.000Z", "2027-01-01T00:00:00.000+12:00"),
        (5, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_an_offset_moves_the_time_and_keeps_the_digits(
    hours: int, stamp: str, written: str
) -> None:
    form = StampForm(offset_hours=hours)
    assert form.write(stamp) == written
    assert datetime.fromisoformat(written) == datetime.fromisoformat(stamp)
    assert form({"any": stamp}) == {"any": written}


def test_only_stamps_are_written_anew_and_only_once() -> None:
    form = StampForm(offset_hours=2)
    row = {
        "id": 1,
        "text": f"seen at {AFTER}",
        "day": "2026-07-01",
        "nothing": None,
        "empty": "",
        "inner": {"at": AFTER},
        "at": AFTER,
    }
    once = form(row)
    assert once == {**row, "at": "2026-07-01T02:00:07.654+02:00"}
    assert form(once) == once
    assert row["at"] == AFTER


@pytest.mark.parametrize("hours", [15, -15, 500])
def test_zones_that_are_nowhere_are_refused(hours: int) -> None:
    with pytest.raises(ValueError, match="no zone"):
        StampForm(offset_hours=hours)


class TestGrain:
    def test_rounds_changes_down(self) -> None:
        form = StampForm(changes=frozenset({"changed"}), grain_seconds=5)
        assert form({"changed": AFTER, "ended": AFTER}) == {
            "changed": "2026-07-01T00:00:05.000Z",
            "ended": AFTER,
        }

    def test_may_be_less_than_a_second(self) -> None:
        form = StampForm(grain_seconds=0.25)
        assert form.write(AFTER, change=True) == "2026-07-01T00:00:07.500Z"

    def test_leaves_what_was_before_the_start(self) -> None:
        form = StampForm(changes=frozenset({"changed"}), grain_seconds=3600)
        row = {"changed": "2026-06-30T23:59:59.999Z"}
        assert form(row) == row

    def test_is_counted_from_the_start(self) -> None:
        start = datetime(2026, 7, 1, 10, 59, tzinfo=UTC)
        form = StampForm(grain_seconds=3600, start=start)
        assert form.write("2026-07-01T11:58:00.000Z", change=True) == "2026-07-01T10:59:00.000Z"
        assert form.write("2026-07-01T11:59:00.000Z", change=True) == "2026-07-01T11:59:00.000Z"

    def test_goes_together_with_an_offset(self) -> None:
        form = StampForm(changes=frozenset({"changed"}), grain_seconds=60, offset_hours=-3)
        once = form({"changed": AFTER})
        assert once == {"changed": "2026-06-30T21:00:00.000-03:00"}
        assert form(once) == once


def test_a_table_keeps_rows_in_the_form_that_it_is_given() -> None:
    table = Table(
        "runs",
        key=lambda row: str(row["id"]),
        fields=lambda row: {"at": row["at"]},
        form=StampForm(offset_hours=1),
    )
    table.extend([{"id": 1, "at": AFTER}])
    row = table.update("1", lambda data: data.update(at="2026-07-01T00:00:08.000Z"))
    assert row.data()["at"] == row.fields["at"] == "2026-07-01T01:00:08.000+01:00"
    assert datetime.fromisoformat(row.fields["at"]) > DEFAULT_NOW
