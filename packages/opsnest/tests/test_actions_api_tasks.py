"""Running real-time API tasks, against the simulated Control Room over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from opsnest.actions import run_api_task
from opsnest.errors import (
    AccessError,
    AnswerError,
    ConfigurationError,
    SourceError,
    UnreachableError,
)
from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

Control = Running[CloudBotSimulator]

ACCESS = "/orchestrator/v1/hotbot/config/accessdetails"
SEED = "/api-task-real-time-endpoint"
API_TASK = "application/vnd.aa.headlessbot"


def small(**options: Any) -> CloudBotSimulator:
    return CloudBotSimulator(executions=0, bots=6, users=3, devices=2, audit_messages=0, **options)


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with serve(small()) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield running


def task(control: Control) -> str:
    rows = [row.data() for row in control.simulator.tables["automations"]]
    return next(str(row["path"]) for row in rows if row["type"] == API_TASK)


def executions(control: Control) -> list[int]:
    seen = control.simulator.requests.all()
    return [each.status for each in seen if each.path.endswith("/execute")]


def times_run(control: Control) -> int:
    """Count what was asked by either way of running a task."""

    def runs() -> int:
        return len(executions(control)) + len(control.simulator.requests.all(SEED))

    deadline = time.monotonic() + 5
    while not runs() and time.monotonic() < deadline:
        time.sleep(0.01)  # a request that was cut is noted a moment after its client has noticed
    time.sleep(0.05)
    return runs()


def tell_access(control: Control, url: str) -> None:
    """Let the Control Room name another place for its task."""
    details = {task(control): {"url": url, "headers": {"X-Authorization": "task-token"}}}
    body = json.dumps({"accessDetails": details, "errors": {}}).encode()
    control.simulator.faults.add(Fault(path=ACCESS, status=200, body=body))


def assert_no_secrets(control: Control, *shown: object) -> None:
    for text in (f"{each} {each!r}" for each in shown):
        for secret in control.simulator.secrets():
            assert secret not in text


def test_a_task_is_run_with_its_inputs_and_its_own_token(control: Control) -> None:
    path = task(control)

    result = run_api_task(path, {"zip": "95134", "limit": 3, "exact": True})

    assert result.path == path
    assert (result.status, result.succeeded) == ("COMPLETED", True)
    # the simulator returns the inputs as they came
    assert result.outputs["zip"] == "95134"
    assert result.outputs["limit"] == 3
    assert result.outputs["exact"] is True
    assert result.outputs["task"] in path
    # it takes no login's token there
    assert executions(control) == [200]
    assert control.simulator.logins == 1
    assert_no_secrets(control, result, result.raw)


def test_a_task_needs_no_inputs(control: Control) -> None:
    assert run_api_task(task(control)).succeeded


@pytest.mark.parametrize("ending", ["", "/", "/execute"])
def test_a_task_on_another_host_is_run_there_and_never_sees_the_login(
    control: Control, ending: str
) -> None:
    with serve(small()) as elsewhere:
        tell_access(control, f"{elsewhere.url}/orchestrator/v1/hotbot/run/17{ending}")
        answer = b'{"hotBotResult": {"botOutput": {"State": {"type": "STRING", "string": "CA"}}}}'
        elsewhere.simulator.faults.add(Fault(status=200, body=answer))

        result = run_api_task(task(control), {"zip": "95134"})

        (seen,) = elsewhere.simulator.requests.all()
    assert seen.path == "/orchestrator/v1/hotbot/run/17/execute"
    assert "x-authorization" in seen.headers
    assert "authorization" not in seen.headers
    assert (result.outputs, result.status, result.succeeded) == ({"State": "CA"}, None, True)
    assert not executions(control)


def test_a_token_that_is_refused_elsewhere_is_not_replaced_by_the_login(control: Control) -> None:
    with serve(small()) as elsewhere:
        tell_access(control, f"{elsewhere.url}/orchestrator/v1/hotbot/run/17")

        with pytest.raises(AccessError, match="run_api_task") as caught:
            run_api_task(task(control))

        assert executions(elsewhere) == [401]
    assert "The token of the task was refused" in caught.value.advice
    assert "task-token" not in str(caught.value)
    assert control.simulator.logins == 1


def test_a_task_that_says_it_failed_has_not_succeeded(control: Control) -> None:
    control.simulator.faults.add(
        Fault(path="/execute$", status=200, body=b'{"status": "RUN_FAILED"}')
    )

    result = run_api_task(task(control))

    assert (result.status, result.succeeded, result.outputs) == ("RUN_FAILED", False, {})


def test_a_wrong_path_is_told_in_the_words_of_the_control_room(control: Control) -> None:
    with pytest.raises(AnswerError, match='"No API task has this path"') as caught:
        run_api_task(r"Automation Anywhere\Bots\nothing here")

    assert caught.value.code == "hotbot.not.found"
    assert "Check `path`" in caught.value.advice
    assert not executions(control)


@pytest.mark.parametrize("api", ["published", "seed"])
def test_a_wrong_key_is_told(control: Control, api: Literal["published", "seed"]) -> None:
    with pytest.raises(AccessError, match="login: the credentials were not accepted") as caught:
        run_api_task(task(control), api=api, api_key="a-wrong-key")

    assert "a-wrong-key" not in str(caught.value)
    assert not executions(control)


def test_the_endpoint_of_dlthubs_page_runs_the_task_and_keeps_its_token_back(
    control: Control,
) -> None:
    result = run_api_task(task(control), {"zip": "95134"}, api="seed")

    assert (result.status, result.succeeded) == ("COMPLETED", True)
    assert result.outputs["zip"] == "95134"
    assert "url" in result.raw["executionResult"]
    assert_no_secrets(control, result, result.raw)
    assert control.simulator.requests.statuses(SEED) == {200: 1}


def test_a_control_room_without_that_endpoint_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(small(quirks=CloudBotQuirks(seed_page=False))) as control:
        for name, value in control.configuration.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(AnswerError, match=f"POST {SEED} -> 404"):
            run_api_task(task(control), api="seed")


def test_any_execution_result_is_handed_on(control: Control) -> None:
    control.simulator.faults.add(Fault(SEED, status=200, body=b'{"executionResult": "done"}'))

    result = run_api_task(task(control), api="seed")

    assert (result.raw, result.outputs) == ({"executionResult": "done"}, {})


def test_an_answer_without_a_result_is_an_error(control: Control) -> None:
    control.simulator.faults.add(Fault(SEED, status=200, body=b"{}"))

    with pytest.raises(AnswerError, match="holds no executionResult"):
        run_api_task(task(control), api="seed")


@pytest.mark.parametrize("api", ["published", "seed"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(f"/execute$|{SEED}", status=503), AnswerError),
        (Fault(f"/execute$|{SEED}", cut=True), UnreachableError),
    ],
)
def test_a_task_that_may_have_run_is_not_run_again(
    control: Control, api: Literal["published", "seed"], fault: Fault, kind: type[SourceError]
) -> None:
    control.simulator.faults.add(fault)

    with pytest.raises(kind, match="cloud_bot_source / run_api_task: ") as caught:
        run_api_task(task(control), api=api)

    assert times_run(control) == 1
    assert "may have run all the same" in caught.value.advice


def test_asking_where_a_task_is_run_is_repeated(control: Control) -> None:
    soon = {"Retry-After": "0"}
    control.simulator.faults.add(Fault(ACCESS, status=503, times=1, headers=soon))

    assert run_api_task(task(control)).succeeded
    assert control.simulator.requests.statuses(ACCESS) == {503: 1, 200: 1}


def test_a_task_that_answers_too_late_is_not_run_again(control: Control) -> None:
    control.simulator.faults.add(Fault(path="/execute$", delay=0.4))

    with pytest.raises(UnreachableError, match="did not answer in time") as caught:
        run_api_task(task(control), timeout=0.1)

    assert "may have run all the same" in caught.value.advice


@pytest.mark.parametrize("options", [{"api": "v4"}, {"timeout": 0}])
def test_an_argument_that_makes_no_sense_is_refused(
    control: Control, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be run with"):
        run_api_task(task(control), **options)

    assert not control.simulator.requests.all()
