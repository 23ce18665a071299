"""Creating and running tests in Roost.ai, against its simulator over HTTP."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from dlt.common.configuration.exceptions import ConfigFieldMissingException

from opsnest.actions import NewTest, Test, TestEvent, create_test, trigger_test
from opsnest.errors import (
    AccessError,
    ActionError,
    AnswerError,
    ConfigurationError,
    SourceError,
    UnreachableError,
)
from opsnest.explain import explain
from opssim.core.faults import Fault
from opssim.core.server import Running, serve
from opssim.roost import RoostSimulator

LICENSE = "lk-sim-0d1c2b3a"
NEW_TEST: NewTest = {
    "app_id": "3f1c",
    "test_name": "checkout unit tests",
    "git_type": "github",
    "ai_model_info": {"selected_model": "openai", "model": "gpt-4o", "access_token": "sk-sim-1"},
    "git_info": {
        "type": "source",
        "source": {"access_token": "git-sim-2", "selected_branch": "main"},
    },
    "integration_info": {"type": "jira", "jira_password": "jira-sim-3"},
    "additional_info": {
        "test_type": "unit",
        "language": "java",
        "env_config": [{"key": "DB_PASSWORD", "value": "env-sim-4", "secret": True}],
    },
    "test_timeout": 1,
    "test_scope": "team",
}
CREATE = "/api/test"


@pytest.fixture
def roost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running[RoostSimulator]]:
    with serve(RoostSimulator(tests=3, events=0, run_seconds=0.1)) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield running


def first_test(roost: Running[RoostSimulator]) -> str:
    return roost.simulator.tables["tests"].keys()[0]


def trigger_path(roost: Running[RoostSimulator]) -> str:
    return f"/api/test/{first_test(roost)}/trigger"


def run_first(roost: Running[RoostSimulator], **options: Any) -> TestEvent:
    options = {"poll_every": 0.02, "timeout": 20, **options}
    return trigger_test(first_test(roost), license_key=LICENSE, **options)


def times_asked(roost: Running[RoostSimulator], path: str) -> int:
    deadline = time.monotonic() + 5
    while not roost.simulator.requests.all(path) and time.monotonic() < deadline:
        time.sleep(0.01)  # a request that was cut is noted a moment after its client has noticed
    time.sleep(0.05)
    return len(roost.simulator.requests.all(path))


def assert_no_secrets(roost: Running[RoostSimulator], *shown: object) -> None:
    for text in (f"{each} {each!r}" for each in shown):
        for secret in {*roost.simulator.secrets(), LICENSE}:
            assert secret not in text


def test_a_created_test_is_in_roost_and_comes_back_typed(roost: Running[RoostSimulator]) -> None:
    test = create_test(NEW_TEST)

    row = roost.simulator.tables["tests"].get(test.id)
    assert row is not None
    assert row.data()["test_name"] == test.name == "checkout unit tests"
    assert test.created_on is not None
    assert test.created_on.isoformat().startswith("2026-07-01T00:00")
    assert (test.git_type, test.source_branch) == ("github", "main")
    assert roost.simulator.requests.statuses(CREATE) == {201: 1}


def test_the_secrets_of_a_test_come_back_nowhere(roost: Running[RoostSimulator]) -> None:
    test = create_test(NEW_TEST)

    assert {"sk-sim-1", "git-sim-2", "jira-sim-3", "env-sim-4"} < roost.simulator.secrets()
    assert_no_secrets(roost, test, test.raw)
    assert test.raw["git_info"]["source"] == {"selected_branch": "main"}
    assert test.raw["additional_info"]["env_config"] == [{"key": "DB_PASSWORD", "secret": True}]


def test_what_is_given_counts_more_than_the_configuration(
    roost: Running[RoostSimulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ROOST_SOURCE__TOKEN", "another")
    monkeypatch.setenv("SOURCES__ROOST_SOURCE__BASE_URL", "http://nowhere.invalid/api")

    test = create_test(NEW_TEST, token=roost.simulator.token, base_url=f"{roost.url}/api/")

    assert test.id in roost.simulator.tables["tests"]


def test_a_wrong_token_is_told_without_showing_it(roost: Running[RoostSimulator]) -> None:
    with pytest.raises(AccessError, match=r"roost_source / create_test: .*not accepted") as caught:
        create_test(NEW_TEST, token="a-wrong-token")

    assert "[sources.roost_source]" in str(caught.value)
    assert "a-wrong-token" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("setting", ["token", "license_key"])
def test_a_missing_secret_is_named_with_its_section(
    roost: Running[RoostSimulator], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    if setting == "token":
        monkeypatch.delenv("SOURCES__ROOST_SOURCE__TOKEN")

    with pytest.raises(ConfigFieldMissingException) as caught:
        trigger_test(first_test(roost))

    error = explain(caught.value)
    assert isinstance(error, ConfigurationError)
    assert f'[sources.roost_source]\n      {setting} = "..."' in str(error)
    assert f"SOURCES__ROOST_SOURCE__{setting.upper()}" in str(error)
    assert not roost.simulator.requests.all()


def test_the_licence_key_can_be_configured(
    roost: Running[RoostSimulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ROOST_SOURCE__LICENSE_KEY", LICENSE)

    assert trigger_test(first_test(roost)).id in roost.simulator.tables["events"]


def test_a_test_that_roost_refuses_is_told_in_its_words(roost: Running[RoostSimulator]) -> None:
    unnamed: Any = {name: value for name, value in NEW_TEST.items() if name != "test_name"}

    with pytest.raises(AnswerError) as caught:
        create_test(unnamed)

    assert caught.value.status == 400
    assert "test_name must be a string" in str(caught.value)
    assert "Check the fields" in caught.value.advice
    assert_no_secrets(roost, caught.value)


@pytest.mark.parametrize(
    ("fault", "kind", "problem"),
    [
        (Fault(cut=True), UnreachableError, "the connection broke before the answer came"),
        (Fault(truncate=10), UnreachableError, "the connection broke before the answer came"),
        (Fault(status=503), AnswerError, "the API failed"),
        (Fault(status=408), AnswerError, "the API failed"),
        (Fault(status=200, body=b"<html>"), AnswerError, r"the answer is not JSON \(.*"),
        (Fault(status=204), AnswerError, "the answer is not a JSON object"),
        (Fault(status=201, body=b"{}"), AnswerError, "the answer holds no id of a test"),
    ],
)
def test_what_may_have_created_a_test_is_not_repeated(
    roost: Running[RoostSimulator], fault: Fault, kind: type[SourceError], problem: str
) -> None:
    roost.simulator.faults.add(fault)

    with pytest.raises(kind, match=f"roost_source / create_test: {problem}\n") as caught:
        create_test(NEW_TEST)

    assert times_asked(roost, CREATE) == 1
    assert "It may have been done all the same" in caught.value.advice


def test_what_was_refused_for_its_rate_is_repeated(roost: Running[RoostSimulator]) -> None:
    roost.simulator.faults.add(Fault(status=429, times=2, headers={"Retry-After": "0"}))

    create_test(NEW_TEST)

    assert roost.simulator.requests.statuses(CREATE) == {429: 2, 201: 1}


def test_a_host_that_cannot_be_reached_has_done_nothing() -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api"

        with pytest.raises(UnreachableError, match=r"create_test: .* cannot be reached") as caught:
            create_test(NEW_TEST, token="t", base_url=url)

    assert "Check the address" in caught.value.advice


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="not an address"):
        create_test(NEW_TEST, token="t", base_url="app.roost.ai/api")


def test_a_trigger_begins_an_event_and_does_not_wait(roost: Running[RoostSimulator]) -> None:
    event = run_first(roost)

    assert event.id in roost.simulator.tables["events"]
    assert event.test_id == first_test(roost)
    assert event.status == "in_queue"
    assert (event.ended, event.succeeded, event.completed_on) == (False, False, None)
    assert [seen.method for seen in roost.simulator.requests.all()] == ["POST"]
    assert_no_secrets(roost, event, event.raw)


def test_waiting_ends_with_the_completed_event(roost: Running[RoostSimulator]) -> None:
    event = run_first(roost, wait=True, runtime_variables={"REGION": "eu"})

    assert (event.status, event.ended, event.succeeded) == ("completed", True, True)
    assert event.begun_on is not None
    assert event.completed_on is not None
    assert event.completed_on > event.begun_on
    assert event.raw["test_report"]
    assert len(roost.simulator.requests.all(f"/api/test/event/{event.id}")) > 1
    assert_no_secrets(roost, event, event.raw)


def test_an_event_that_fails_is_returned() -> None:
    with serve(RoostSimulator(tests=1, events=0, run_seconds=0.1, fail_every=1)) as roost:
        event = run_first(
            roost, wait=True, token=roost.simulator.token, base_url=f"{roost.url}/api"
        )

    assert (event.status, event.ended, event.succeeded) == ("failed", True, False)


def test_a_wait_that_runs_out_names_the_event_and_how_to_look_it_up() -> None:
    with serve(RoostSimulator(tests=1, events=0, run_seconds=60)) as roost:
        with pytest.raises(ActionError) as caught:
            run_first(
                roost,
                wait=True,
                timeout=0.1,
                token=roost.simulator.token,
                base_url=f"{roost.url}/api",
            )
        (event,) = roost.simulator.tables["events"].keys()

        assert f"event {event} has not ended after 0.1 s, and goes on" in str(caught.value)
        assert "its last status: in_queue" in str(caught.value)
        assert f"GET {roost.url}/api/test/event/{event}" in str(caught.value)
        assert_no_secrets(roost, caught.value)
    assert caught.value.exit_code == 8


def test_a_wrong_test_id_is_no_question_of_access(roost: Running[RoostSimulator]) -> None:
    with pytest.raises(AnswerError, match='-> 404 "Test not found"') as caught:
        trigger_test("no-such-test", license_key=LICENSE, wait=True)

    assert "Check `test_id`" in caught.value.advice
    assert [seen.status for seen in roost.simulator.requests.all()] == [404]
    assert_no_secrets(roost, caught.value)


def test_an_id_cannot_lead_to_another_path(roost: Running[RoostSimulator]) -> None:
    with pytest.raises(AnswerError, match=r"POST /api/test/x%2F\.\.%2Fevent%3F/trigger"):
        trigger_test("x/../event?", license_key=LICENSE)


@pytest.mark.parametrize("name", ["id", "trigger_id"])
def test_a_trigger_may_name_its_event_either_way(roost: Running[RoostSimulator], name: str) -> None:
    body = f'{{"{name}": 17}}'.encode()
    roost.simulator.faults.add(Fault(path="/trigger$", status=201, body=body))

    event = run_first(roost)

    assert (event.id, event.test_id, event.status) == ("17", first_test(roost), None)


def test_a_trigger_that_names_no_event_is_an_error(roost: Running[RoostSimulator]) -> None:
    roost.simulator.faults.add(Fault(path="/trigger$", status=201, body=b'{"message": "done"}'))

    with pytest.raises(AnswerError, match="holds no id of an event") as caught:
        run_first(roost, wait=True)

    assert "It may have been done all the same" in caught.value.advice


def test_a_failure_of_the_trigger_is_not_repeated_but_one_while_waiting_is(
    roost: Running[RoostSimulator],
) -> None:
    soon = {"Retry-After": "0"}
    roost.simulator.faults.add(Fault(path="/test/event/", status=503, times=1, headers=soon))
    roost.simulator.faults.add(Fault(path="/test/event/", cut=True, times=1))

    event = run_first(roost, wait=True)

    assert event.succeeded
    assert roost.simulator.requests.statuses(trigger_path(roost)) == {201: 1}
    assert roost.simulator.requests.statuses(f"/api/test/event/{event.id}")[503] == 1

    roost.simulator.faults.add(Fault(path="/trigger$", status=503, headers=soon))
    with pytest.raises(AnswerError, match="trigger_test: the API failed\n"):
        run_first(roost, wait=True)
    assert roost.simulator.requests.statuses(trigger_path(roost)) == {201: 1, 503: 1}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AccessError), (403, AccessError), (404, AnswerError)]
)
def test_a_wait_that_breaks_off_names_the_event(
    roost: Running[RoostSimulator], status: int, kind: type[SourceError]
) -> None:
    roost.simulator.faults.add(Fault(path="/test/event/", status=status, body=b"{}"))

    with pytest.raises(kind) as caught:
        run_first(roost, wait=True)

    (event,) = roost.simulator.tables["events"].keys()
    assert f"It had been started: event {event} goes on." in str(caught.value)
    assert_no_secrets(roost, caught.value)


def test_ctrl_c_ends_the_wait_and_leaves_the_event_going(
    roost: Running[RoostSimulator],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("opsnest.actions.calls.time.sleep", interrupted)
    with caplog.at_level(logging.WARNING, "opsnest"), pytest.raises(KeyboardInterrupt):
        run_first(roost, wait=True)

    (event,) = roost.simulator.tables["events"].keys()
    assert f"event {event} goes on" in caplog.text
    asked = [seen.method for seen in roost.simulator.requests.all()]
    assert asked == ["POST", "GET"]  # nothing aborted it


@pytest.mark.parametrize(
    "wait", [{"poll_every": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"poll_every": -2}]
)
def test_a_wait_that_makes_no_sense_is_refused_before_anything_is_started(
    roost: Running[RoostSimulator], wait: dict[str, float]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be waited for"):
        run_first(roost, wait=True, **wait)

    assert not roost.simulator.requests.all()


def test_the_results_can_be_kept_in_sets(roost: Running[RoostSimulator]) -> None:
    events = {run_first(roost), run_first(roost)}
    tests: set[Test] = {create_test(NEW_TEST)}

    assert len(events) == 2
    assert len(tests) == 1
