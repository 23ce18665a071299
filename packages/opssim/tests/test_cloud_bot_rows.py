"""The rows: their fields, how they hang together, and that a seed always makes the same ones."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.activity import OPEN
from opssim.cloud_bot.filters import instant
from opssim.core.clock import DEFAULT_NOW

#: The fields of each list, as the Control Room's OpenAPI files have them.
FIELDS = {
    "executions": (
        "id automationName fileName filePath type startDateTime endDateTime command status "
        "progress automationId userId deviceId currentLine totalLines fileId modifiedBy createdBy "
        "modifiedOn createdOn deploymentId queueName queueId usingRdp message canManage "
        "deviceName userName tenantUuid automationPriority runElevated botLabel currentBotName "
        "callbackInfo rolesWithAccess workspaceType parentId initiationType activityType "
        "deviceHostType refId error userGroupName"
    ),
    "users": (
        "id username firstName lastName description disabled clientRegistered createdBy createdOn "
        "updatedBy updatedOn roles permissions licenseFeatures version principalId domain email "
        "emailVerified passwordSet questionsSet enableAutoLogin lastLoginTime groupNames "
        "sysAssignedRoles apiKeyCreatedOn apiKeyExpirationTime appType"
    ),
    "roles": (
        "id name description countPrincipals version createdBy createdOn updatedBy updatedOn "
        "systemRole enabled"
    ),
    "robots": (
        "id type hostName nickname userId userName status botAgentVersion poolName lifespan "
        "installationType hostType deploymentType defaultUsers updatedBy updatedOn description "
        "maxCount logLevel logConfiguration botAgentDebugApiVersion"
    ),
    "device_pools": (
        "id name status detailedStatus automationCount ownerIds deviceCount deviceIds poolType"
    ),
    "run_as_users": "id username device deviceId",
    "automations": (
        "id parentId name permission lastModified lastModifiedBy path folder folderCount size type "
        "productionVersion latestVersion locked lockedBy createdBy workspaceId botStatus hasErrors "
        "workspaceType uri version hasTriggers isEdited versionNumber botVersionLabel "
        "codeAnalysisResult uuid tags typeLabel contentModifiedTimestamp resourceModifiedTimestamp"
    ),
    "schedules": (
        "id activityName taskType activityPriority scheduleType timeZone startDate endDate "
        "startTime repeatEnabled zonedNextRunDateTime fileId fileName runAsUserIds status ownedBy "
        "createdBy createdOn updatedBy updatedOn weeklyRecurrence dailyRecurrence"
    ),
    "wlm_queues": (
        "id name description reactivationThreshold manualProcessingTime manualProcessingTimeUnit "
        "status workItemModelId autoRetryLimit createdBy createdOn updatedBy updatedOn "
        "disallowDuplicate workItemProcessingOrders displayColumnIds expiry version tenantUuid"
    ),
    "wlm_work_items": (
        "id queueId deviceId automationId status startTime endTime col1 col2 col3 col4 col5 col6 "
        "col7 col8 col9 col10 deviceUserId createdBy createdOn updatedBy updatedOn comment json "
        "result totalPausedTime error deferredUntil jobExecutionId retryCount hashCode version "
        "lastPausedTime tenantUuid"
    ),
    "wlm_models": "id name createdBy createdOn updatedBy updatedOn version tenantUuid attributes",
    "audit_messages": (
        "id eventDescription activityType environmentName hostName userName status source "
        "objectName createdOn requestId createdBy"
    ),
    "license_products": "id name licenseType feature",
}
FIELDS["private_files"] = FIELDS["automations"]
NUMERIC_IDS = {"run_as_users", "schedules", "license_products"}
NANOSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EPOCH = "1970-01-01T00:00:00Z"


def rows_of(simulator: CloudBotSimulator, table: str) -> list[dict[str, Any]]:
    return [row.data() for row in simulator.tables[table]]


def everything(simulator: CloudBotSimulator) -> dict[str, list[bytes]]:
    return {name: [row.body for row in table] for name, table in simulator.tables.items()}


@pytest.fixture(scope="module")
def simulator() -> CloudBotSimulator:
    return CloudBotSimulator(executions=1200)


@pytest.fixture(scope="module")
def runs(simulator: CloudBotSimulator) -> list[dict[str, Any]]:
    return rows_of(simulator, "executions")


def test_the_sizes_are_those_asked_for() -> None:
    sized = CloudBotSimulator(executions=70, bots=6, users=5, devices=4, audit_messages=3)
    counts = sized.counts()
    assert (counts["executions"], counts["users"], counts["robots"]) == (70, 5, 4)
    assert counts["audit_messages"] == 3
    bots = [row for row in rows_of(sized, "automations") if not row["folder"]]
    assert len(bots) == 6


def test_work_items_are_as_many_as_asked_for_in_all_queues_together() -> None:
    assert CloudBotSimulator(executions=0).counts()["wlm_work_items"] == 100
    sized = CloudBotSimulator(executions=0, work_items=731)
    assert len({row["queueId"] for row in rows_of(sized, "wlm_work_items")}) == 5
    assert sized.counts()["wlm_work_items"] == 731
    assert CloudBotSimulator(executions=0, work_items=0).counts()["wlm_work_items"] == 0


def test_models_say_what_the_items_of_a_queue_consist_of(simulator: CloudBotSimulator) -> None:
    models = rows_of(simulator, "wlm_models")
    attributes = [attribute for model in models for attribute in model["attributes"]]
    assert len(models) == 3
    assert len({attribute["id"] for attribute in attributes}) == len(attributes) >= 6
    assert {frozenset(attribute) for attribute in attributes} == {frozenset({"id", "name", "type"})}
    assert {attribute["type"] for attribute in attributes} <= {"TEXT", "NUMBER", "DATE"}


def test_the_smallest_control_room() -> None:
    smallest = CloudBotSimulator(executions=0, bots=1, users=1, devices=1, audit_messages=0)
    assert smallest.counts()["executions"] == 0
    smallest.insert("executions")
    assert smallest.counts()["executions"] == 1


@pytest.mark.parametrize("nothing", ["bots", "users", "devices"])
def test_a_control_room_without_the_necessary_is_refused(nothing: str) -> None:
    with pytest.raises(ValueError, match="at least one"):
        CloudBotSimulator(**{nothing: 0})  # type: ignore[arg-type]


def test_a_seed_always_makes_the_same_data() -> None:
    def made(seed: int) -> dict[str, list[bytes]]:
        return everything(CloudBotSimulator(seed=seed, executions=100))

    one, same, other = made(1), made(1), made(2)
    assert one == same
    chosen = FIELDS.keys() - {"run_as_users"}  # these follow from the numbers of the others
    assert not [name for name in chosen if one[name] == other[name]]


def test_credentials_belong_to_the_seed() -> None:
    one, same, other = (CloudBotSimulator(seed=seed, executions=0) for seed in (1, 1, 2))
    assert one.api_key == same.api_key
    assert one.secrets() == {one.password, one.api_key, one.management_token}
    assert not one.secrets() & other.secrets()
    assert all(re.search(r"[0-9a-f]{24}", secret) for secret in one.secrets())


@pytest.mark.parametrize("table", sorted(FIELDS))
def test_rows_have_the_published_fields_and_no_others(
    simulator: CloudBotSimulator, table: str
) -> None:
    assert {frozenset(row) for row in rows_of(simulator, table)} == {
        frozenset(FIELDS[table].split())
    }


@pytest.mark.parametrize("table", sorted(FIELDS))
def test_ids_are_strings_but_where_the_api_has_numbers(
    simulator: CloudBotSimulator, table: str
) -> None:
    wanted = int if table in NUMERIC_IDS else str
    assert all(type(row["id"]) is wanted for row in rows_of(simulator, table))


def test_there_is_a_table_for_every_list(simulator: CloudBotSimulator) -> None:
    assert set(simulator.tables) == set(FIELDS)


def test_runs_refer_to_bots_users_and_devices_that_exist(
    simulator: CloudBotSimulator, runs: list[dict[str, Any]]
) -> None:
    files = {row["id"]: row for row in rows_of(simulator, "automations")}
    devices = {row["id"]: row for row in rows_of(simulator, "robots")}
    users = {row["id"]: row for row in rows_of(simulator, "users")}
    for run in runs:
        bot, device = files[run["fileId"]], devices[run["deviceId"]]
        assert (run["fileName"], run["filePath"]) == (bot["name"], bot["path"])
        assert not bot["folder"]
        assert run["deviceName"] == device["hostName"]
        assert run["userName"] == users[run["userId"]]["username"] == device["userName"]


def test_everything_else_refers_to_what_exists(simulator: CloudBotSimulator) -> None:
    ids = {table: set(simulator.tables[table].keys()) for table in FIELDS}
    roles = {role["id"] for user in rows_of(simulator, "users") for role in user["roles"]}
    assert roles <= ids["roles"]
    for pool in rows_of(simulator, "device_pools"):
        assert set(pool["deviceIds"]) <= ids["robots"]
        assert pool["deviceCount"] == str(len(pool["deviceIds"]))
    for person in rows_of(simulator, "run_as_users"):
        assert str(person["id"]) in ids["users"]
        assert person["deviceId"] in ids["robots"]
    for schedule in rows_of(simulator, "schedules"):
        assert str(schedule["fileId"]) in ids["automations"]
        assert {str(user) for user in schedule["runAsUserIds"]} <= ids["users"]
    assert {item["queueId"] for item in rows_of(simulator, "wlm_work_items")} <= ids["wlm_queues"]
    models = {queue["workItemModelId"] for queue in rows_of(simulator, "wlm_queues")}
    assert models <= ids["wlm_models"]
    assert {row["createdBy"] for row in rows_of(simulator, "audit_messages")} <= ids["users"]


def test_ended_runs(runs: list[dict[str, Any]]) -> None:
    ended = [run for run in runs if run["status"] not in OPEN]
    assert len(ended) == len(runs) - 12
    for run in ended:
        assert NANOSECONDS.fullmatch(run["startDateTime"])
        assert NANOSECONDS.fullmatch(run["endDateTime"])
        assert instant(run["startDateTime"]) < instant(run["endDateTime"])
        assert instant(run["createdOn"]) <= instant(run["startDateTime"])
        assert instant(run["endDateTime"]) < instant(run["modifiedOn"])
        assert (run["progress"] == 100) == (run["status"] == "COMPLETED")
    assert len({run["endDateTime"][-4:] for run in ended}) > 100


def test_failed_runs_say_why(runs: list[dict[str, Any]]) -> None:
    failed = [run for run in runs if run["status"] == "RUN_FAILED"]
    assert failed
    assert {run["error"]["message"] == run["message"] != "" for run in failed} == {True}
    assert set(failed[0]["error"]) == {
        *("message", "details", "correctiveAction", "code"),
        *("messageValues", "detailsValues", "correctiveActionValues"),
    }
    assert {run["error"] for run in runs if run["status"] == "COMPLETED"} == {None}


def test_the_last_runs_are_under_way(runs: list[dict[str, Any]]) -> None:
    current = [run for run in runs if run["status"] in OPEN]
    assert len(current) == 12
    assert "UPDATE" in {run["status"] for run in current}
    assert {run["endDateTime"] for run in current} == {EPOCH}
    assert min(run["createdOn"] for run in current) >= max(
        run["createdOn"] for run in runs if run["status"] not in OPEN
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [("epoch", {EPOCH}), ("empty", {""}), ("mixed", {EPOCH, ""})],
)
def test_the_end_of_a_run_that_has_not_ended(style: Any, expected: set[str]) -> None:
    made = CloudBotSimulator(executions=400, quirks=CloudBotQuirks(epoch_end=style))
    ends = {row["endDateTime"] for row in rows_of(made, "executions") if row["status"] in OPEN}
    assert ends == expected


def test_all_times_lie_in_the_two_years_before_the_start(runs: list[dict[str, Any]]) -> None:
    moments = [instant(run[name]) for run in runs for name in ("createdOn", "modifiedOn")]
    assert max(moments) <= DEFAULT_NOW.timestamp() * 10**9
    assert min(moments) >= datetime(2024, 6, 30, tzinfo=UTC).timestamp() * 10**9
    assert all(MILLISECONDS.fullmatch(run["modifiedOn"]) for run in runs)
    years = Counter(run["createdOn"][:4] for run in runs)
    assert set(years) == {"2024", "2025", "2026"}


def test_the_start_can_be_chosen() -> None:
    early = CloudBotSimulator(executions=50, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert max(row["modifiedOn"] for row in rows_of(early, "executions")) <= "2020-01-01T00:00:01"


def test_schedules_are_told_from_single_runs(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        assert (run["automationId"] == "0") == (run["initiationType"] == "RUN_NOW")
    assert len({run["automationId"] for run in runs}) > 10


def test_files(simulator: CloudBotSimulator) -> None:
    files = rows_of(simulator, "automations")
    by_id = {row["id"]: row for row in files}
    assert len({row["path"] for row in files}) == len(files)
    for row in files:
        assert row["path"].startswith("Automation Anywhere\\Bots\\")
        assert row["path"].endswith("\\" + row["name"])
        assert row["folder"] == (row["type"] == "application/vnd.aa.directory")
        assert row["size"].isdigit()
        assert row["workspaceType"] == "PUBLIC"
        if not row["folder"]:
            assert row["path"].startswith(by_id[row["parentId"]]["path"] + "\\")
    assert {row["workspaceType"] for row in rows_of(simulator, "private_files")} == {"PRIVATE"}
    assert not by_id.keys() & set(simulator.tables["private_files"].keys())
    kinds = Counter(row["type"] for row in files)
    assert kinds["application/vnd.aa.taskbot"] > kinds["application/vnd.aa.headlessbot"] > 0


def test_bots_that_fail_always_fail(runs: list[dict[str, Any]]) -> None:
    failing = [
        run
        for run in runs
        if run["fileName"].startswith("ReconciliationFails") and run["status"] not in OPEN
    ]
    assert failing
    assert {run["status"] for run in failing} == {"RUN_FAILED"}


def test_devices_of_two_generations() -> None:
    made = CloudBotSimulator(executions=0, devices=60, quirks=CloudBotQuirks(old_devices=0.4))
    devices = rows_of(made, "robots")
    older = [row for row in devices if row["type"] in {"BOT_RUNNER", "BOT_CREATOR"}]
    newer = [row for row in devices if row["type"] in {"SINGLE_USER", "MULTIPLE_USERS"}]
    assert len(older) + len(newer) == 60
    assert 10 < len(older) < 40
    assert not any("defaultUsers" in row or "updatedOn" in row for row in older)
    for row in newer:
        assert row["defaultUsers"][0]["id"] == row["userId"]
    assert {type(row["logConfiguration"]["logFileSize"]) for row in newer} == {int, str}


def test_all_devices_are_current_ones_by_default(simulator: CloudBotSimulator) -> None:
    assert all("defaultUsers" in row for row in rows_of(simulator, "robots"))


def test_text_is_as_varied_as_people_are(simulator: CloudBotSimulator) -> None:
    for table in ("executions", "automations", "users"):
        text = b"".join(row.body for row in simulator.tables[table]).decode()
        assert re.search("[äöü]", text), table
        assert re.search("[一-龥]", text), table
    text = b"".join(row.body for row in simulator.tables["executions"]).decode()
    assert "\\n" in text
    assert '\\"' in text
    assert "🧨" in text


def test_counts_that_the_api_sends_as_strings(simulator: CloudBotSimulator) -> None:
    for queue in rows_of(simulator, "wlm_queues"):
        assert queue["manualProcessingTime"].isdigit()
        assert queue["manualProcessingTimeUnit"] in {"SECONDS", "MINUTES", "HOURS", "DAYS"}
    for product in rows_of(simulator, "license_products"):
        feature = product["feature"]
        used = feature["usedCountByAllCr"]
        assert feature["availableCount"] == feature["purchasedCount"] - used >= 0


def test_a_secret_is_in_no_row(simulator: CloudBotSimulator) -> None:
    text = b"".join(body for bodies in everything(simulator).values() for body in bodies)
    assert not any(secret.encode() in text for secret in simulator.secrets())


def test_the_settings_for_a_pipeline(simulator: CloudBotSimulator) -> None:
    assert simulator.configuration("http://here") == {
        "SOURCES__CLOUD_BOT_SOURCE__CONTROL_ROOM_URL": "http://here",
        "SOURCES__CLOUD_BOT_SOURCE__USERNAME": simulator.username,
        "SOURCES__CLOUD_BOT_SOURCE__API_KEY": simulator.api_key,
    }
