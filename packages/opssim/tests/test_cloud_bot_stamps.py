"""Time stamps of rows with an offset, and stamps that many rows share, over HTTP."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.filters import instant
from opssim.core.server import serve

ACTIVITY = "/v3/activity/list"
CHANGED = {
    "executions": "modifiedOn",
    "automations": "lastModified",
    "private_files": "lastModified",
    "users": "updatedOn",
    "roles": "updatedOn",
    "robots": "updatedOn",
    "schedules": "updatedOn",
    "wlm_queues": "updatedOn",
    "wlm_work_items": "updatedOn",
    "wlm_models": "updatedOn",
}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{9})?(Z|[+-]\d\d:\d\d)")


def simulator(**quirks: Any) -> CloudBotSimulator:
    return CloudBotSimulator(
        executions=120, audit_messages=40, work_items=30, quirks=CloudBotQuirks(**quirks)
    )


def rows_of(made: CloudBotSimulator, table: str) -> dict[str, dict[str, Any]]:
    return {row.key: row.data() for row in made.tables[table]}


class Client:
    """A session that is logged in."""

    def __init__(self, url: str, made: CloudBotSimulator) -> None:
        self.simulator, self._url = made, url
        self._headers: dict[str, str] = {}
        login = {"username": made.username, "apiKey": made.api_key}
        self.login = self.post("/v2/authentication", **login).json()
        self._headers["X-Authorization"] = self.login["token"]

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(self._url + path, json=body, headers=self._headers, timeout=5)

    def get(self, path: str) -> Any:
        return requests.get(self._url + path, headers=self._headers, timeout=5).json()

    def changed_since(self, stamp: str, operator: str, length: int = 100) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self.post(
                ACTIVITY,
                filter={"operator": operator, "field": "modifiedOn", "value": stamp},
                sort=[{"field": "modifiedOn", "direction": "asc"}],
                page={"offset": len(found), "length": length},
            )
            assert answer.status_code == 200, answer.text
            if not answer.json()["list"]:
                return found
            found += answer.json()["list"]


@contextmanager
def client(made: CloudBotSimulator) -> Generator[Client]:
    with serve(made) as running:
        yield Client(running.url, made)


def stamps_in(row: dict[str, Any]) -> list[str]:
    return [value for value in row.values() if isinstance(value, str) and STAMP.fullmatch(value)]


class TestOffset:
    @pytest.mark.parametrize(("hours", "ending"), [(5, "+05:00"), (-7, "-07:00"), (0, "Z")])
    def test_every_stamp_of_every_row_has_it(self, hours: int, ending: str) -> None:
        made = simulator(utc_offset_hours=hours)
        for table in made.tables:
            made.insert(table, 3)
            made.touch(table, 3)
        for table in made.tables:
            for row in rows_of(made, table).values():
                stamps = [s for s in stamps_in(row) if s != "1970-01-01T00:00:00Z"]
                assert all(stamp.endswith(ending) for stamp in stamps), row

    def test_it_changes_nothing_but_how_the_same_times_are_written(self) -> None:
        usual, shifted = simulator(), simulator(utc_offset_hours=5)
        for table in usual.tables:
            others = rows_of(shifted, table)
            for key, row in rows_of(usual, table).items():
                other = others[key]
                for name, value in row.items():
                    if isinstance(value, str) and STAMP.fullmatch(value):
                        assert instant(value) == instant(other[name])
                    else:
                        assert value == other[name]

    def test_nanoseconds_stay(self) -> None:
        for run in rows_of(simulator(utc_offset_hours=5), "executions").values():
            assert re.fullmatch(r".{19}\.\d{9}\+05:00", run["startDateTime"])
            assert re.fullmatch(r".{19}\.\d{3}\+05:00", run["modifiedOn"])

    def test_the_end_of_a_run_that_has_not_ended_is_no_time(self) -> None:
        made = simulator(utc_offset_hours=5, epoch_end="mixed")
        made.insert("executions", 20)
        open_ends = {
            run["endDateTime"] for run in rows_of(made, "executions").values() if not run["error"]
        }
        assert {"", "1970-01-01T00:00:00Z"} <= open_ends

    def test_lists_are_filtered_and_sorted_by_the_times_themselves(self) -> None:
        with client(simulator(utc_offset_hours=5)) as room:
            runs = rows_of(room.simulator, "executions").values()
            middle = sorted(run["modifiedOn"] for run in runs)[60]
            assert middle.endswith("+05:00")
            found = room.changed_since(middle, "ge", length=25)
            assert len(found) == 60
            assert found[0]["modifiedOn"] == middle
            utc = datetime.fromisoformat(middle).astimezone().isoformat()
            assert room.changed_since(utc, "ge") == found

    def test_it_is_in_all_other_answers_as_well(self) -> None:
        with client(simulator(utc_offset_hours=5)) as room:
            assert room.login["user"]["createdOn"].endswith("+05:00")
            assert room.get("/v2/usermanagement/users/2")["updatedOn"].endswith("+05:00")
            key = room.simulator.tables["executions"].keys()[0]
            assert room.get(f"/v3/activity/execution/{key}")["modifiedOn"].endswith("+05:00")
            (run, *_) = room.get("/v2/botinsight/data/api/getbotrundata")["botRunDataList"]
            assert run["startDate"].endswith("+05:00")
            assert run["timeTaken"] >= 0

    def test_deployed_runs_have_it_until_they_end(self) -> None:
        made = simulator(utc_offset_hours=5)
        bot = next(row.key for row in made.tables["automations"] if not row.fields["folder"])
        with client(made) as room:
            room.post("/v3/automations/deploy", fileId=bot, runAsUserIds=["2"])
            stamps = [
                run["modifiedOn"]
                for run in room.post(ACTIVITY, page={"offset": 0, "length": 500}).json()["list"]
            ]
        assert len(stamps) == 121
        assert all(stamp.endswith("+05:00") for stamp in stamps)


class TestGrain:
    @pytest.mark.parametrize("table", sorted(CHANGED))
    def test_changed_rows_share_their_stamp(self, table: str) -> None:
        made = simulator(stamp_grain_seconds=600)
        before = rows_of(made, table)
        made.touch(table, 12)
        made.insert(table, 6)
        after = rows_of(made, table)
        fresh = [row for key, row in after.items() if before.get(key) != row]
        assert len(fresh) > 6
        stamps = {row[CHANGED[table]] for row in fresh}
        if table != "wlm_work_items":  # an item may be worked off by the time that it is seen
            assert stamps == {"2026-07-01T00:00:00.000Z"}
        assert all(re.fullmatch(r".{14}\d0:00\.000Z", stamp) for stamp in stamps)

    def test_new_audit_messages_share_theirs(self) -> None:
        made = simulator(stamp_grain_seconds=600)
        made.insert("audit_messages", 9)
        stamps = Counter(row["createdOn"] for row in rows_of(made, "audit_messages").values())
        assert stamps["2026-07-01T00:00:00.000Z"] == 9

    def test_rows_that_were_there_keep_theirs(self) -> None:
        usual, coarse = simulator(), simulator(stamp_grain_seconds=600)
        assert all(rows_of(usual, table) == rows_of(coarse, table) for table in usual.tables)

    def test_stamps_never_go_back(self) -> None:
        made = simulator(stamp_grain_seconds=0.01)
        last = max(run["modifiedOn"] for run in rows_of(made, "executions").values())
        for _ in range(30):
            made.touch("executions")
            latest = max(run["modifiedOn"] for run in rows_of(made, "executions").values())
            assert latest >= last
            last = latest

    def test_a_run_lasts_as_long_as_it_lasts(self) -> None:
        made = simulator(stamp_grain_seconds=600)
        made.insert("executions", 5)
        made.touch("executions", 200)
        for run in rows_of(made, "executions").values():
            if run["status"] in {"COMPLETED", "RUN_FAILED"}:
                assert instant(run["startDateTime"]) < instant(run["endDateTime"])

    def test_equal_stamps_stand_on_both_sides_of_a_page_border(self) -> None:
        with client(simulator(stamp_grain_seconds=600)) as room:
            mark = max(run["modifiedOn"] for run in rows_of(room.simulator, "executions").values())
            room.simulator.insert("executions", 12)
            (first, *_, last) = fresh = room.changed_since(mark, "gt", length=5)
            assert len(fresh) == len({run["id"] for run in fresh}) == 12
            assert first["modifiedOn"] == last["modifiedOn"]
            # who asks for what comes after the last stamp misses what has it as well
            room.simulator.insert("executions", 3)
            assert room.changed_since(last["modifiedOn"], "gt") == []
            assert len(room.changed_since(last["modifiedOn"], "ge")) == 15

    def test_goes_together_with_an_offset(self) -> None:
        made = simulator(stamp_grain_seconds=600, utc_offset_hours=-3)
        made.insert("roles", 4)
        stamps = Counter(row["updatedOn"] for row in rows_of(made, "roles").values())
        assert stamps["2026-06-30T21:00:00.000-03:00"] == 4
