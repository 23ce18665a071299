"""Machines: what they are sent, what they do, their processes, and programs installed on them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

import httpx
import pytest
from owlette_client import Room, code_of, opened

MACHINES: Final = "/api/sites/site-1/machines"
PROCESSES: Final = f"{MACHINES}/m-01/processes"
DEPLOYMENTS: Final = "/api/sites/site-1/deployments"
BLOCK: Final = {"days": ["mon", "fri"], "ranges": [{"start": "08:00", "stop": "18:30"}]}
PROGRAM: Final[Mapping[str, Any]] = {
    "name": "codecs",
    "installer_name": "codecs.exe",
    "installer_url": "https://downloads.example.com/codecs.exe",
    "silent_flags": "/S",
}


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def until(
    room: Room, path: str, is_so: Callable[[dict[str, Any]], bool], member: str = ""
) -> dict[str, Any]:
    """Read something again and again until it is so."""
    deadline = time.monotonic() + 10
    while True:
        read = room.ask("GET", path).json()
        found: dict[str, Any] = read[member] if member else read
        if is_so(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def done(room: Room, answer: httpx.Response, machine: str = "m-01") -> dict[str, Any]:
    """Wait for a command that was just sent."""
    assert answer.status_code == 202, answer.text
    command_id = answer.json()["data"]["commandId"]
    path = f"{MACHINES}/{machine}/commands/{command_id}"
    return until(room, path, lambda data: data["status"] in {"completed", "failed"}, "data")


def send(room: Room, kind: str, machine: str = "m-01", **params: Any) -> httpx.Response:
    body = {"type": kind, "params": params}
    return room.ask("POST", f"{MACHINES}/{machine}/commands", body)


def test_machines_are_listed_with_their_roosts(room: Room) -> None:
    rows = room.ask("GET", MACHINES).json()["machines"]
    assert [each["id"] for each in rows] == ["m-01", "m-02", "m-03", "m-04"]
    assert set(rows[0]) == {
        *("id", "name", "online", "lastHeartbeat", "agentVersion", "os", "currentRoosts"),
    }
    roost = rows[0]["currentRoosts"][0]
    assert set(roost) == {"roostId", "name", "currentVersionId", "versionCounter"}
    machine = room.ask("GET", f"{MACHINES}/m-01").json()
    assert {"siteId", "hostname", "metrics", "processes"} <= set(machine)
    assert code_of(room.ask("GET", f"{MACHINES}/m-99"), 404) == "not_found"


def test_a_machine_tells_which_version_it_has_of_each_roost(room: Room) -> None:
    told = room.ask("GET", f"{MACHINES}/m-01/deployments").json()
    assert (told["siteId"], told["machineId"]) == ("site-1", "m-01")
    (row,) = told["deployments"]
    assert set(row) == {
        *("roostId", "name", "currentVersionId", "previousVersionId", "versionCounter"),
        *("extractPath", "reportedVersionId", "reportedStatus", "reportedAt"),
    }
    assert row["reportedVersionId"] == row["currentVersionId"]
    assert row["reportedStatus"] == "committed"


def test_a_command_goes_from_pending_to_completed_with_a_result(room: Room) -> None:
    answer = send(room, "enumerate_display_modes")
    data = answer.json()["data"]
    assert (answer.json()["ok"], data["status"]) == (True, "pending")
    assert data["commandId"].startswith("cmd_")
    command = done(room, answer)
    assert command["status"] == "completed"
    assert isinstance(command["result"], dict)
    assert command["updatedAt"] > command["createdAt"]


def test_results_that_are_texts_are_not_shown(room: Room) -> None:
    place = "sites/site-1/machines/m-02/completed"
    now = "2026-01-01T00:00:00.000Z"
    told = {"commandId": "cmd_text", "status": "completed", "createdAt": now, "updatedAt": now}
    room.simulator.world.database.put(place, "cmd_text", {**told, "result": "synced"})
    assert room.ask("GET", f"{MACHINES}/m-02/commands/cmd_text").json()["data"] == told


def test_commands_have_to_be_known_and_well_formed(room: Room) -> None:
    assert code_of(send(room, "dance"), 400) == "unsupported_command_type"
    assert code_of(send(room, "reboot_machine", "m-99"), 404) == "machine_not_found"
    path = f"{MACHINES}/m-01/commands"
    for wrong in ({"timeout_seconds": 0}, {"timeout_seconds": 601}, {"params": "x"}):
        answer = room.ask("POST", path, {"type": "reboot_machine", **wrong})
        assert code_of(answer, 400) == "validation_failed"
    assert code_of(room.ask("GET", f"{path}/cmd_absent"), 404) == "not_found"
    assert code_of(room.ask("GET", f"{path}/absent"), 400) == "validation_failed"


def test_members_may_look_and_not_touch(room: Room) -> None:
    key = room.simulator.new_key(uid="usr_member")
    path = f"{MACHINES}/m-01/commands"
    look = room.ask("POST", path, {"type": "capture_screenshot"}, key=key)
    assert look.status_code == 202
    touch = room.ask("POST", path, {"type": "reboot_machine"}, key=key)
    assert code_of(touch, 403) == "forbidden"


def test_a_machine_that_is_offline_takes_no_commands(room: Room) -> None:
    room.simulator.set_online("m-04", online=False)
    try:
        assert room.ask("GET", f"{MACHINES}/m-04").json()["online"] is False
        assert code_of(send(room, "reboot_machine", "m-04"), 409) == "machine_offline"
        started = room.ask("POST", f"{MACHINES}/m-04/processes/proc_m-04_0/start", {})
        assert code_of(started, 409) == "machine_offline"
    finally:
        room.simulator.set_online("m-04", online=True)
    assert done(room, send(room, "reboot_machine", "m-04"), "m-04")["status"] == "completed"


def test_a_screenshot_is_a_picture_that_the_storage_hands_out(room: Room) -> None:
    command = done(room, send(room, "capture_screenshot", monitor="all"))
    result = command["result"]
    assert set(result) >= {"storage_path", "url", "size_kb", "monitor", "monitor_count"}
    assert result["storage_path"].startswith("screenshots/site-1/m-01/")
    assert result["expires_at"] > command["updatedAt"]
    picture = room.http.get(result["screenshot_url"])
    assert picture.status_code == 200
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")
    leaked = {"Authorization": f"Bearer {room.simulator.key}"}
    assert room.http.get(result["screenshot_url"], headers=leaked).status_code == 400
    unsigned = result["screenshot_url"].partition("?")[0]
    assert room.http.get(unsigned).status_code == 403


def new_process(room: Room, **changes: Any) -> str:
    body = {"name": f"p-{uuid.uuid4().hex[:8]}", "exe_path": "C:\\p.exe", **changes}
    answer = room.ask("POST", PROCESSES, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["processId"])


def process(room: Room, process_id: str) -> dict[str, Any]:
    return dict(room.ask("GET", f"{PROCESSES}/{process_id}").json()["data"])


def test_a_process_has_all_its_settings(room: Room) -> None:
    row = process(room, new_process(room, cwd="C:\\", priority="High", launch_mode="always"))
    assert set(row) == {
        *("processId", "name", "exe_path", "file_path", "cwd", "priority", "visibility"),
        *("time_delay", "time_to_init", "relaunch_attempts", "autolaunch", "launch_mode"),
        *("schedules", "schedule", "schedulePresetId", "status", "pid", "responsive"),
        "last_updated",
    }
    assert (row["cwd"], row["priority"], row["autolaunch"]) == ("C:\\", "High", True)
    assert (row["status"], row["relaunch_attempts"]) == ("unknown", "3")
    listed = room.ask("GET", PROCESSES).json()
    assert (listed["ok"], listed["data"]["nextPageToken"]) == (True, None)
    assert row in listed["data"]["processes"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"exe_path": "x"}, "missing_field"),
        ({"name": "x"}, "missing_field"),
        ({"name": "x", "exe_path": 5}, "invalid_field"),
        ({"name": "x", "exe_path": "x", "launch_mode": "never"}, "invalid_field"),
        ({"name": "x", "exe_path": "x", "colour": "red"}, "unknown_field"),
        ({"name": "x", "exe_path": "x", "launch_mode": "scheduled"}, "missing_schedules"),
        ([], "invalid_body"),
    ],
)
def test_a_process_that_cannot_be_is_refused(room: Room, body: object, code: str) -> None:
    answer = room.ask("POST", PROCESSES, body)
    assert code_of(answer, 400) == code
    assert answer.json()["type"] == "about:blank"
    assert "requestId" not in answer.json()


def test_a_process_is_changed_by_what_is_given(room: Room) -> None:
    process_id = new_process(room)
    path, before = f"{PROCESSES}/{process_id}", process(room, process_id)
    assert room.ask("PATCH", path, {"priority": "Low"}).json()["data"]["processId"] == process_id
    after = process(room, process_id)
    assert after == {**before, "priority": "Low", "last_updated": after["last_updated"]}
    assert code_of(room.ask("PATCH", path, {}), 400) == "no_fields"
    taken = room.ask("PATCH", path, {"name": "player"})
    assert code_of(taken, 409) == "duplicate_process_name"
    created = room.ask("POST", PROCESSES, {"name": "player", "exe_path": "x"})
    assert code_of(created, 409) == "duplicate_process_name"


def test_a_process_is_deleted_once_and_then_already_was(room: Room) -> None:
    path = f"{PROCESSES}/{new_process(room)}"
    told = [room.ask("DELETE", path).json()["data"]["alreadyDeleted"] for _ in range(2)]
    assert told == [False, True]
    assert code_of(room.ask("GET", path), 404) == "process_not_found"


@pytest.mark.parametrize(
    ("verb", "status"), [("kill", "stopped"), ("stop", "stopped"), ("restart", "running")]
)
def test_a_process_is_started_and_ended_by_commands(room: Room, verb: str, status: str) -> None:
    process_id = new_process(room)
    path = f"{PROCESSES}/{process_id}"
    assert done(room, room.ask("POST", f"{path}/start", {}))["status"] == "completed"
    assert process(room, process_id)["status"] == "running"
    assert done(room, room.ask("POST", f"{path}/{verb}", {}))["status"] == "completed"
    assert process(room, process_id)["status"] == status


def test_processes_and_machines_that_are_not_there_have_codes_of_their_own(room: Room) -> None:
    for method, tail in (("POST", "/kill"), ("PATCH", ""), ("GET", "")):
        body = {"cwd": "x"} if method == "PATCH" else None
        absent = room.ask(method, f"{PROCESSES}/absent{tail}", body)
        assert code_of(absent, 404) == "process_not_found"
        elsewhere = PROCESSES.replace("m-01", "m-99")
        absent = room.ask(method, f"{elsewhere}/absent{tail}", body)
        assert code_of(absent, 404) == "machine_not_found"
    assert code_of(room.ask("GET", elsewhere), 404) == "machine_not_found"


def test_a_process_runs_by_a_schedule(room: Room) -> None:
    process_id = new_process(room)
    path = f"{PROCESSES}/{process_id}/schedule"
    answer = room.ask("POST", path, {"mode": "scheduled", "blocks": [BLOCK]})
    assert answer.json() == {"ok": True, "data": {"processId": process_id, "mode": "scheduled"}}
    row = process(room, process_id)
    assert (row["launch_mode"], row["schedules"]) == ("scheduled", [BLOCK])
    assert row["schedule"] == [BLOCK]
    answer = room.ask("PATCH", f"{PROCESSES}/{process_id}/launch-mode", {"mode": "off"})
    assert answer.status_code == 200
    assert process(room, process_id)["autolaunch"] is False


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_field"),
        ({"mode": "never"}, "invalid_field"),
        ({"mode": "scheduled"}, "missing_schedules"),
        ({"mode": "scheduled", "blocks": []}, "missing_schedules"),
        ({"mode": "scheduled", "blocks": [{**BLOCK, "days": ["someday"]}]}, "invalid_field"),
        ({"mode": "scheduled", "blocks": [{"day": "mon", "start": "08:00"}]}, "invalid_field"),
        (
            {"mode": "scheduled", "blocks": [{**BLOCK, "ranges": [{"start": "8", "stop": "9"}]}]},
            "invalid_field",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(room: Room, body: dict[str, Any], code: str) -> None:
    answer = room.ask("POST", f"{PROCESSES}/{new_process(room)}/schedule", body)
    assert code_of(answer, 400) == code


def deploy(room: Room, *machines: str, **changes: Any) -> str:
    body = {**PROGRAM, "machines": list(machines), **changes}
    answer = room.ask("POST", DEPLOYMENTS, body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["deploymentId"].startswith("deploy-")
    assert (told["siteId"], told["status"]) == ("site-1", "in_progress")
    assert told["targets"] == [{"machineId": each, "status": "pending"} for each in machines]
    return f"{DEPLOYMENTS}/{told['deploymentId']}"


def ended(room: Room, path: str, status: str) -> dict[str, Any]:
    return until(room, path, lambda item: bool(item["status"] == status))


def test_a_program_is_installed_and_removed_again(room: Room) -> None:
    path = deploy(room, "m-01", "m-02", parallel_install=True)
    item = ended(room, path, "completed")
    assert set(item) == {
        *("id", "name", "installer_name", "installer_url", "silent_flags", "verify_path"),
        *("sha256_checksum", "parallel_install", "targets", "status", "createdAt"),
        *("completedAt", "updatedAt", "siteId"),
    }
    assert {each["status"] for each in item["targets"]} == {"completed"}
    assert (item["parallel_install"], item["completedAt"] is None) == (True, False)
    told = room.ask("POST", f"{path}/uninstall", {}).json()
    assert (told["status"], told["queued"]) == ("uninstalling", 2)
    assert told["machine_ids"] == ["m-01", "m-02"]
    assert code_of(room.ask("DELETE", path, {}), 409) == "deployment_in_flight"
    ended(room, path, "uninstalled")
    assert code_of(room.ask("POST", f"{path}/uninstall", {}), 409) == "no_targets"
    deleted = room.ask("DELETE", path, {}).json()
    assert deleted == {"deploymentId": item["id"], "siteId": "site-1", "deleted": True}
    assert room.ask("GET", path).status_code == 404


def test_what_failed_on_a_broken_machine_is_tried_again(room: Room) -> None:
    room.simulator.break_machine("m-03")
    path = deploy(room, "m-02", "m-03")
    item = ended(room, path, "partial_failed")
    assert [each["status"] for each in item["targets"]] == ["completed", "failed"]
    assert item["targets"][1]["error"]
    room.simulator.mend_machine("m-03")
    told = room.ask("POST", f"{path}/retry", {}).json()
    assert (told["status"], told["retried"]) == ("in_progress", 1)
    assert told["machine_ids"] == ["m-03"]
    ended(room, path, "completed")
    assert code_of(room.ask("POST", f"{path}/retry", {}), 409) == "no_failed_targets"


def test_what_has_not_ended_is_cancelled_and_stays_so(room: Room) -> None:
    room.simulator.set_online("m-04", online=False)
    path = deploy(room, "m-04")
    told = room.ask("POST", f"{path}/cancel", {}).json()
    room.simulator.set_online("m-04", online=True)
    assert (told["status"], told["cancelled"]) == ("cancelled", 1)
    assert told["machine_ids"] == ["m-04"]
    assert code_of(room.ask("POST", f"{path}/cancel", {}), 409) == "no_cancellable_targets"
    done(room, send(room, "cancel_reboot", "m-04"), "m-04")
    assert room.ask("GET", path).json()["status"] == "cancelled"


def test_deployments_that_cannot_be_are_refused(room: Room) -> None:
    many = [f"x-{number}" for number in range(101)]
    over = room.ask("POST", DEPLOYMENTS, {**PROGRAM, "machines": many})
    assert code_of(over, 413) == "over_quota"
    assert over.json()["quota"] == {"max_targets": 100, "requested": 101}
    refused: list[dict[str, Any]] = [
        {"machines": []},
        {"installer_url": "http://x.example/a.exe"},
        {"name": ""},
    ]
    for wrong in refused:
        body = {**PROGRAM, "machines": ["m-01"], **wrong}
        assert code_of(room.ask("POST", DEPLOYMENTS, body), 400) == "validation_failed"
    key = {"Idempotency-Key": ""}
    bare = room.ask("POST", DEPLOYMENTS, {**PROGRAM, "machines": ["m-01"]}, headers=key)
    assert code_of(bare, 400) == "idempotency_key_required"


def test_deployments_are_listed_newest_first_with_one_token(room: Room) -> None:
    paths = [deploy(room, "m-01"), deploy(room, "m-01")]
    page = room.ask("GET", f"{DEPLOYMENTS}?page_size=1").json()
    assert set(page) == {"items", "next_page_token"}
    token = page["next_page_token"]
    after = room.ask("GET", f"{DEPLOYMENTS}?page_size=1&page_token={token}").json()
    ids = [each["items"][0]["id"] for each in (page, after)]
    assert [f"{DEPLOYMENTS}/{each}" for each in ids] == paths[::-1]


@pytest.mark.parametrize(("has", "lacks"), [("admin", "write"), ("write", "admin")])
def test_uninstalling_needs_two_permissions(room: Room, has: str, lacks: str) -> None:
    path = deploy(room, "m-01")
    key = room.simulator.new_key({"resource": "site", "id": "*", "permissions": [has]})
    answer = room.ask("POST", f"{path}/uninstall", {}, key=key)
    assert code_of(answer, 403) == "scope_insufficient"
    assert answer.json()["required"]["permission"] == lacks
