"""The endpoints that only dltHub's page names, and its example's bearer token."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.core.churn import Churn
from opssim.core.server import Running, serve

ControlRoom = Running[CloudBotSimulator]
LISTS = [
    ("/v3/automations", "automations"),
    ("/v3/automations/executions", "executions"),
    ("/v1/users", "users"),
    ("/v1/robots", "robots"),
]


@pytest.fixture(scope="module")
def room() -> Generator[ControlRoom]:
    with serve(CloudBotSimulator(executions=150)) as running:
        yield running


def bearer(room: ControlRoom) -> dict[str, str]:
    return {"Authorization": f"Bearer {room.simulator.management_token}"}


def get(room: ControlRoom, path: str) -> requests.Response:
    return requests.get(room.url + path, headers=bearer(room), timeout=5)


def login(room: ControlRoom) -> str:
    simulator = room.simulator
    body = {"username": simulator.username, "password": simulator.password}
    answer = requests.post(f"{room.url}/v1/authentication", json=body, timeout=5)
    return str(answer.json()["token"])


@pytest.mark.parametrize(("path", "name"), LISTS)
def test_lists_send_all_rows_in_an_object_named_for_them(
    room: ControlRoom, path: str, name: str
) -> None:
    answer = get(room, path).json()
    assert list(answer) == [name]
    held = [row.data() for row in room.simulator.tables[name]]
    expected = [row for row in held if not row.get("folder")]
    assert sorted(row["id"] for row in answer[name]) == sorted(row["id"] for row in expected)
    assert all(row in expected for row in answer[name])


def test_one_automation(room: ControlRoom) -> None:
    automation = get(room, "/v3/automations").json()["automations"][0]
    assert get(room, f"/v3/automations/{automation['id']}").json() == automation
    assert get(room, "/v3/automations/999999").status_code == 404
    assert get(room, "/v3/automations/11").status_code == 404  # a folder


def test_one_execution(room: ControlRoom) -> None:
    execution = get(room, "/v3/automations/executions").json()["executions"][0]
    shown = get(room, f"/v3/automations/executions/{execution['id']}").json()
    assert shown["id"] == execution["id"]
    assert "botOutVariables" in shown
    assert get(room, "/v3/automations/executions/nothing").status_code == 404


def test_the_api_task_endpoint_answers_with_access_and_a_result(room: ControlRoom) -> None:
    def run(**body: Any) -> requests.Response:
        url = f"{room.url}/api-task-real-time-endpoint"
        return requests.post(url, json=body, headers=bearer(room), timeout=5)

    result = run().json()["executionResult"]
    assert result["status"] == "COMPLETED"
    execute = requests.post(f"{result['url']}/execute", headers=result["headers"], timeout=5)
    assert execute.status_code == 200
    task = next(
        row.data()
        for row in room.simulator.tables["automations"]
        if row.data()["type"] == "application/vnd.aa.headlessbot"
    )
    result = run(botRepositoryPath=task["path"]).json()["executionResult"]
    assert result["botOutVariables"]["values"]["task"]["string"] == task["name"]
    assert run(botRepositoryPath="nothing").status_code == 404


def test_deployment_with_the_token_of_the_page(room: ControlRoom) -> None:
    bot = get(room, "/v3/automations").json()["automations"][0]
    answer = requests.post(
        f"{room.url}/v3/automations/deploy",
        json={"fileId": bot["id"], "runAsUserIds": ["2"]},
        headers=bearer(room),
        timeout=5,
    )
    deployment = answer.json()["deploymentId"]
    executions = get(room, "/v3/automations/executions").json()["executions"]
    assert [row["fileId"] for row in executions if row["deploymentId"] == deployment] == [bot["id"]]


@pytest.mark.parametrize("header", ["X-Authorization", "Authorization"])
def test_the_token_of_a_login_opens_the_page_in_either_header(
    room: ControlRoom, header: str
) -> None:
    token = login(room)
    value = token if header == "X-Authorization" else f"Bearer {token}"
    for path, _ in LISTS:
        answer = requests.get(room.url + path, headers={header: value}, timeout=5)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", [*(path for path, _ in LISTS), "/v3/automations/20", "/v3/automations/executions/1"]
)
def test_nothing_opens_without_a_token(room: ControlRoom, path: str) -> None:
    assert requests.get(room.url + path, timeout=5).status_code == 401
    wrong = {"Authorization": "Bearer other"}
    assert requests.get(room.url + path, headers=wrong, timeout=5).status_code == 401


def test_a_control_room_that_is_only_what_it_documents() -> None:
    quirks = CloudBotQuirks(seed_page=False)
    with serve(CloudBotSimulator(executions=10, quirks=quirks)) as room:
        own = {"X-Authorization": login(room)}
        for path, _ in LISTS:
            assert requests.get(room.url + path, headers=own, timeout=5).status_code == 404
        answer = requests.post(
            f"{room.url}/api-task-real-time-endpoint", json={}, headers=own, timeout=5
        )
        assert answer.status_code == 404


def test_lists_of_the_page_change_and_fail_like_the_others() -> None:
    quirks = CloudBotQuirks(unavailable_every=3)
    churn = Churn(every=1, insert=2, times=1)
    with serve(CloudBotSimulator(executions=10, quirks=quirks, churn=churn)) as room:
        answers = [get(room, "/v3/automations/executions") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 503]
        assert len(answers[1].json()["executions"]) == 12
