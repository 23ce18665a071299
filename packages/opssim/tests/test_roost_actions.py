"""What a client can set going in the simulated Roost, and how it ends."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from opssim.core.server import Running, serve
from opssim.roost import RoostQuirks, RoostSimulator

TRIGGER: dict[str, Any] = {"event_type": "generate", "license_key": "L-1", "runtime_variables": {}}
RETRIGGER: dict[str, Any] = {
    "improve_data": [],
    "head_branch": "main",
    "event_type": "retrigger",
}
NEW_TEST: dict[str, Any] = {
    "app_id": "app-1",
    "test_name": "neue Prüfung ✓",
    "git_type": "gitlab",
    "ai_model_info": {"selected_model": "openai", "model": "gpt-4", "access_token": "posted-ai-1"},
    "git_info": {"source": {"access_token": "posted-git-1", "selected_branch": "trunk"}},
    "integration_info": {"type": "jira", "jira_password": "posted-jira-1"},
    "additional_info": {
        "test_type": "unit",
        "custom_tags": ["new"],
        "env_config": [{"key": "PIN", "value": "posted-env-1", "secret": True}],
    },
    "test_timeout": 1.5,
    "test_scope": "team",
}
NEW_PLAN: dict[str, Any] = {
    "appId": "app-1",
    "testName": "Plan B",
    "aiModelConfiguration": {"selected_model": "openai", "model": "gpt-4"},
    "gitConfiguration": {"host_type": "azure", "source": {"selected_branch": "main"}},
    "testConfiguration": {"test_type": "grpc"},
    "timeoutInHours": 2,
    "scopeType": "owner",
}


class Client:
    """The calls of these tests, against one simulator."""

    def __init__(self, running: Running[RoostSimulator]) -> None:
        self.simulator = running.simulator
        self.url = running.url + "/api"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {running.simulator.token}"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=5, **more)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        answer = self.call(method, path, **more)
        return answer.status_code, answer.json()["message"]

    def event_with(self, status: str) -> Any:
        return self.get("/test/event", status_filter=status, take="1")["data"][0]

    def any_test(self) -> str:
        return self.simulator.tables["tests"].keys()[0]


@pytest.fixture
def open_client() -> Iterator[Callable[..., Client]]:
    """Serve simulators and return clients of them."""
    with ExitStack() as opened:

        def open_one(**options: Any) -> Client:
            simulator = RoostSimulator(tests=6, events=60, **options)
            client = Client(opened.enter_context(serve(simulator)))
            opened.callback(client.session.close)
            return client

        yield open_one


@pytest.fixture(scope="class")
def roost() -> Iterator[Client]:
    """Serve a simulator whose runs take an hour, for the clock to be put forward."""
    with serve(RoostSimulator(tests=6, events=60, run_seconds=3600)) as running:
        client = Client(running)
        yield client
        client.session.close()


class TestRun:
    def test_goes_through_its_stages(self, roost: Client) -> None:
        begun = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)
        seen = [begun]
        for minutes in (7, 12, 45):
            roost.simulator.clock.skip(timedelta(minutes=minutes))
            seen.append(roost.get(f"/test/event/{begun['id']}"))
        assert [event["status"] for event in seen] == [
            "in_queue",
            "installing_dependencies",
            "in_progress",
            "completed",
        ]
        changed = [event["modification_time"] for event in seen]
        assert changed == sorted(set(changed))
        assert [event["completion_time"] is None for event in seen] == [True, True, True, False]
        assert json.loads(seen[-1]["test_report"])["status"] == "completed"

    def test_takes_its_time(self, roost: Client) -> None:
        begun = roost.post(f"/test/{roost.any_test()}/triggerTest", TRIGGER)
        roost.simulator.clock.skip(timedelta(hours=5))
        ended = roost.get(f"/test/event/{begun['id']}")
        duration = datetime.fromisoformat(ended["completion_time"]) - datetime.fromisoformat(
            begun["time"]
        )
        assert duration == timedelta(hours=1)
        # the row changed when somebody looked, so that nobody finds it behind his watermark
        assert ended["modification_time"] > ended["completion_time"]

    def test_needs_no_help_to_end(self, open_client: Callable[..., Client]) -> None:
        roost = open_client(run_seconds=0.1)
        event_id = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)["id"]
        deadline = time.monotonic() + 3
        while (event := roost.get(f"/test/event/{event_id}"))["status"] != "completed":
            assert time.monotonic() < deadline, event
            time.sleep(0.02)

    def test_shows_in_the_list_as_well(self, roost: Client) -> None:
        event_id = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)["id"]
        assert roost.get("/test/event", take="1")["data"][0]["id"] == event_id
        roost.simulator.clock.skip(timedelta(hours=2))
        changed = roost.get("/test/event", take="5", order_by="modification_time")["data"]
        assert {event["id"]: event["status"] for event in changed}[event_id] == "completed"

    def test_fails_as_often_as_asked(self, open_client: Callable[..., Client]) -> None:
        roost = open_client(run_seconds=60, fail_every=3)
        path = f"/test/{roost.any_test()}/trigger"
        ids = [roost.post(path, TRIGGER)["id"] for _ in range(6)]
        roost.simulator.clock.skip(timedelta(minutes=2))
        ends = [roost.get(f"/test/event/{event_id}") for event_id in ids]
        assert [event["status"] for event in ends] == ["completed", "completed", "failed"] * 2
        assert ends[2]["completion_time"] is not None

    def test_keeps_its_type(self, roost: Client) -> None:
        body = {**TRIGGER, "event_type": "improve"}
        event_id = roost.post(f"/test/{roost.any_test()}/trigger", body)["id"]
        listed = roost.get("/test/event", event_type_filter="improve", take="1")["data"]
        assert [event["id"] for event in listed] == [event_id]

    def test_belongs_to_its_test_and_the_owner_of_the_token(self, roost: Client) -> None:
        event = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)
        test = roost.get(f"/test/{event['test_id']}", clone_test="false")
        mine = roost.get("/test/event", show_my_events="true", take="1")["data"]
        assert event["test_id"] == roost.any_test()
        assert event["git_info"] == test["git_info"]
        assert [row["id"] for row in mine] == [event["id"]]

    def test_of_a_test_plan(self, roost: Client) -> None:
        (plan, *_) = roost.simulator.tables["test_plans"].keys()
        event = roost.post(f"/test/{plan}/trigger", TRIGGER)
        assert event["test_id"] == plan

    @pytest.mark.parametrize(
        ("field", "message"),
        [
            ("event_type", "event_type must be a string"),
            ("license_key", "license_key must be a string"),
            ("runtime_variables", "runtime_variables should not be empty"),
        ],
    )
    def test_needs_its_fields(self, roost: Client, field: str, message: str) -> None:
        body = {key: value for key, value in TRIGGER.items() if key != field}
        path = f"/test/{roost.any_test()}/trigger"
        assert roost.refused("POST", path, json=body) == (400, message)

    def test_knows_its_types_and_its_test(self, roost: Client) -> None:
        path = f"/test/{roost.any_test()}/trigger"
        status, message = roost.refused("POST", path, json={**TRIGGER, "event_type": "run"})
        assert (status, message.partition(":")[0]) == (
            400,
            "event_type must be one of the following values",
        )
        assert roost.refused("POST", "/test/none/trigger", json=TRIGGER) == (404, "Test not found")

    def test_refuses_what_is_not_json(self, roost: Client) -> None:
        path = f"/test/{roost.any_test()}/trigger"
        status, message = roost.refused("POST", path, data="event_type=generate")
        assert (status, message) == (400, "Unexpected token in JSON at position 0")
        assert roost.refused("POST", path, json=["generate"])[0] == 400


class TestAbort:
    def test_takes_a_moment(self, roost: Client) -> None:
        event_id = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)["id"]
        assert roost.post(f"/test/event/{event_id}/abort")["status"] == "aborting"
        assert roost.get(f"/test/event/{event_id}")["completion_time"] is None
        roost.simulator.clock.skip(timedelta(minutes=10))
        ended = roost.get(f"/test/event/{event_id}")
        assert ended["status"] == "aborted"
        assert ended["completion_time"] is not None
        assert ended["test_report"] is None

    def test_works_for_what_was_going_on_before(self, roost: Client) -> None:
        event_id = roost.event_with("in_progress")["id"]
        for _ in range(2):  # the second time to no effect
            roost.post(f"/test/event/{event_id}/abort")
        roost.simulator.clock.skip(timedelta(minutes=10))
        assert roost.get(f"/test/event/{event_id}")["status"] == "aborted"

    def test_comes_too_late(self, roost: Client) -> None:
        path = f"/test/event/{roost.event_with('completed')['id']}/abort"
        assert roost.refused("POST", path) == (400, "Event is already completed")
        assert roost.refused("POST", "/test/event/none/abort") == (404, "Event not found")


class TestRetrigger:
    def test_begins_another_event_of_the_test(self, roost: Client) -> None:
        old = roost.event_with("completed")
        new = roost.post(f"/test/event/{old['id']}/retrigger", RETRIGGER)
        assert new["id"] != old["id"]
        assert new["test_id"] == old["test_id"]
        assert new["status"] == "in_queue"
        assert json.loads(new["retrigger_data"])["trigger_id"] == old["id"]

    def test_needs_its_fields(self, roost: Client) -> None:
        path = f"/test/event/{roost.event_with('completed')['id']}/retrigger"
        assert roost.refused("POST", path) == (
            400,
            (
                "improve_data must be an array, head_branch must be a string, "
                "event_type must be a string"
            ),
        )


class TestLogs:
    def test_are_lines_in_order(self, roost: Client) -> None:
        event = roost.event_with("completed")
        logs = roost.get(f"/test/event/{event['id']}/logs")
        assert set(logs) == {"logs"}
        assert {tuple(line) for line in logs["logs"]} == {("timestamp", "level", "message")}
        times = [line["timestamp"] for line in logs["logs"]]
        assert times == sorted(times)
        assert logs["logs"][-1]["message"] == event["status_details"]

    def test_grow_with_the_run(self, roost: Client) -> None:
        event_id = roost.post(f"/test/{roost.any_test()}/trigger", TRIGGER)["id"]
        first = roost.get(f"/test/event/{event_id}/logs")["logs"]
        roost.simulator.clock.skip(timedelta(hours=2))
        last = roost.get(f"/test/event/{event_id}/logs")["logs"]
        assert [last[0]] == first
        assert len(last) > 3

    def test_are_text_if_that_is_the_quirk(self, open_client: Callable[..., Client]) -> None:
        roost = open_client(quirks=RoostQuirks(logs="text"))
        answer = roost.call("GET", f"/test/event/{roost.event_with('failed')['id']}/logs")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        answer.encoding = "utf-8"
        assert "ERROR Compilation failed:\nerror: cannot find symbol »Währung«" in answer.text

    def test_contain_no_secret(self, roost: Client) -> None:
        text = roost.call("GET", f"/test/event/{roost.event_with('completed')['id']}/logs").text
        assert not [secret for secret in roost.simulator.secrets() if secret in text]


class TestExecution:
    @pytest.fixture
    def event(self, roost: Client) -> Any:
        return roost.event_with("completed")

    @pytest.fixture
    def method(self, event: Any) -> Any:
        details = json.loads(event["test_report"])["advancedDetails"]
        (paths, *_) = details.values()
        (methods, *_) = paths.values()
        (method, *_) = methods.values()
        return method

    def test_status_is_a_bare_string(self, roost: Client, event: Any, method: Any) -> None:
        path = f"/test/event/{event['id']}/execute/status"
        assert roost.get(path, file_path=method["testFilePath"]) == method["status"]
        assert roost.get(path, file_path="src/none.py") == "not_executed"

    def test_status_is_text_if_that_is_the_quirk(self, open_client: Callable[..., Client]) -> None:
        roost = open_client(quirks=RoostQuirks(status_as_text=True))
        path = f"/test/event/{roost.event_with('completed')['id']}/execute/status"
        answer = roost.call("GET", path, params={"file_path": "x"})
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == "not_executed"

    def test_report_is_of_one_file(self, roost: Client, event: Any, method: Any) -> None:
        path = f"/test/event/{event['id']}/execute/report"
        file_path = method["testFilePath"]
        assert roost.get(path, file_choice="report", file_path=file_path) == {
            "file_path": file_path,
            "file_choice": "report",
            "status": method["status"],
            "method": method,
        }
        params = {"file_choice": "report", "file_path": "src/none.py"}
        assert roost.refused("GET", path, params=params) == (404, "File not found")

    def test_parameters_are_required(self, roost: Client, event: Any) -> None:
        base = f"/test/event/{event['id']}/execute"
        message = "file_choice must be a string, file_path must be a string"
        assert roost.refused("GET", f"{base}/report") == (400, message)
        assert roost.refused("GET", f"{base}/status") == (400, "file_path must be a string")

    def test_can_be_asked_for(self, roost: Client, event: Any) -> None:
        base = f"/test/event/{event['id']}/execute"
        body = {"target_url": "https://shop.example.com", "file_path": ["tests/größe.py"]}
        assert roost.post(base, body)["status"] == "in_progress"
        assert roost.get(f"{base}/status", file_path="tests/größe.py") == "in_progress"
        roost.simulator.clock.skip(timedelta(hours=2))
        assert roost.get(f"{base}/status", file_path="tests/größe.py") == "successfully_executed"

    def test_can_be_aborted(self, roost: Client, event: Any) -> None:
        base = f"/test/event/{event['id']}/execute"
        roost.post(base, {"target_url": "https://shop.example.com", "file_path": ["a.py"]})
        assert roost.post(f"{base}/abort") == "aborted"
        assert roost.get(f"{base}/status", file_path="a.py") == "not_executed"
        assert roost.refused("POST", base, json={})[1] == (
            "target_url must be a string, file_path must be an array"
        )


class TestNewTest:
    def test_is_answered_and_listed(self, roost: Client) -> None:
        before = roost.simulator.counts()["tests"]
        made = roost.post("/test", NEW_TEST)
        assert len(made) == 24
        assert made["test_name"] == "neue Prüfung ✓"
        assert made["source_branch"] == "trunk"
        assert json.loads(made["labels"]) == ["new"]
        assert json.loads(made["git_info"]) == NEW_TEST["git_info"]
        assert roost.get(f"/test/{made['id']}", clone_test="false") == made
        assert roost.simulator.counts()["tests"] == before + 1
        assert roost.post(f"/test/{made['id']}/trigger", TRIGGER)["test_type"] == "unit"

    def test_brings_its_secrets(self, roost: Client) -> None:
        roost.post("/test", NEW_TEST)
        posted = {"posted-ai-1", "posted-git-1", "posted-jira-1", "posted-env-1"}
        assert posted <= roost.simulator.secrets()

    def test_misses_every_required_field(self, roost: Client) -> None:
        status, message = roost.refused("POST", "/test", json={})
        assert status == 400
        assert message == (
            "app_id must be a string, test_name must be a string, git_type must be one of the "
            "following values: github, gitlab, bitbucket, azure, ai_model_info must be an object, "
            "git_info must be an object, integration_info must be an object, additional_info must "
            "be an object, test_timeout must be a number conforming to the specified constraints, "
            "test_scope should not be empty"
        )

    @pytest.mark.parametrize(
        "strange",
        [
            {"additional_info": {"env_config": "x", "custom_tags": {"a": 1}}},
            {"additional_info": {"env_config": [None, {"secret": True}], "slackConfig": []}},
            {"git_info": {"source": "x"}, "git_ops": "yes"},
        ],
    )
    def test_may_be_strange_inside(self, roost: Client, strange: dict[str, Any]) -> None:
        roost.post("/test", NEW_TEST | strange)
        assert roost.simulator.token in roost.simulator.secrets()

    def test_plan(self, roost: Client) -> None:
        made = roost.post("/test/createTestPlan", NEW_PLAN)
        assert (made["test_name"], made["git_type"], made["test_timeout"]) == ("Plan B", "azure", 2)
        assert made["id"] in roost.simulator.tables["test_plans"]
        status, message = roost.refused("POST", "/test/createTestPlan", json={"appId": "a"})
        assert status == 400
        assert message.startswith("testName must be a string, aiModelConfiguration must be")


class TestDelete:
    def test_marks_the_row(self, roost: Client) -> None:
        test_id = roost.any_test()
        event_id = roost.event_with("completed")["id"]
        test = roost.call("DELETE", f"/test/{test_id}").json()
        event = roost.call("DELETE", f"/test/event/{event_id}").json()
        assert (test["deleted"], event["deleted"]) == (1, 1)
        assert test["updated_on"] > "2026-07-01"
        assert roost.get("/test/event", order_by="modification_time", take="1")["data"] == [event]
        assert roost.refused("DELETE", "/test/none") == (404, "Test not found")
