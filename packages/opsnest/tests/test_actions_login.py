"""Logging in to a Control Room, against the simulated one over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from dlt.common.configuration.exceptions import ConfigFieldMissingException

from opsnest.actions import authenticate
from opsnest.errors import AccessError, ConfigurationError, SourceError
from opsnest.explain import explain
from opssim.cloud_bot import CloudBotSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

Control = Running[CloudBotSimulator]

LOGIN = "/v1/authentication"
SOON = {"Retry-After": "0"}


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with serve(
        CloudBotSimulator(executions=0, bots=1, users=3, devices=1, audit_messages=0)
    ) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_login_tells_who_it_is_and_hides_the_token(control: Control) -> None:
    login = authenticate()

    assert login.token in control.simulator.secrets()
    assert login.username == control.simulator.username
    assert login.user["id"] == 1
    assert "viewactivity" in login.permissions
    assert login.tenant
    for secret in control.simulator.secrets():
        assert secret not in f"{login} {login!r}"


def test_a_login_works_with_a_password_and_ends_no_other_session(control: Control) -> None:
    first = authenticate()
    second = authenticate(password=control.simulator.password)  # the configured key is not meant

    assert first.token != second.token
    assert control.simulator.logins == 2
    listed = requests.post(
        f"{control.url}/v2/devices/list", headers={"X-Authorization": first.token}, json={}
    )
    assert listed.status_code == 200


def test_a_wrong_key_is_told_without_showing_it(control: Control) -> None:
    with pytest.raises(AccessError, match="login: the credentials were not accepted") as caught:
        authenticate(api_key="a-wrong-key")

    assert "[sources.cloud_bot_source]" in str(caught.value)
    assert "a-wrong-key" not in f"{caught.value} {caught.value!r}"
    assert control.simulator.requests.statuses(LOGIN) == {401: 1}


def test_a_login_needs_one_of_key_and_password(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="both `api_key` and `password` are set"):
        authenticate(api_key="k", password="p")

    monkeypatch.delenv("SOURCES__CLOUD_BOT_SOURCE__API_KEY")
    with pytest.raises(ConfigurationError, match="neither `api_key` and `password`"):
        authenticate()
    assert not control.simulator.requests.all()


@pytest.mark.parametrize("setting", ["control_room_url", "username"])
def test_a_missing_setting_is_named_with_its_section(
    control: Control, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv(f"SOURCES__CLOUD_BOT_SOURCE__{setting.upper()}")
    monkeypatch.delenv(setting.upper(), raising=False)  # dlt looks there last

    with pytest.raises(ConfigFieldMissingException) as caught:
        authenticate()

    error = explain(caught.value)
    assert isinstance(error, ConfigurationError)
    assert f'[sources.cloud_bot_source]\n      {setting} = "..."' in str(error)


def test_a_login_is_repeated_when_the_control_room_is_busy(control: Control) -> None:
    control.simulator.faults.add(Fault(path=LOGIN, status=503, times=1, headers=SOON))
    control.simulator.faults.add(Fault(path=LOGIN, cut=True, times=1))

    assert authenticate().token
    assert control.simulator.requests.statuses(LOGIN) == {503: 1, 0: 1, 200: 1}


def test_a_page_that_is_no_control_room_is_told(control: Control) -> None:
    control.simulator.faults.add(Fault(path=LOGIN, status=404, body=b"<title>Intranet</title>"))

    with pytest.raises(SourceError, match=r'login: .*\n.* -> 404 "Intranet"') as caught:
        authenticate()

    assert "Check `control_room_url`" in caught.value.advice
