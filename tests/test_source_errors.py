"""What an operator is told when credentials, addresses or networks fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from tests.failing_loads import CLOUD_BOT, PLATFORMS, ROOST, ROOTLY, Failure, Platform, tries
from tests.warehouse import Warehouse

from opsnest.errors import OpsnestError
from opsnest.explain import explain
from opsnest.sources import cloud_bot_source
from opssim import Fault, RoostQuirks, RoostSimulator, RootlySimulator
from opssim.pytest_plugin import Simulate

PIPELINES = Path(__file__).parents[1] / "pipelines"
# Credentials


@pytest.mark.parametrize(
    ("platform", "lines"),
    [
        pytest.param(
            ROOTLY,
            [
                "rootly_incident_management_source / users: the credentials were not accepted",
                'GET /v1/users -> 401 "Unauthorized: Authorization must be Bearer and an API key"',
                "Check `token` under [sources.rootly_incident_management_source]",
            ],
            id="rootly",
        ),
        pytest.param(
            ROOST,
            [
                "roost_source / tests: the credentials were not accepted",
                'GET /api/test -> 401 "Unauthorized" (code 401)',
                "Check `token` under [sources.roost_source]",
            ],
            id="roost",
        ),
        pytest.param(
            CLOUD_BOT,
            [
                "cloud_bot_source / login: the credentials were not accepted",
                'POST /v1/authentication -> 401 "Invalid credentials."',
                "Check `username` and `api_key` (or `password`) under [sources.cloud_bot_source]",
            ],
            id="cloud-bot",
        ),
    ],
)
def test_wrong_credentials(failure: Failure, platform: Platform, lines: Sequence[str]) -> None:
    error, running = failure(platform, settings={platform.secret(): "wrong-secret"})

    assert error.exit_code == 4
    found = str(error).splitlines()
    assert len(found) == len(lines)
    for line, beginning in zip(found, lines, strict=True):
        assert line.strip().startswith(beginning)
    assert len(running.simulator.requests.all()) == 1  # it is no use to try again


def test_a_token_that_expires_during_the_load(failure: Failure) -> None:
    expiring = RoostSimulator(tests=350, events=10, quirks=RoostQuirks(token_expires_after=2))

    error, running = failure(ROOST, simulator=expiring)

    assert error.exit_code == 4
    assert 'GET /api/test -> 401 "Unauthorized" (code 401)' in str(error)
    assert "tokens expire: make a new one" in str(error)
    assert running.simulator.requests.statuses() == {200: 2, 401: 1}


def test_a_session_that_is_refused_again_after_a_new_login(failure: Failure) -> None:
    refusal = Fault(CLOUD_BOT.path, status=401, body=b'{"code":401,"message":"Unauthorized"}')

    error, running = failure(CLOUD_BOT, refusal)

    assert error.exit_code == 4
    assert 'POST /v2/usermanagement/users/list -> 401 "Unauthorized"' in str(error)
    assert tries(running, CLOUD_BOT) == 2
    assert len(running.simulator.requests.all("/v1/authentication")) == 2


def test_a_list_that_a_team_key_may_not_read(failure: Failure) -> None:
    rootly = RootlySimulator(incidents=5, alerts=5, alert_events=0, shifts=0)

    error, _ = failure(
        ROOTLY, simulator=rootly, resources=["incidents"], settings={"TOKEN": rootly.team_token}
    )

    assert error.exit_code == 4
    assert 'GET /v1/incidents -> 404 "Not found or unauthorized"' in str(error)
    assert "a Team key cannot read incidents" in str(error)
    assert "Use a Global API key" in str(error)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_secret_that_is_missing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    section = f"SOURCES__{platform.name.upper()}"
    monkeypatch.setenv(f"{section}__CONTROL_ROOM_URL", "http://127.0.0.1:9")
    missing = "username" if platform is CLOUD_BOT else "token"

    with pytest.raises(ConfigFieldMissingException) as raised:
        platform.source()

    error = explain(raised.value)
    assert error is not None
    assert error.exit_code == 3
    assert f"{missing}: put it into .dlt/secrets.toml" in str(error)
    assert f"[sources.{platform.name}]" in str(error)
    assert f"environment variable {section}__{missing.upper()}" in str(error)


@pytest.mark.parametrize("keys", [{}, {"api_key": "a-key", "password": "a-password"}])
def test_neither_or_both_of_key_and_password(keys: dict[str, Any]) -> None:
    with pytest.raises(OpsnestError) as raised:
        list(cloud_bot_source("http://127.0.0.1:9", "somebody", **keys).resources)

    error = explain(raised.value)
    assert error is not None
    assert error.exit_code == 3
    assert "`api_key` and `password` are set" in str(error)
    assert "a-key" not in str(error)


# Networks


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_host_that_cannot_be_reached(
    failure: Failure, platform: Platform, waits: Sequence[float]
) -> None:
    nowhere = "http://127.0.0.1:9"
    address = "CONTROL_ROOM_URL" if platform is CLOUD_BOT else "BASE_URL"

    error, _ = failure(platform, settings={address: nowhere})

    assert error.exit_code == 5
    first, request, advice = str(error).splitlines()
    assert first == f"{platform.name} / {platform.resource}: {nowhere} cannot be reached"
    assert request.split()[0] in {"GET", "POST"}
    assert "Check the address" in advice
    assert len(waits) == 2


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "fault", [pytest.param({"truncate": 30}, id="truncated"), pytest.param({"cut": True}, id="cut")]
)
def test_answers_that_break_off_for_good(
    failure: Failure, platform: Platform, fault: dict[str, Any], waits: Sequence[float]
) -> None:
    error, running = failure(platform, Fault(platform.path, **fault))

    assert error.exit_code == 5
    assert str(error).startswith(f"{platform.name} / {platform.resource}: ")
    assert f"{platform.request}\n" in str(error)
    assert tries(running, platform) == len(waits) + 1 >= 3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_answers_that_break_off_now_and_then_are_asked_for_again(
    simulate: Simulate,
    warehouse: Warehouse,
    platform: Platform,
    waits: Sequence[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = simulate(platform.make())
    running.simulator.faults.add(Fault(platform.path, truncate=30, times=1))
    running.simulator.faults.add(Fault(platform.path, cut=True, times=1))
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)

    warehouse.load(platform.source(), platform.resource)

    expected = sorted(running.simulator.tables[platform.resource].keys())
    assert warehouse.column(platform.resource) == expected
    assert len(waits) == 2


# The scripts


def run_script(name: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a pipeline in the current folder, as an operator does."""
    return subprocess.run(
        [sys.executable, str(PIPELINES / f"{name}.py")],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_script_with_a_wrong_key_ends_with_one_message_and_the_code_for_it(
    simulate: Simulate,
) -> None:
    room = simulate(CLOUD_BOT.make())

    done = run_script(
        "cloud_bot_pipeline",
        {**room.configuration, "SOURCES__CLOUD_BOT_SOURCE__API_KEY": "wrong-secret"},
    )

    assert done.returncode == 4
    assert done.stderr.startswith("error: cloud_bot_source / login: the credentials were not")
    assert len(done.stderr.splitlines()) == 3
    assert "Traceback" not in done.stderr + done.stdout
    assert "wrong-secret" not in done.stderr + done.stdout
