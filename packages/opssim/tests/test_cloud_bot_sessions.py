"""Login, refresh, expiry, logout, and which headers open the other endpoints."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import pytest
import requests

from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
from opssim.cloud_bot.sessions import Sessions
from opssim.core.server import Running, serve

ControlRoom = Running[CloudBotSimulator]


def small(**settings: Any) -> CloudBotSimulator:
    return CloudBotSimulator(
        executions=20, bots=5, users=4, devices=2, audit_messages=5, **settings
    )


@pytest.fixture(scope="module")
def room() -> Generator[ControlRoom]:
    with serve(small()) as running:
        yield running


def login(room: ControlRoom, version: str = "v2", **changes: Any) -> requests.Response:
    simulator = room.simulator
    body: dict[str, Any] = {
        "username": simulator.username,
        "apiKey": simulator.api_key,
        "multipleLogin": True,
    }
    body |= changes
    sent = {name: value for name, value in body.items() if value is not None}
    return requests.post(f"{room.url}/{version}/authentication", json=sent, timeout=5)


def token_of(room: ControlRoom, **changes: Any) -> str:
    answer = login(room, **changes)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def status_with(room: ControlRoom, headers: dict[str, str]) -> int:
    answer = requests.post(f"{room.url}/v3/activity/list", json={}, headers=headers, timeout=5)
    return answer.status_code


def status(room: ControlRoom, token: str) -> int:
    return status_with(room, {"X-Authorization": token})


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_login_with_an_api_key_answers_as_the_documentation_says(
    room: ControlRoom, version: str
) -> None:
    answer = login(room, version).json()
    assert set(answer) == {"token", "user", "permissions", "tenantUuid", "ttlSeconds"}
    assert answer["ttlSeconds"] == "0"
    assert answer["token"].count(".") == 2
    user = answer["user"]
    assert user["username"] == room.simulator.username
    assert type(user["id"]) is int
    assert user["roles"] == [{"id": 1, "name": "AAE_Admin"}]
    assert user["multipleLoginAllowed"] is True
    assert status(room, answer["token"]) == 200


def test_login_with_a_password(room: ControlRoom) -> None:
    token = token_of(room, apiKey=None, password=room.simulator.password)
    assert status(room, token) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"apiKey": "wrong"},
        {"apiKey": None, "password": "wrong"},
        {"username": "nobody"},
    ],
)
def test_wrong_credentials_are_refused(room: ControlRoom, wrong: dict[str, Any]) -> None:
    before = room.simulator.logins
    answer = login(room, **wrong)
    assert answer.status_code == 401
    assert answer.json()["code"] == "um.credentials.invalid"
    assert room.simulator.logins == before


@pytest.mark.parametrize(
    "malformed",
    [{"password": "both"}, {"apiKey": None}, {"username": None}, {"username": 7}],
)
def test_a_login_needs_a_name_and_one_proof(room: ControlRoom, malformed: dict[str, Any]) -> None:
    answer = login(room, **malformed)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "details", "message"}


def test_a_login_that_is_not_json(room: ControlRoom) -> None:
    answer = requests.post(f"{room.url}/v2/authentication", data=b"{oops", timeout=5)
    assert answer.status_code == 400
    assert answer.json()["code"] == "json.deserialization.exception"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Authorization": "made-up"},
        {"X-Authorization": ""},
        {"Authorization": "Bearer made-up"},
        {"Authorization": "Basic made-up"},
    ],
)
def test_without_a_token_in_force_nothing_opens(room: ControlRoom, headers: dict[str, str]) -> None:
    answer = requests.post(f"{room.url}/v3/activity/list", json={}, headers=headers, timeout=5)
    assert answer.status_code == 401
    assert (answer.json()["code"], answer.json()["message"]) == (401, "Unauthorized")


def test_the_token_goes_without_the_word_bearer(room: ControlRoom) -> None:
    token = token_of(room)
    assert status(room, f"Bearer {token}") == 401
    assert status_with(room, {"Authorization": f"Bearer {token}"}) == 401


def test_both_headers_at_once_are_refused(room: ControlRoom) -> None:
    token = token_of(room)
    both = {"X-Authorization": token, "Authorization": f"Bearer {token}"}
    assert status_with(room, both) == 400


def test_refresh_kills_the_old_token_at_once(room: ControlRoom) -> None:
    old = token_of(room)
    before = room.simulator.refreshes
    url = f"{room.url}/v2/authentication/token"
    answer = requests.post(url, headers={"X-Authorization": old}, timeout=5)
    new = answer.json()["token"]
    assert answer.json()["ttlSeconds"] == "1200"
    assert new != old
    assert (status(room, old), status(room, new)) == (401, 200)
    assert requests.post(url, headers={"X-Authorization": old}, timeout=5).status_code == 401
    assert room.simulator.refreshes == before + 1


def test_version_1_takes_the_token_to_refresh_from_the_body(room: ControlRoom) -> None:
    old = token_of(room)
    url = f"{room.url}/v1/authentication/token"
    new = requests.post(url, json={"token": old}, timeout=5).json()["token"]
    assert (status(room, old), status(room, new)) == (401, 200)
    assert requests.post(url, json={"token": None}, timeout=5).status_code == 401
    assert requests.post(url, json={}, timeout=5).status_code == 401


def test_validation_tells_whether_a_token_is_in_force(room: ControlRoom) -> None:
    url = f"{room.url}/v1/authentication/token"
    token = token_of(room)
    assert requests.get(url, params={"token": token}, timeout=5).json() == {"valid": True}
    assert requests.get(url, params={"token": "other"}, timeout=5).json() == {"valid": False}
    assert requests.get(url, timeout=5).json() == {"valid": False}


def test_logout_ends_the_session(room: ControlRoom) -> None:
    token, other = token_of(room), token_of(room)
    url = f"{room.url}/v1/authentication/logout"
    answer = requests.post(url, headers={"X-Authorization": token}, timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (status(room, token), status(room, other)) == (401, 200)
    assert requests.post(url, headers={"X-Authorization": token}, timeout=5).status_code == 401


def test_tokens_expire_in_real_time() -> None:
    with serve(small(token_seconds=0.5)) as room:
        token = token_of(room)
        assert status(room, token) == 200
        time.sleep(0.55)
        assert status(room, token) == 401
        assert status(room, token_of(room)) == 200


def test_tokens_can_be_expired_by_a_test(room: ControlRoom) -> None:
    token = token_of(room)
    room.simulator.expire_tokens()
    assert status(room, token) == 401


def test_a_login_without_multiple_login_ends_the_other_sessions(room: ControlRoom) -> None:
    first = token_of(room)
    second = token_of(room, multipleLogin=None)
    assert (status(room, first), status(room, second)) == (401, 200)
    third = token_of(room, multipleLogin=None, multiLogin=True)
    assert (status(room, second), status(room, third)) == (200, 200)
    assert status(room, token_of(room, multipleLogin=False)) == 200
    assert status(room, third) == 401


def test_sessions_need_not_be_single() -> None:
    with serve(small(quirks=CloudBotQuirks(single_session=False))) as room:
        first = token_of(room, multipleLogin=None)
        token_of(room, multipleLogin=None)
        assert status(room, first) == 200


def test_with_oauth_a_bearer_token_is_accepted() -> None:
    with serve(small(quirks=CloudBotQuirks(oauth=True))) as room:
        token = token_of(room)
        assert status_with(room, {"Authorization": f"Bearer {token}"}) == 200
        assert status_with(room, {"Authorization": "Bearer other"}) == 401
        assert status(room, token) == 200
        url = f"{room.url}/v1/authentication/logout"
        requests.post(url, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert status(room, token) == 401


def test_the_management_token_is_for_the_seed_page_only() -> None:
    seeded = small()
    headers = {"Authorization": f"Bearer {seeded.management_token}"}
    with serve(seeded) as room:
        assert status_with(room, headers) == 200
        assert status(room, seeded.management_token) == 401
    with serve(small(quirks=CloudBotQuirks(seed_page=False))) as room:
        assert status_with(room, headers) == 401


def test_every_token_issued_is_a_secret(room: ControlRoom) -> None:
    token = token_of(room)
    room.simulator.expire_tokens()
    simulator = room.simulator
    assert {
        token,
        simulator.password,
        simulator.api_key,
        simulator.management_token,
    } <= simulator.secrets()


def test_logins_are_counted() -> None:
    with serve(small()) as room:
        for _ in range(3):
            token_of(room)
        assert (room.simulator.logins, room.simulator.refreshes) == (3, 0)


def test_the_request_log_keeps_no_token(room: ControlRoom) -> None:
    token = token_of(room)
    status(room, token)
    status_with(room, {"Authorization": f"Bearer {token}"})
    assert token not in repr(room.simulator.requests.all("/v3/activity/list"))


class Timer:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_refreshed_token_lives_a_whole_life() -> None:
    timer = Timer()
    sessions = Sessions(seed=1, lifetime=10, single=True, clock=timer)
    token = sessions.open("1", multiple=True)
    timer.now = 9
    renewed = sessions.renew(token)
    assert renewed is not None
    timer.now = 18.9
    assert sessions.valid(renewed)
    timer.now = 19
    assert not sessions.valid(renewed)
    assert sessions.renew(renewed) is None
    assert sessions.refreshes == 1


def test_a_single_session_is_single_for_each_user() -> None:
    sessions = Sessions(seed=1, lifetime=10, single=True)
    one, other = sessions.open("1", multiple=True), sessions.open("2", multiple=True)
    sessions.open("1", multiple=False)
    assert not sessions.valid(one)
    assert sessions.valid(other, "2")
    assert not sessions.valid(other, "1")


def test_tokens_are_the_same_for_a_seed_and_never_repeat() -> None:
    def tokens(seed: int) -> list[str]:
        sessions = Sessions(seed=seed, lifetime=10, single=False)
        return [sessions.open("1", multiple=True) for _ in range(5)]

    assert tokens(1) == tokens(1)
    assert len({*tokens(1), *tokens(2)}) == 10
