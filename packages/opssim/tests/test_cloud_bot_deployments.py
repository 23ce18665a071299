"""Starting bots, following their runs, counting them, and real-time API tasks."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.deployments import Deployments
from opssim.cloud_bot.filters import instant
from opssim.cloud_bot.world import Sizes, World
from opssim.core.clock import Clock
from opssim.core.server import serve

ACTIVITY = "/v3/activity/list"
DEPLOY = "/v3/automations/deploy"
ACCESS = "/orchestrator/v1/hotbot/config/accessdetails"


class Client:
    """A session that is logged in."""

    def __init__(self, url: str, simulator: CloudBotSimulator, http: requests.Session) -> None:
        self.simulator, self.url, self._http = simulator, url, http
        login = {"username": simulator.username, "apiKey": simulator.api_key}
        answer = self.post("/v2/authentication", **login)
        http.headers["X-Authorization"] = answer.json()["token"]

    def get(self, path: str) -> requests.Response:
        return self._http.get(self.url + path, timeout=5)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self._http.post(self.url + path, json=body, timeout=5)

    def rows(self, path: str, field: str, value: str) -> list[dict[str, Any]]:
        tree = {"operator": "eq", "field": field, "value": value}
        rows: list[dict[str, Any]] = self.post(path, filter=tree).json()["list"]
        return rows

    def deploy(self, **body: Any) -> dict[str, str]:
        answer = self.post(DEPLOY, **{"fileId": self.bot(), "runAsUserIds": ["2"], **body})
        assert answer.status_code == 200, answer.text
        content: dict[str, str] = answer.json()
        return content

    def runs(self, deployed: dict[str, str]) -> list[dict[str, Any]]:
        return self.rows(ACTIVITY, "deploymentId", deployed["deploymentId"])

    def ended(self, deployed: dict[str, str]) -> list[dict[str, Any]]:
        for _ in range(300):
            runs = self.runs(deployed)
            if all(run["status"] not in {"QUEUED", "UPDATE"} for run in runs):
                return runs
            time.sleep(0.01)
        pytest.fail("the runs did not end")

    def bot(self, name: str = "InvoiceBot") -> str:
        files = (row.data() for row in self.simulator.tables["automations"])
        return next(str(row["id"]) for row in files if row["name"] == name)


@contextmanager
def room_with(**settings: Any) -> Generator[Client]:
    settings = {"executions": 100, "run_seconds": 0.1, **settings}
    simulator = CloudBotSimulator(**settings)
    with serve(simulator) as running, requests.Session() as http:
        yield Client(running.url, simulator, http)


@pytest.fixture(scope="module")
def room() -> Generator[Client]:
    with room_with() as ready:
        yield ready


@pytest.mark.parametrize("path", [DEPLOY, "/v4/automations/deploy"])
def test_a_deployment_starts_a_run_for_each_user(room: Client, path: str) -> None:
    total = len(room.simulator.tables["executions"])
    answer = room.post(path, fileId=int(room.bot()), runAsUserIds=["2", 3])
    assert set(answer.json()) == {"deploymentId", "automationId"}
    runs = room.runs(answer.json())
    assert {run["userId"] for run in runs} == {"2", "3"}
    assert {run["fileName"] for run in runs} == {"InvoiceBot"}
    assert {run["initiationType"] for run in runs} == {"API"}
    assert {run["automationId"] for run in runs} == {answer.json()["automationId"]}
    assert len(room.simulator.tables["executions"]) == total + 2


class Timer:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_run_is_queued_goes_on_and_is_completed() -> None:
    clock, timer, quirks = Clock(), Timer(), CloudBotQuirks()
    sizes = Sizes(executions=0, bots=1, users=2, devices=1, audit_messages=0)
    world = World(random.Random(1), clock, quirks, sizes, account="loader")
    deployments = Deployments(
        world, clock, quirks, rng=random.Random(2), run_seconds=10, timer=timer
    )
    deployments.start({"fileId": world.bots[0].file_id, "runAsUserIds": ["2"]})

    def seen_after(seconds: float) -> tuple[str, int]:
        timer.now = 100.0 + seconds
        deployments.proceed()
        (run,) = (row.data() for row in world.tables["executions"])
        states.append(run)
        return run["status"], run["progress"]

    states: list[dict[str, Any]] = []
    assert seen_after(1.9) == ("QUEUED", 0)
    assert seen_after(2) == ("UPDATE", 10)
    assert seen_after(4.9) == ("UPDATE", 10)
    assert seen_after(6) == ("UPDATE", 50)
    assert seen_after(9.9) == ("UPDATE", 90)
    assert seen_after(10) == ("COMPLETED", 100)
    assert seen_after(99) == ("COMPLETED", 100)
    stamps = [run["modifiedOn"] for run in states]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == 5  # a change, and nothing else, moves `modifiedOn`
    assert {run["endDateTime"] for run in states[:5]} == {"1970-01-01T00:00:00Z"}
    run = states[-1]
    assert instant(run["createdOn"]) <= instant(run["startDateTime"])
    assert instant(run["startDateTime"]) < instant(run["endDateTime"])
    assert instant(run["endDateTime"]) < instant(run["modifiedOn"])
    assert {run["startDateTime"] for run in states[1:]} == {run["startDateTime"]}


def test_a_client_sees_a_run_end(room: Client) -> None:
    (run,) = room.ended(room.deploy())
    assert (run["status"], run["progress"], run["error"]) == ("COMPLETED", 100, None)


def test_a_run_nobody_looked_at_is_completed_all_the_same() -> None:
    with room_with(run_seconds=0) as room:
        (run,) = room.runs(room.deploy())
        assert (run["status"], run["progress"]) == ("COMPLETED", 100)
        assert instant(run["startDateTime"]) < instant(run["endDateTime"])


def test_a_bot_named_for_it_fails(room: Client) -> None:
    (run,) = room.ended(room.deploy(fileId=room.bot("ReconciliationFails")))
    assert run["status"] == "RUN_FAILED"
    assert run["error"]["message"] == run["message"] != ""


def test_all_runs_may_fail() -> None:
    with room_with(quirks=CloudBotQuirks(runs_fail=True)) as room:
        (run,) = room.ended(room.deploy())
        assert run["status"] == "RUN_FAILED"


def test_a_run_ended_by_somebody_else_stays_ended() -> None:
    with room_with(executions=0, run_seconds=60) as room:
        deployed = room.deploy()
        while room.runs(deployed)[0]["status"] in {"QUEUED", "UPDATE"}:
            room.simulator.touch("executions")
        (run,) = room.runs(deployed)
        assert room.runs(deployed) == [run]


def test_what_was_asked_for_shows_in_the_run(room: Client) -> None:
    (run,) = room.runs(
        room.deploy(automationName="夜間", automationPriority="PRIORITY_HIGH", botLabel="n-1")
    )
    assert (run["automationName"], run["botLabel"]) == ("夜間", "n-1")
    assert run["automationPriority"] == "PRIORITY_HIGH"
    runs = room.runs(room.deploy(runAsUserIds=["2", "3", "4"], numOfRunAsUsersToUse=2))
    assert {run["userId"] for run in runs} == {"2", "3"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fileId": None}, 400),
        ({"fileId": True}, 400),
        ({"fileId": "999999"}, 404),
        ({"fileId": "11"}, 404),  # a folder
        ({"runAsUserIds": None}, 400),
        ({"runAsUserIds": []}, 400),
        ({"runAsUserIds": "2"}, 400),
        ({"runAsUserIds": [None]}, 400),
        ({"runAsUserIds": ["2", "999"]}, 404),
        ({"numOfRunAsUsersToUse": 0}, 400),
        ({"callbackInfo": "https://example.com"}, 400),
        ({"callbackInfo": {"headers": ["x"]}}, 400),
        ({"automationName": 7}, 400),
        ({"runElevated": "yes"}, 400),
    ],
)
def test_deployments_that_cannot_be(room: Client, body: dict[str, Any], status: int) -> None:
    total = len(room.simulator.tables["executions"])
    valid = {"fileId": room.bot(), "runAsUserIds": ["2"]}
    answer = room.post(DEPLOY, **{**valid, **body})
    assert answer.status_code == status
    assert answer.json()["message"]
    assert len(room.simulator.tables["executions"]) == total


def test_new_bots_can_be_deployed(room: Client) -> None:
    room.simulator.insert("automations")
    newest = room.simulator.tables["automations"].keys()[-1]
    assert room.runs(room.deploy(fileId=newest))[0]["fileId"] == newest


def test_one_run_has_what_the_bot_returned(room: Client) -> None:
    deployed = room.deploy()
    (run,) = room.runs(deployed)
    room.ended(deployed)
    shown = room.get(f"/v3/activity/execution/{run['id']}").json()
    assert set(shown) - set(run) == {"botOutVariables"}
    values = shown["botOutVariables"]["values"]
    assert values["processed"] == {"type": "NUMBER", "number": str(run["totalLines"])}
    assert values["complete"] == {"type": "BOOLEAN", "boolean": True}
    assert room.get("/v3/activity/execution/nothing").status_code == 404


def test_one_run_is_up_to_date_although_the_list_was_not_read() -> None:
    with room_with(run_seconds=0) as room:
        deployed = room.deploy()
        held = room.simulator.tables["executions"]
        key = next(
            row.key for row in held if row.data()["deploymentId"] == deployed["deploymentId"]
        )
        assert room.get(f"/v3/activity/execution/{key}").json()["status"] == "COMPLETED"


def test_callbacks_are_shown_for_one_run_and_their_headers_are_secrets(room: Client) -> None:
    callback = {"url": "https://example.com/hook", "headers": {"X-Key": "cb-5ec2e7"}}
    (run,) = room.runs(room.deploy(callbackInfo=callback))
    assert run["callbackInfo"] == ""
    shown = room.get(f"/v3/activity/execution/{run['id']}").json()
    assert "cb-5ec2e7" in shown["callbackInfo"]
    assert "cb-5ec2e7" in room.simulator.secrets()


def test_metrics_count_what_the_list_holds(room: Client) -> None:
    metrics = room.post("/v3/activity/metrics").json()["metrics"]
    held = [row.data()["status"] for row in room.simulator.tables["executions"]]
    assert {entry["status"]: entry["count"] for entry in metrics} == {
        status: held.count(status) for status in set(held)
    }


def test_metrics_of_a_time_range(room: Client) -> None:
    def count(**time_range: str) -> int:
        answer = room.post("/v3/activity/metrics", timeRange=time_range)
        assert answer.status_code == 200, answer.text
        return sum(entry["count"] for entry in answer.json()["metrics"])

    created = [row.data()["createdOn"] for row in room.simulator.tables["executions"]]
    middle = sorted(created)[50]
    later = sum(moment >= middle for moment in created)
    assert count(type="CUSTOM", startTime=middle) == later
    assert count(type="CUSTOM", endTime=middle) == len(created) - later + 1
    assert count(type="CUSTOM") == len(created)
    hours = count(type="LAST2HOURS")
    assert 0 < hours < count(type="LAST90DAYS") < len(created)
    assert count(type="LAST30MINUTES") <= hours


@pytest.mark.parametrize(
    "time_range",
    [{"type": "YESTERDAY"}, {}, "LAST1HOURS", {"type": "CUSTOM", "startTime": "soon"}],
)
def test_metrics_of_a_range_that_is_none(room: Client, time_range: Any) -> None:
    assert room.post("/v3/activity/metrics", timeRange=time_range).status_code == 400


def api_task(room: Client) -> dict[str, Any]:
    path = "/v2/repository/workspaces/public/files/list"
    return room.rows(path, "type", "application/vnd.aa.headlessbot")[0]


@pytest.mark.parametrize("name", ["path", "uri"])
def test_an_api_task_is_run_with_a_url_and_a_token_of_its_own(room: Client, name: str) -> None:
    task = api_task(room)
    answer = room.post(ACCESS, botRepositoryPath=[task[name]]).json()
    assert answer["errors"] == {}
    access = answer["accessDetails"][task[name]]
    assert access["url"].startswith(room.url)
    inputs = {"order": {"type": "STRING", "string": "RE-1"}}
    answer = requests.post(
        f"{access['url']}/execute", json={"botInput": inputs}, headers=access["headers"], timeout=5
    )
    result = answer.json()
    assert result["status"] == "COMPLETED"
    assert result["botOutVariables"]["values"]["order"] == inputs["order"]
    assert result["botOutVariables"]["values"]["task"]["string"] == task["name"]
    assert access["headers"]["X-Authorization"] in room.simulator.secrets()


def test_only_the_token_of_a_task_runs_it(room: Client) -> None:
    access = room.post(ACCESS, botRepositoryPath=[api_task(room)["path"]]).json()
    (details,) = access["accessDetails"].values()
    url = details["url"] + "/execute"
    assert requests.post(url, timeout=5).status_code == 401
    assert requests.post(url, headers={"X-Authorization": "x"}, timeout=5).status_code == 401
    assert room.post(url.removeprefix(room.url)).status_code == 401  # the login's own token
    assert requests.post(url, headers=details["headers"], timeout=5).status_code == 200
    answer = requests.post(room.url + ACTIVITY, json={}, headers=details["headers"], timeout=5)
    assert answer.status_code == 401


def test_paths_of_no_api_task_are_reported_beside_the_others(room: Client) -> None:
    good, bot = api_task(room)["path"], "Automation Anywhere\\Bots\\Finance\\InvoiceBot"
    answer = room.post(ACCESS, botRepositoryPath=[good, bot]).json()
    assert list(answer["accessDetails"]) == [good]
    assert list(answer["errors"]) == [bot]
    assert room.post(ACCESS, botRepositoryPath=good).status_code == 400


def test_the_token_of_a_task_expires() -> None:
    with room_with() as room:
        access = room.post(ACCESS, botRepositoryPath=[api_task(room)["path"]]).json()
        (details,) = access["accessDetails"].values()
        room.simulator.expire_tokens()
        answer = requests.post(details["url"] + "/execute", headers=details["headers"], timeout=5)
        assert answer.status_code == 401
