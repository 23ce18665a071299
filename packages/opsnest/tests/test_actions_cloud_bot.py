"""Deploying bots and following their runs, against the simulated Control Room over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opsnest.actions import Deployment, deploy
from opsnest.errors import (
    AccessError,
    ActionError,
    AnswerError,
    ConfigurationError,
    SourceError,
    UnreachableError,
)
from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

Control = Running[CloudBotSimulator]

DEPLOY = "/v3/automations/deploy"
ACTIVITY = "/v3/activity/list"
LOGIN = "/v1/authentication"
SOON = {"Retry-After": "0"}


@contextmanager
def control_room(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Generator[Control]:
    options = {"run_seconds": 0.1, **options}
    simulator = CloudBotSimulator(
        executions=20, bots=6, users=3, devices=2, audit_messages=0, **options
    )
    with serve(simulator) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with control_room(monkeypatch) as running:
        yield running


def bot(control: Control, *, fails: bool = False) -> str:
    """Return the id of a bot that completes, or of the one that always fails."""
    rows = [row.data() for row in control.simulator.tables["automations"]]
    return next(
        str(row["id"])
        for row in rows
        if not row["folder"] and row["name"].startswith("ReconciliationFails") == fails
    )


def runners(control: Control, count: int = 1) -> list[str]:
    return control.simulator.tables["run_as_users"].keys()[:count]


def run_bot(control: Control, *, users: int = 1, fails: bool = False, **options: Any) -> Deployment:
    options = {"poll_every": 0.02, "timeout": 20, **options}
    return deploy(bot(control, fails=fails), runners(control, users), **options)


def deployments(control: Control) -> set[str]:
    return {
        row["deploymentId"]
        for row in (each.data() for each in control.simulator.tables["executions"])
        if row["initiationType"] == "API"
    }


def times_asked(control: Control, path: str) -> int:
    deadline = time.monotonic() + 5
    while not control.simulator.requests.all(path) and time.monotonic() < deadline:
        time.sleep(0.01)  # a request that was cut is noted a moment after its client has noticed
    time.sleep(0.05)
    return len(control.simulator.requests.all(path))


def assert_no_secrets(control: Control, *shown: object) -> None:
    for text in (f"{each} {each!r}" for each in shown):
        for secret in control.simulator.secrets():
            assert secret not in text


def test_a_bot_is_deployed_once_and_not_waited_for(control: Control) -> None:
    deployment = run_bot(
        control,
        bot_input={"region": "EMEA", "limit": 3, "dry": True},
        automation_name="month end",
        automation_priority="PRIORITY_HIGH",
    )

    assert deployments(control) == {deployment.deployment_id}
    (row,) = (
        row.data()
        for row in control.simulator.tables["executions"]
        if row.data()["deploymentId"] == deployment.deployment_id
    )
    assert (row["automationName"], row["automationPriority"]) == ("month end", "PRIORITY_HIGH")
    assert (deployment.executions, deployment.succeeded) == ((), False)
    assert [seen.path for seen in control.simulator.requests.all()] == [LOGIN, DEPLOY]


def test_a_single_runner_needs_no_list(control: Control) -> None:
    (runner,) = runners(control)

    assert deploy(bot(control), runner).deployment_id
    assert deploy(int(bot(control)), int(runner)).deployment_id


def test_waiting_ends_when_all_runs_have_completed(control: Control) -> None:
    deployment = run_bot(control, users=2, wait=True)

    assert deployment.succeeded
    assert len(deployment.executions) == 2
    for execution in deployment.executions:
        assert (execution.status, execution.ended, execution.progress) == ("COMPLETED", True, 100)
        assert execution.started_on is not None
        assert execution.ended_on is not None
        assert execution.ended_on.year == 2026
        assert execution.device_name
        assert execution.raw["deploymentId"] == deployment.deployment_id
    assert control.simulator.requests.statuses(DEPLOY) == {200: 1}
    assert control.simulator.logins == 1


def test_only_so_many_runs_are_waited_for_as_users_are_used(control: Control) -> None:
    deployment = run_bot(control, users=2, num_of_run_as_users_to_use=1, wait=True)

    assert len(deployment.executions) == 1


def test_a_run_that_fails_is_returned_with_its_message(control: Control) -> None:
    deployment = run_bot(control, fails=True, wait=True)

    (execution,) = deployment.executions
    assert (execution.status, execution.ended, execution.succeeded) == ("RUN_FAILED", True, False)
    assert execution.message
    assert not deployment.succeeded


def test_a_control_room_with_odd_habits_is_followed_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quirks = CloudBotQuirks(total_filter_zero=True, page_cap=1, epoch_end="empty")
    with control_room(monkeypatch, quirks=quirks) as control:
        deployment = run_bot(control, users=2, wait=True)

    assert len(deployment.executions) == 2
    assert deployment.succeeded


def test_a_wait_outlives_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with control_room(monkeypatch, token_seconds=0.2, run_seconds=0.7) as control:
        assert run_bot(control, wait=True).succeeded

        assert control.simulator.logins > 1
        assert control.simulator.requests.statuses(DEPLOY) == {200: 1}


def test_a_wait_that_runs_out_names_the_deployment_and_how_to_look_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with control_room(monkeypatch, run_seconds=60) as control:
        with pytest.raises(ActionError) as caught:
            run_bot(control, users=2, wait=True, timeout=0.1)

        (deployment,) = deployments(control)
        assert f"deployment {deployment} has not ended after 0.1 s" in str(caught.value)
        assert "the last status of its runs: QUEUED, QUEUED" in str(caught.value)
        assert "Activity" in str(caught.value)
        assert_no_secrets(control, caught.value)


def test_runs_that_are_not_in_the_list_yet_are_waited_for(control: Control) -> None:
    empty = b'{"page": {"total": 0, "totalFilter": 0}, "list": []}'
    control.simulator.faults.add(Fault(path=ACTIVITY, status=200, body=empty, times=2))

    assert run_bot(control, wait=True).succeeded


def test_fewer_runs_than_users_are_believed_at_the_second_look(control: Control) -> None:
    row = b'{"id": "1", "status": "RUN_ABORTED", "endDateTime": "1970-01-01T00:00:00Z"}'
    body = b'{"page": {"totalFilter": 1}, "list": [%s]}' % row
    control.simulator.faults.add(Fault(path=ACTIVITY, status=200, body=body))

    deployment = run_bot(control, users=2, wait=True)

    assert [each.status for each in deployment.executions] == ["RUN_ABORTED"]
    assert deployment.executions[0].ended_on is None
    assert len(control.simulator.requests.all(ACTIVITY)) == 2


@pytest.mark.parametrize(
    ("file_id", "users", "said"),
    [("99999", None, "file 99999 not found"), (None, ["77777"], "run-as user 77777 not found")],
)
def test_a_wrong_id_is_no_question_of_access(
    control: Control, file_id: str | None, users: list[str] | None, said: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        deploy(file_id or bot(control), users or runners(control), wait=True)

    assert f'POST {DEPLOY} -> 404 "{said}"' in str(caught.value)
    assert "Check `file_id`" in caught.value.advice
    assert not deployments(control)
    assert not control.simulator.requests.all(ACTIVITY)
    assert_no_secrets(control, caught.value)


@pytest.mark.parametrize(
    ("fault", "kind", "problem"),
    [
        (Fault(DEPLOY, cut=True), UnreachableError, "the connection broke before the answer came"),
        (Fault(DEPLOY, status=503, headers=SOON), AnswerError, "the API failed"),
        (Fault(DEPLOY, status=500, body=b"<html>"), AnswerError, "the API failed"),
        (Fault(DEPLOY, status=200, body=b"{}"), AnswerError, "the answer holds no deploymentId"),
        (Fault(DEPLOY, status=200, body=b"[]"), AnswerError, "the answer is not a JSON object"),
    ],
)
def test_what_may_have_started_a_bot_is_not_repeated(
    control: Control, fault: Fault, kind: type[SourceError], problem: str
) -> None:
    control.simulator.faults.add(fault)

    with pytest.raises(kind, match=f"cloud_bot_source / deploy: {problem}\n") as caught:
        run_bot(control, wait=True)

    assert times_asked(control, DEPLOY) == 1
    assert "It may have been started all the same" in caught.value.advice
    assert_no_secrets(control, caught.value)


def test_a_refused_token_sends_the_deployment_once(control: Control) -> None:
    control.simulator.faults.add(Fault(DEPLOY, status=401, body=b"{}"))

    with pytest.raises(AccessError, match="deploy: the credentials were not accepted"):
        run_bot(control)

    assert control.simulator.requests.statuses(DEPLOY) == {401: 1}


def test_a_lacking_permission_is_told(control: Control) -> None:
    control.simulator.faults.add(Fault(DEPLOY, status=403, body=b'{"message": "Forbidden"}'))

    with pytest.raises(AccessError, match="deploy: the credentials may not do this") as caught:
        run_bot(control)

    assert "lacks the permission to run this bot" in caught.value.advice


def test_what_was_refused_for_its_rate_is_repeated(control: Control) -> None:
    control.simulator.faults.add(Fault(DEPLOY, status=429, times=1, headers=SOON))

    deployment = run_bot(control)

    assert deployments(control) == {deployment.deployment_id}
    assert control.simulator.requests.statuses(DEPLOY) == {429: 1, 200: 1}


def test_a_failure_while_waiting_is_repeated(control: Control) -> None:
    control.simulator.faults.add(Fault(ACTIVITY, status=503, times=1, headers=SOON))
    control.simulator.faults.add(Fault(ACTIVITY, cut=True, times=1))

    assert run_bot(control, wait=True).succeeded
    assert control.simulator.requests.statuses(DEPLOY) == {200: 1}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(ACTIVITY, status=403, body=b"{}"), AccessError),
        (Fault(ACTIVITY, status=400, body=b"{}"), AnswerError),
        (Fault(ACTIVITY, status=200, body=b"{}"), AnswerError),
    ],
)
def test_a_wait_that_breaks_off_names_the_deployment(
    control: Control, fault: Fault, kind: type[SourceError]
) -> None:
    control.simulator.faults.add(fault)

    with pytest.raises(kind) as caught:
        run_bot(control, wait=True)

    (deployment,) = deployments(control)
    assert f"It had been started: deployment {deployment} goes on." in str(caught.value)
    assert_no_secrets(control, caught.value)


def test_the_headers_of_a_callback_come_back_nowhere(control: Control) -> None:
    callback = {"url": "https://example.com/done", "headers": {"X-Secret": "callback-sim-5"}}
    row = {"id": "1", "status": "COMPLETED", "callbackInfo": json.dumps(callback)}
    body = json.dumps({"page": {"totalFilter": 1}, "list": [row]}).encode()
    control.simulator.faults.add(Fault(ACTIVITY, status=200, body=body))

    deployment = run_bot(
        control,
        wait=True,
        callback_url="https://example.com/done",
        callback_headers={"X-Secret": "callback-sim-5"},
    )

    assert "callback-sim-5" in control.simulator.secrets()  # it was sent
    assert deployment.succeeded
    assert_no_secrets(control, deployment, *(each.raw for each in deployment.executions))


def test_an_input_that_a_bot_cannot_be_given_is_refused_before_anything_is_sent(
    control: Control,
) -> None:
    odd: Any = {"rows": ["secret-row"]}

    with pytest.raises(ConfigurationError, match="input 'rows' is a list") as caught:
        run_bot(control, bot_input=odd)

    assert "secret-row" not in str(caught.value)
    assert not control.simulator.requests.all()


def test_a_wait_that_makes_no_sense_is_refused_before_anything_is_started(control: Control) -> None:
    with pytest.raises(ConfigurationError, match="cannot be waited for"):
        run_bot(control, wait=True, poll_every=0)

    assert not control.simulator.requests.all()
