"""The rows that the simulated Roost is filled with."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from opssim.core.clock import DEFAULT_NOW
from opssim.roost import RoostQuirks, RoostSimulator

TEST_COLUMNS = {
    "id", "user_id", "thirdparty_app_id", "test_name", "git_info", "ai_model_info",
    "integration_info", "additional_info", "ui_test_info", "trigger_events", "created_on",
    "updated_on", "deleted", "test_timeout", "webhook_error", "test_framework", "git_type",
    "source_repo", "source_branch", "connector_ids", "git_ops", "labels", "test_source",
    "test_scope",
}  # fmt: skip
EVENT_COLUMNS = {
    "id", "user_id", "thirdparty_app_id", "git_event_id", "status", "time", "test_id",
    "status_details", "completion_time", "pr_create_duration", "test_endpoints", "test_report",
    "test_type", "test_result", "slack_timestamp", "modification_time", "git_info",
    "ai_model_info", "additional_info", "integration_info", "ui_test_info", "retrigger_data",
    "labels", "test_timeout", "deleted",
}  # fmt: skip
SECRET_KEYS = {
    "access_token",
    "jira_password",
    "azure_token",
    "slackToken",
    "ms_teams_access_token",
    "log_stash_api_key",
    "log_stash_token",
    "secret_access_key",
    "session_token",
    "access_key_id",
}
UNFINISHED = {"in_queue", "installing_dependencies", "in_progress"}


@pytest.fixture(scope="module")
def roost() -> RoostSimulator:
    return RoostSimulator()


def rows(simulator: RoostSimulator, table: str) -> list[dict[str, Any]]:
    return [row.data() for row in simulator.tables[table]]


def secrets_below(value: object) -> set[str]:
    """Find secrets by the names of their keys, wherever they are."""
    if isinstance(value, list):
        return {secret for item in cast("list[object]", value) for secret in secrets_below(item)}
    if not isinstance(value, dict):
        return set()
    entries = cast("dict[str, object]", value)
    found = {str(item) for key, item in entries.items() if key in SECRET_KEYS}
    if entries.get("secret"):
        found.add(str(entries["value"]))
    return found | {secret for item in entries.values() for secret in secrets_below(item)}


class TestSeed:
    def test_gives_the_same_rows_again(self) -> None:
        first, second = RoostSimulator(tests=9, events=50), RoostSimulator(tests=9, events=50)
        for table in ("tests", "test_plans", "events"):
            assert rows(first, table) == rows(second, table)
        assert first.token == second.token

    def test_gives_other_rows_for_another_seed(self) -> None:
        first, second = (
            RoostSimulator(tests=9, events=50),
            RoostSimulator(seed=8, tests=9, events=50),
        )
        assert not set(first.tables["events"].keys()) & set(second.tables["events"].keys())
        assert first.token != second.token
        assert not first.secrets() & second.secrets()

    def test_moves_with_the_clock(self) -> None:
        early = RoostSimulator(tests=9, events=50, now=datetime(2020, 1, 1, tzinfo=UTC))
        assert all(row["time"] < "2020" for row in rows(early, "events"))
        assert all(row["time"] > "2017-12" for row in rows(early, "events"))

    def test_same_changes_give_the_same_rows(self) -> None:
        def changed() -> list[list[Any]]:
            simulator = RoostSimulator(tests=9, events=50)
            simulator.insert("events", 3)
            simulator.touch("events", 8)
            simulator.insert("tests", 1)
            return [[row["id"], row["status"]] for row in rows(simulator, "events")]

        assert changed() == changed()

    def test_events_need_tests(self) -> None:
        with pytest.raises(ValueError, match="an event belongs to a test"):
            RoostSimulator(tests=0, events=1)
        assert RoostSimulator(tests=0, events=0).counts() == {
            "tests": 0,
            "test_plans": 0,
            "events": 0,
        }


class TestTests:
    def test_sizes(self, roost: RoostSimulator) -> None:
        assert roost.counts() == {"tests": 200, "test_plans": 40, "events": 1500}

    @pytest.mark.parametrize("table", ["tests", "test_plans"])
    def test_have_the_columns_of_the_entity(self, roost: RoostSimulator, table: str) -> None:
        assert {tuple(sorted(row)) for row in rows(roost, table)} == {tuple(sorted(TEST_COLUMNS))}

    @pytest.mark.parametrize(
        "column",
        ["ui_test_info", "webhook_error", "labels", "test_source"],
    )
    def test_have_nulls_where_the_database_has(self, roost: RoostSimulator, column: str) -> None:
        assert {row[column] is None for row in rows(roost, "tests")} == {True, False}

    def test_keep_json_in_strings(self, roost: RoostSimulator) -> None:
        for row in rows(roost, "tests"):
            for column in ("git_info", "ai_model_info", "integration_info", "additional_info"):
                assert isinstance(json.loads(row[column]), dict)
            for column in ("trigger_events", "connector_ids"):
                assert isinstance(json.loads(row[column]), list)

    def test_fit_their_columns(self, roost: RoostSimulator) -> None:
        assert max(len(row["test_name"]) for row in rows(roost, "tests")) <= 100

    def test_names_are_not_ascii_alone(self, roost: RoostSimulator) -> None:
        names = "".join(row["test_name"] for row in rows(roost, "tests"))
        assert {"Ü", "決", "🚀", '"', "'"} <= set(names)

    def test_were_made_in_the_two_years_before_the_start(self, roost: RoostSimulator) -> None:
        created = [datetime.fromisoformat(row["created_on"]) for row in rows(roost, "tests")]
        assert DEFAULT_NOW - timedelta(days=731) < min(created)
        assert max(created) < DEFAULT_NOW
        assert created == sorted(created)
        assert max(created) - min(created) > timedelta(days=700)
        for row in rows(roost, "tests"):
            assert row["created_on"] <= row["updated_on"] <= "2026-07-01T00:00:00.000Z"

    def test_some_are_deleted(self, roost: RoostSimulator) -> None:
        assert {row["deleted"] for row in rows(roost, "tests")} == {0, 1}


class TestEvents:
    def test_have_the_columns_of_the_table(self, roost: RoostSimulator) -> None:
        assert {tuple(sorted(row)) for row in rows(roost, "events")} == {
            tuple(sorted(EVENT_COLUMNS))
        }

    def test_end_as_events_do(self, roost: RoostSimulator) -> None:
        statuses = Counter(row["status"] for row in rows(roost, "events"))
        assert statuses["completed"] > 1000
        assert {"failed", "aborted", "timeout"} | UNFINISHED == set(statuses) - {"completed"}

    def test_belong_to_tests_that_were_there(self, roost: RoostSimulator) -> None:
        created = {row["id"]: row["created_on"] for row in rows(roost, "tests")}
        assert all(created[row["test_id"]] <= row["time"] for row in rows(roost, "events"))

    def test_times_are_in_order(self, roost: RoostSimulator) -> None:
        for row in rows(roost, "events"):
            if row["status"] in UNFINISHED:
                assert row["completion_time"] is None
                assert row["test_report"] is None
                assert row["modification_time"] == row["time"]
            else:
                assert row["time"] < row["completion_time"] <= row["modification_time"]
            assert row["modification_time"] <= "2026-07-01T00:00:00.000Z"

    def test_repeat_their_test(self, roost: RoostSimulator) -> None:
        event = rows(roost, "events")[0]
        test = roost.tables["tests"].get(event["test_id"])
        assert test is not None
        for column in ("git_info", "additional_info", "labels", "test_timeout"):
            assert event[column] == test.data()[column]

    @pytest.mark.parametrize(
        "column",
        [
            "git_event_id",
            "pr_create_duration",
            "test_endpoints",
            "test_result",
            "test_report",
            "slack_timestamp",
            "retrigger_data",
        ],
    )
    def test_have_nulls_where_the_database_has(self, roost: RoostSimulator, column: str) -> None:
        assert {row[column] is None for row in rows(roost, "events")} == {True, False}


class TestReports:
    def test_completed_events_have_one(self, roost: RoostSimulator) -> None:
        completed = [row for row in rows(roost, "events") if row["status"] == "completed"]
        assert all(row["test_report"] for row in completed)

    def test_count_what_their_details_show(self, roost: RoostSimulator) -> None:
        reports = [json.loads(r["test_report"]) for r in rows(roost, "events") if r["test_report"]]
        for report in reports[:200]:
            methods = [
                method
                for paths in report["advancedDetails"].values()
                for keys in paths.values()
                for method in keys.values()
            ]
            statuses = Counter(method["status"] for method in methods)
            metrics = report["testMetrics"]
            assert metrics["methodsScanned"] == len(methods)
            assert metrics["successfulTests"] == statuses["successfully_executed"]
            assert metrics["testWithCompilationErrors"] == statuses["compilation_error"]
            assert metrics["testswithRunTimeErrors"] == statuses["successfully_generated"]
            assert metrics["toBeProcessed"] == statuses["to_be_processed"]
            assert metrics["totalTestFiles"] >= metrics["successfulTests"]

    def test_hardly_share_a_key(self, roost: RoostSimulator) -> None:
        keys = Counter(
            key
            for row in rows(roost, "events")[:300]
            if row["test_report"]
            for paths in json.loads(row["test_report"])["advancedDetails"].values()
            for methods in paths.values()
            for key in methods
        )
        assert len(keys) > 1000
        assert max(keys.values()) == 1

    def test_are_small_unless_asked_for(self, roost: RoostSimulator) -> None:
        assert max(len(row.body) for row in roost.tables["events"]) < 20_000

    def test_are_huge_if_that_is_the_quirk(self) -> None:
        simulator = RoostSimulator(tests=5, events=120, quirks=RoostQuirks(huge_reports=True))
        sizes = sorted(len(row["test_report"] or "") for row in rows(simulator, "events"))
        assert 1 <= sum(size > 300_000 for size in sizes) <= 3
        assert sizes[-4] < 20_000


class TestSecrets:
    @pytest.mark.parametrize("table", ["tests", "test_plans", "events"])
    def test_all_of_them_are_told(self, roost: RoostSimulator, table: str) -> None:
        columns = ("git_info", "ai_model_info", "integration_info", "additional_info")
        found = {
            secret
            for row in rows(roost, table)
            for column in columns
            for secret in secrets_below(json.loads(row[column]))
        }
        assert len(found) > 100
        assert found <= roost.secrets()

    def test_are_of_every_kind(self, roost: RoostSimulator) -> None:
        kinds = {secret.split("-sim-")[0] for secret in roost.secrets() - {roost.token}}
        assert kinds == {
            "git", "sk", "jira", "azure", "env", "slack", "teams",
            "logkey", "logtoken", "awsid", "aws", "awssession",
        }  # fmt: skip

    def test_contain_the_token_and_can_be_searched_for(self, roost: RoostSimulator) -> None:
        assert roost.token in roost.secrets()
        assert min(len(secret) for secret in roost.secrets()) > 24

    def test_are_each_in_a_row(self, roost: RoostSimulator) -> None:
        text = b"".join(
            row.body for table in ("tests", "test_plans") for row in roost.tables[table]
        )
        assert all(secret.encode() in text for secret in roost.secrets() - {roost.token})


class TestChanges:
    @pytest.mark.parametrize("table", ["tests", "test_plans", "events"])
    def test_inserted_rows_are_the_newest(self, table: str) -> None:
        roost = RoostSimulator(tests=5, events=40)
        before = set(roost.tables[table].keys())
        roost.insert(table, 4)
        new = [row for row in rows(roost, table) if row["id"] not in before]
        stamp = "time" if table == "events" else "created_on"
        assert len(new) == 4
        assert len({row[stamp] for row in new}) == 4
        assert all(row[stamp] >= "2026-07-01" for row in new)

    @pytest.mark.parametrize("table", ["tests", "test_plans", "events"])
    def test_touched_rows_are_stamped(self, table: str) -> None:
        roost = RoostSimulator(tests=20, events=40)
        roost.touch(table, 3)
        stamp = "modification_time" if table == "events" else "updated_on"
        assert sum(row[stamp] > "2026-07-01T00:00:00.000Z" for row in rows(roost, table)) == 3

    def test_touching_more_than_there_is_touches_all(self) -> None:
        roost = RoostSimulator(tests=3, events=0)
        roost.touch("tests", 99)
        assert all(row["updated_on"] > "2026-07-01" for row in rows(roost, "tests"))

    def test_unfinished_events_come_to_an_end_step_by_step(self) -> None:
        roost = RoostSimulator(tests=3, events=0)
        roost.insert("events")
        (event_id,) = roost.tables["events"].keys()
        seen: list[str] = []
        for _ in range(4):
            (event,) = rows(roost, "events")
            seen.append(event["status"])
            roost.touch("events")
        assert seen == ["in_queue", "installing_dependencies", "in_progress", "completed"]
        (event,) = rows(roost, "events")
        assert event["id"] == event_id
        assert event["completion_time"] is not None
        assert event["test_report"] is not None
