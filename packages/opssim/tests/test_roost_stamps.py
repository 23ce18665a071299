"""Roost's time stamps with an offset, and stamps that many rows share, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from opssim.core.clock import DEFAULT_NOW
from opssim.core.server import Running, serve
from opssim.roost import RoostQuirks, RoostSimulator

COLUMNS = ("created_on", "updated_on", "time", "modification_time", "completion_time")
TABLES = {"tests": "updated_on", "test_plans": "updated_on", "events": "modification_time"}


def simulator(**quirks: Any) -> RoostSimulator:
    return RoostSimulator(tests=30, events=200, quirks=RoostQuirks(**quirks))


@contextmanager
def serving(**quirks: Any) -> Generator[Running[RoostSimulator]]:
    with serve(simulator(**quirks)) as running:
        yield running


def rows(made: RoostSimulator, table: str) -> list[dict[str, Any]]:
    return [row.data() for row in made.tables[table]]


def call(running: Running[RoostSimulator], method: str, path: str, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {running.simulator.token}"}
    answer = requests.request(
        method, f"{running.url}/api{path}", headers=headers, timeout=5, **options
    )
    assert answer.ok, answer.text
    return answer.json()


def events(running: Running[RoostSimulator], **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        asked = {"take": "60", "skip": str(len(found)), **params}
        page = call(running, "GET", "/test/event", params=asked)["data"]
        if not page:
            return found
        found += page


class TestOffset:
    @pytest.mark.parametrize(("hours", "ending"), [(5, "+05:00"), (-7, "-07:00"), (0, "Z")])
    def test_every_stamp_has_it(self, hours: int, ending: str) -> None:
        made = simulator(utc_offset_hours=hours)
        for table in TABLES:
            made.insert(table, 3)
            made.touch(table, 8)
        found = [
            row[column]
            for table in TABLES
            for row in rows(made, table)
            for column in COLUMNS
            if row.get(column)
        ]
        assert len(found) > 600
        assert all(stamp.endswith(ending) for stamp in found)

    def test_it_changes_nothing_but_how_the_same_times_are_written(self) -> None:
        usual, shifted = simulator(), simulator(utc_offset_hours=5)
        for table in TABLES:
            for one, other in zip(rows(usual, table), rows(shifted, table), strict=True):
                stamps = {column for column in COLUMNS if one.get(column)}
                for column in stamps:
                    moments = [datetime.fromisoformat(row[column]) for row in (one, other)]
                    assert moments[0] == moments[1]
                assert all(one[name] == other[name] for name in one.keys() - stamps)

    def test_windows_are_those_of_the_times_themselves(self) -> None:
        for hours in (-11, 11):
            with serving(utc_offset_hours=hours) as roost:
                now = roost.simulator.clock.now()
                for days, window in ((1, "Last-1Day"), (7, "Last-7Days"), (30, "Last-30Days")):
                    limit = now - timedelta(days=days)
                    wanted = {
                        row["id"]
                        for row in rows(roost.simulator, "events")
                        if datetime.fromisoformat(row["time"]) > limit
                    }
                    assert {row["id"] for row in events(roost, time_filter=window)} == wanted
                    assert wanted

    def test_what_clients_make_and_mark_as_deleted_has_it_as_well(self) -> None:
        with serving(utc_offset_hours=5) as roost:
            key = roost.simulator.tables["tests"].keys()[0]
            body = {"event_type": "generate", "license_key": "", "runtime_variables": {"a": 1}}
            begun = call(roost, "POST", f"/test/{key}/trigger", json=body)
            assert begun["time"].endswith("+05:00")
            gone = call(roost, "DELETE", f"/test/event/{begun['id']}")
            assert gone["deleted"] == 1
            assert gone["modification_time"].endswith("+05:00")
            assert gone["modification_time"] > begun["modification_time"]
            logs = call(roost, "GET", f"/test/event/{begun['id']}/logs")["logs"]
            first = datetime.fromisoformat(logs[0]["timestamp"])
            assert first == datetime.fromisoformat(begun["time"])


class TestOrder:
    @pytest.mark.parametrize("hours", [0, 5])
    def test_by_change_the_newest_come_first(self, hours: int) -> None:
        with serving(utc_offset_hours=hours) as roost:
            roost.simulator.touch("events", 10)
            found = events(roost, order_by="modification_time")
        stamps = [datetime.fromisoformat(row["modification_time"]) for row in found]
        assert stamps == sorted(stamps, reverse=True)
        assert stamps[0] > DEFAULT_NOW
        assert len(found) == 200

    def test_by_change_the_oldest_come_first_if_that_is_the_quirk(self) -> None:
        with serving(order="oldest", stamp_grain_seconds=600) as roost:
            roost.simulator.touch("events", 10)
            stamps = [
                row["modification_time"] for row in events(roost, order_by="modification_time")
            ]
        assert stamps == sorted(stamps)

    def test_a_window_goes_together_with_the_order_by_change(self) -> None:
        with serving() as roost:
            found = events(roost, order_by="modification_time", time_filter="Last-30Days")
            everything = events(roost, order_by="modification_time")
        assert 0 < len(found) < len(everything)
        ids = {row["id"] for row in found}
        assert [row for row in everything if row["id"] in ids] == found


class TestGrain:
    @pytest.mark.parametrize("table", sorted(TABLES))
    def test_changed_rows_share_their_stamp(self, table: str) -> None:
        made = simulator(stamp_grain_seconds=600)
        before = {row["id"]: row for row in rows(made, table)}
        made.touch(table, 5)
        made.insert(table, 4)
        fresh = [row for row in rows(made, table) if before.get(row["id"]) != row]
        assert len(fresh) == 9
        assert {row[TABLES[table]] for row in fresh} == {"2026-07-01T00:00:00.000Z"}

    def test_rows_that_were_there_keep_theirs(self) -> None:
        usual, coarse = simulator(), simulator(stamp_grain_seconds=600)
        assert all(rows(usual, table) == rows(coarse, table) for table in TABLES)

    def test_equal_stamps_stand_on_both_sides_of_a_page_border(self) -> None:
        with serving(stamp_grain_seconds=600) as roost:
            roost.simulator.insert("events", 25)
            pages = [
                call(
                    roost,
                    "GET",
                    "/test/event",
                    params={"order_by": "modification_time", "take": "10", "skip": str(skip)},
                )["data"]
                for skip in (0, 10, 20)
            ]
        stamps = Counter(row["modification_time"] for page in pages for row in page)
        assert stamps["2026-07-01T00:00:00.000Z"] >= 25
        ids = [row["id"] for page in pages for row in page]
        assert len(set(ids)) == 30

    def test_goes_together_with_an_offset(self) -> None:
        made = simulator(stamp_grain_seconds=600, utc_offset_hours=-3)
        made.insert("tests", 4)
        stamps = Counter(row["created_on"] for row in rows(made, "tests"))
        assert stamps["2026-06-30T21:00:00.000-03:00"] == 4
