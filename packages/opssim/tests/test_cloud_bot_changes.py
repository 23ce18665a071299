"""What `insert` and `touch` do to each list."""

from __future__ import annotations

from typing import Any

import pytest

from opssim.cloud_bot import CloudBotSimulator
from opssim.cloud_bot.activity import OPEN
from opssim.cloud_bot.filters import instant

TABLES = sorted(CloudBotSimulator(executions=0, bots=1, users=1, devices=1).tables)
STAMPS = {
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


@pytest.fixture
def simulator() -> CloudBotSimulator:
    return CloudBotSimulator(executions=100, audit_messages=20)


def rows_of(simulator: CloudBotSimulator, table: str) -> dict[str, dict[str, Any]]:
    return {row.key: row.data() for row in simulator.tables[table]}


def changed(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    return [row for key, row in after.items() if before.get(key) != row]


@pytest.mark.parametrize("table", TABLES)
def test_insert_adds_rows_like_those_that_are_there(
    simulator: CloudBotSimulator, table: str
) -> None:
    before = rows_of(simulator, table)
    simulator.insert(table, 4)
    after = rows_of(simulator, table)
    assert len(after) == len(before) + 4
    fields = {frozenset(row) for row in before.values()}
    assert {frozenset(row) for row in changed(before, after)} <= fields


@pytest.mark.parametrize("table", [*STAMPS, "audit_messages"])
def test_inserted_rows_are_stamped_with_the_clock(simulator: CloudBotSimulator, table: str) -> None:
    stamp = STAMPS.get(table, "createdOn")
    if table == "wlm_work_items":
        stamp = "createdOn"  # an item may be worked off by the time that it is seen
    before = rows_of(simulator, table)
    latest = max(row[stamp] for row in before.values())
    simulator.insert(table, 2)
    new = changed(before, rows_of(simulator, table))
    assert all(row[stamp] > latest for row in new)
    assert len({row[stamp] for row in new}) == 2


def test_new_runs_are_under_way(simulator: CloudBotSimulator) -> None:
    before = rows_of(simulator, "executions")
    simulator.insert("executions", 3)
    new = changed(before, rows_of(simulator, "executions"))
    assert {row["status"] for row in new} == {"UPDATE"}
    assert {row["endDateTime"] for row in new} == {"1970-01-01T00:00:00Z"}


def test_new_bots_and_devices_get_runs(simulator: CloudBotSimulator) -> None:
    alone = CloudBotSimulator(executions=0, bots=1, users=1, devices=1)
    alone.insert("automations", 5)
    alone.insert("robots", 5)
    alone.insert("executions", 200)
    runs = rows_of(alone, "executions").values()
    assert len({row["fileId"] for row in runs}) == 6
    assert len({row["deviceId"] for row in runs}) == 6


@pytest.mark.parametrize("table", sorted(STAMPS))
def test_touch_changes_rows_and_stamps_them(simulator: CloudBotSimulator, table: str) -> None:
    before = rows_of(simulator, table)
    latest = max(row[STAMPS[table]] for row in before.values())
    simulator.touch(table, 3)
    after = rows_of(simulator, table)
    touched = changed(before, after)
    assert 1 <= len(touched) <= 3
    assert after.keys() == before.keys()
    assert all(row[STAMPS[table]] > latest for row in touched)


@pytest.mark.parametrize("table", ["device_pools", "license_products", "run_as_users"])
def test_touch_changes_rows_without_a_stamp(simulator: CloudBotSimulator, table: str) -> None:
    before = rows_of(simulator, table)
    simulator.touch(table)
    assert len(changed(before, rows_of(simulator, table))) == 1


def test_a_touched_run_as_user_has_another_device(simulator: CloudBotSimulator) -> None:
    before = rows_of(simulator, "run_as_users")
    simulator.touch("run_as_users")
    (row,) = changed(before, rows_of(simulator, "run_as_users"))
    assert row["deviceId"] != before[str(row["id"])]["deviceId"]
    device = simulator.tables["robots"].get(row["deviceId"])
    assert device is not None
    assert device.data()["hostName"] == row["device"]


def test_the_audit_log_is_only_added_to(simulator: CloudBotSimulator) -> None:
    before = rows_of(simulator, "audit_messages")
    simulator.touch("audit_messages", 5)
    assert rows_of(simulator, "audit_messages") == before


def test_touched_runs_go_on_until_they_end(simulator: CloudBotSimulator) -> None:
    started = {
        key for key, row in rows_of(simulator, "executions").items() if row["status"] in OPEN
    }
    assert started
    progress = dict.fromkeys(started, -1)
    for _ in range(200):
        rows = rows_of(simulator, "executions")
        for key in started:
            assert rows[key]["progress"] >= progress[key]
            progress[key] = rows[key]["progress"]
        if not any(row["status"] in OPEN for row in rows.values()):
            break
        simulator.touch("executions")
    ended = [rows_of(simulator, "executions")[key] for key in started]
    assert {row["status"] for row in ended} <= {"COMPLETED", "RUN_FAILED"}
    for row in ended:
        assert instant(row["createdOn"]) <= instant(row["startDateTime"])
        assert instant(row["startDateTime"]) < instant(row["endDateTime"])
        assert instant(row["endDateTime"]) < instant(row["modifiedOn"])


def test_touching_ended_runs_moves_their_stamp_only() -> None:
    simulator = CloudBotSimulator(executions=10)  # too few for one that is under way
    before = rows_of(simulator, "executions")
    simulator.touch("executions")
    (row,) = changed(before, rows_of(simulator, "executions"))
    old = before[row["id"]]
    assert {name for name in row if row[name] != old[name]} == {"modifiedOn", "botLabel"}


def test_touching_an_empty_list_does_nothing() -> None:
    simulator = CloudBotSimulator(executions=0)
    simulator.touch("executions", 3)
    assert len(simulator.tables["executions"]) == 0


def test_changes_are_the_same_for_a_seed() -> None:
    def left() -> list[tuple[str, str]]:
        simulator = CloudBotSimulator(executions=100)
        for _ in range(5):
            simulator.insert("executions")
            simulator.touch("executions", 2)
            simulator.touch("robots")
        runs = rows_of(simulator, "executions").values()
        return [(row["id"], row["status"]) for row in runs]

    assert left() == left()


def test_an_unknown_table_is_an_error(simulator: CloudBotSimulator) -> None:
    with pytest.raises(KeyError):
        simulator.insert("nothing")
    with pytest.raises(KeyError):
        simulator.touch("nothing")
