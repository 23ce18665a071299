"""Rows that vanish from the simulators, by whatever way they are told to."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotSimulator
from opssim.core.churn import Churn
from opssim.core.server import serve
from opssim.core.simulator import Simulator
from opssim.owlette import OwletteSimulator
from opssim.roost import RoostSimulator

ROOST_TABLES = ["tests", "test_plans", "events"]
CLOUD_BOT_TABLES = sorted(CloudBotSimulator(executions=0, bots=1, users=1, devices=1).tables)


def cloud_bot() -> CloudBotSimulator:
    return CloudBotSimulator(executions=60, audit_messages=20)


def keys_of(simulator: Simulator) -> dict[str, list[str]]:
    return {name: table.keys() for name, table in simulator.tables.items()}


def bodies_of(simulator: Simulator, table: str) -> list[dict[str, Any]]:
    return [row.data() for row in simulator.tables[table]]


@pytest.mark.parametrize("table", CLOUD_BOT_TABLES)
def test_cloud_bot_loses_rows_of_every_table(table: str) -> None:
    simulator = cloud_bot()
    before = keys_of(simulator)
    simulator.delete(table, 2)
    after = keys_of(simulator)
    assert len(after[table]) == len(before[table]) - 2
    assert set(after[table]) < set(before[table])
    touched = {name for name in before if after[name] != before[name]}
    assert touched == ({table, "wlm_work_items"} if table == "wlm_queues" else {table})


@pytest.mark.parametrize("table", ROOST_TABLES)
def test_roost_loses_rows_of_every_table(table: str) -> None:
    simulator = RoostSimulator(tests=20, events=50)
    before = keys_of(simulator)
    simulator.delete(table, 3)
    after = keys_of(simulator)
    assert len(after[table]) == len(before[table]) - 3
    assert [name for name in before if after[name] != before[name]] == [table]


@pytest.mark.parametrize("make", [cloud_bot, RoostSimulator])
def test_an_unknown_table_is_an_error(make: Any) -> None:
    with pytest.raises(KeyError):
        make().delete("nothing")


def test_what_another_simulator_has_no_table_for_is_an_error() -> None:
    with pytest.raises(KeyError):
        OwletteSimulator().delete("machines")


@pytest.mark.parametrize("table", ROOST_TABLES)
def test_more_than_there_is_leaves_nothing(table: str) -> None:
    simulator = RoostSimulator(tests=20, events=50)
    simulator.delete(table, 1000)
    assert len(simulator.tables[table]) == 0
    simulator.delete(table)
    simulator.touch(table)
    simulator.insert(table, 2)
    assert len(simulator.tables[table]) == 2


@pytest.mark.parametrize("table", CLOUD_BOT_TABLES)
def test_cloud_bot_goes_on_when_a_whole_table_is_gone(table: str) -> None:
    simulator = cloud_bot()
    simulator.delete(table, 10_000)
    left = bodies_of(simulator, table)
    if table == "users":
        assert [row["username"] for row in left] == [simulator.username]
    else:
        assert all(row.get("folder") for row in left)
    for name in CLOUD_BOT_TABLES:
        simulator.insert(name, 2)
        simulator.touch(name, 2)


def test_deletions_are_the_same_for_a_seed_and_leave_new_rows_as_they_would_be() -> None:
    def left(deletions: int) -> tuple[set[str], set[str]]:
        simulator = cloud_bot()
        simulator.delete("audit_messages", deletions)
        before = set(simulator.tables["audit_messages"].keys())
        simulator.insert("audit_messages", 5)
        return before, set(simulator.tables["audit_messages"].keys()) - before

    assert left(4) == left(4)
    assert left(4)[1] == left(0)[1]


def test_new_rows_refer_to_what_is_left() -> None:
    simulator = CloudBotSimulator(executions=0, bots=12, users=12, devices=8)
    for table, count in {"automations": 9, "users": 4, "robots": 3, "wlm_queues": 3}.items():
        simulator.delete(table, count)
    ids = {table: set(simulator.tables[table].keys()) for table in simulator.tables}
    for table in ("executions", "wlm_work_items", "audit_messages", "schedules", "device_pools"):
        simulator.delete(table, 10_000)
        simulator.insert(table, 40)
    for run in bodies_of(simulator, "executions"):
        assert run["fileId"] in ids["automations"]
        assert run["deviceId"] in ids["robots"]
        assert run["userId"] in ids["users"]
    for schedule in bodies_of(simulator, "schedules"):
        assert str(schedule["fileId"]) in ids["automations"]
    assert {row["queueId"] for row in bodies_of(simulator, "wlm_work_items")} == ids["wlm_queues"]
    assert {row["createdBy"] for row in bodies_of(simulator, "audit_messages")} <= ids["users"]
    for pool in bodies_of(simulator, "device_pools"):
        assert set(pool["deviceIds"]) <= ids["robots"]


def test_new_events_belong_to_tests_that_are_left() -> None:
    simulator = RoostSimulator(tests=10, events=0)
    simulator.delete("tests", 8)
    simulator.insert("events", 30)
    assert {row["test_id"] for row in bodies_of(simulator, "events")} == set(
        simulator.tables["tests"].keys()
    )


def test_a_queue_takes_its_items_with_it() -> None:
    simulator = cloud_bot()
    simulator.delete("wlm_queues", 2)
    queues = set(simulator.tables["wlm_queues"].keys())
    assert {row["queueId"] for row in bodies_of(simulator, "wlm_work_items")} <= queues


class TestOverHttp:
    def test_the_control_endpoint_removes_rows_from_the_answers(self) -> None:
        with serve(RoostSimulator(tests=5, events=30)) as roost:
            headers = {"Authorization": f"Bearer {roost.simulator.token}"}
            url = f"{roost.url}/api/test/event"
            before = requests.get(url, headers=headers, timeout=5).json()
            answer = requests.post(
                f"{roost.url}/_sim/delete", json={"table": "events", "count": 4}, timeout=5
            )
            after = requests.get(url, headers=headers, timeout=5).json()
        assert answer.json() == {"tests": 5, "test_plans": 1, "events": 26}
        assert (before["count"], after["count"]) == (30, 26)
        gone = {row["id"] for row in before["data"]} - {row["id"] for row in after["data"]}
        assert len(gone) == 4
        assert not gone & set(roost.simulator.tables["events"].keys())

    def test_a_single_row_that_is_gone_is_not_found(self) -> None:
        with serve(RoostSimulator(tests=5, events=10)) as roost:
            headers = {"Authorization": f"Bearer {roost.simulator.token}"}
            key = roost.simulator.tables["events"].keys()[0]
            url = f"{roost.url}/api/test/event/{key}"
            assert requests.get(url, headers=headers, timeout=5).status_code == 200
            roost.simulator.delete("events", 10)
            assert requests.get(url, headers=headers, timeout=5).status_code == 404

    def test_a_soft_deletion_leaves_the_row_in_the_lists(self) -> None:
        with serve(RoostSimulator(tests=5, events=10)) as roost:
            headers = {"Authorization": f"Bearer {roost.simulator.token}"}
            url = f"{roost.url}/api/test/event"
            key = roost.simulator.tables["events"].keys()[0]
            requests.delete(f"{url}/{key}", headers=headers, timeout=5)
            rows = requests.get(url, headers=headers, timeout=5).json()["data"]
        assert [row["deleted"] for row in rows if row["id"] == key] == [1]

    def test_churn_removes_rows_while_a_list_is_read(self) -> None:
        churn = Churn(every=2, insert=0, delete=5, times=2)
        with serve(RoostSimulator(tests=5, events=60, churn=churn)) as roost:
            headers = {"Authorization": f"Bearer {roost.simulator.token}"}
            url = f"{roost.url}/api/test/event"
            counts = [
                requests.get(url, headers=headers, timeout=5).json()["count"] for _ in "12345"
            ]
        assert counts == [60, 55, 55, 50, 50]

    def test_churn_removes_rows_of_a_control_room(self) -> None:
        churn = Churn(every=1, insert=1, delete=3, times=2)
        with serve(CloudBotSimulator(executions=30, churn=churn)) as room:
            login = {"username": room.simulator.username, "apiKey": room.simulator.api_key}
            token = requests.post(f"{room.url}/v2/authentication", json=login, timeout=5).json()
            headers = {"X-Authorization": token["token"]}
            url = f"{room.url}/v3/activity/list"
            totals = [
                requests.post(url, json={}, headers=headers, timeout=5).json()["page"]["total"]
                for _ in "123"
            ]
        assert totals == [28, 26, 26]

    def test_the_account_can_log_in_after_all_users_are_gone(self) -> None:
        with serve(CloudBotSimulator(executions=5)) as room:
            room.simulator.delete("users", 1000)
            login = {"username": room.simulator.username, "apiKey": room.simulator.api_key}
            answer = requests.post(f"{room.url}/v2/authentication", json=login, timeout=5)
        assert answer.status_code == 200

    def test_an_event_that_vanishes_under_way_hurts_nobody(self) -> None:
        with serve(RoostSimulator(tests=2, events=0, run_seconds=0.05)) as roost:
            headers = {"Authorization": f"Bearer {roost.simulator.token}"}
            key = roost.simulator.tables["tests"].keys()[0]
            body = {"event_type": "generate", "license_key": "", "runtime_variables": {"a": 1}}
            url = f"{roost.url}/api/test"
            begun = requests.post(f"{url}/{key}/trigger", json=body, headers=headers, timeout=5)
            assert begun.status_code == 201
            roost.simulator.delete("events")
            answer = requests.get(f"{url}/event", headers=headers, timeout=5)
        assert answer.json()["count"] == 0
