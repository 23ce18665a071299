from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from packages.restarrow.tests.scripted_server import Asked, decoded, queued, reply, scripted

from opssim import CloudBotSimulator, Fault, Running, serve
from restarrow.errors import (
    AuthenticationError,
    BodyError,
    ConfigurationError,
    FetchError,
    RestarrowError,
    StatusError,
    TransportError,
    Where,
)
from restarrow.http.auth import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    Login,
    LoginAuth,
    OAuth2Auth,
    control_room_auth,
)
from restarrow.http.client import Client
from restarrow.http.retry import RetryPolicy
from restarrow.types import Headers, Page, Request

_QUICK = RetryPolicy(attempts=2, first_wait=0.01)
_LIST = Request("POST", "/v2/repository/workspaces/public/files/list", json={"page": {"length": 1}})


def _sent(auth: Auth | None, base: str = "", path: str = "/x", **headers: str) -> Asked:
    """Send one request, and return it as it arrived."""
    with (
        scripted(queued(reply({}))) as server,
        Client(base or server.url, auth=auth, headers=headers) as client,
    ):
        client.fetch(Request("GET", path))
        return server.asked[0]


def test_bearer() -> None:
    assert _sent(BearerAuth("t0ken")).headers["authorization"] == "Bearer t0ken"


def test_basic() -> None:
    sent = _sent(BasicAuth("user", "pässword"))
    scheme, _, pair = sent.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", "user:pässword")


def test_an_api_key_in_a_header() -> None:
    assert _sent(ApiKeyAuth("k3y")).headers["authorization"] == "k3y"
    assert _sent(ApiKeyAuth("k3y", name="X-Api-Key")).headers["x-api-key"] == "k3y"


@pytest.mark.parametrize("location", ["query", "param"])
def test_an_api_key_in_the_query(location: Any) -> None:
    auth = ApiKeyAuth("k y+", name="api[key]", location=location)
    assert _sent(auth).target == "/x?api%5Bkey%5D=k+y%2B"
    assert _sent(auth, path="/x?a=b+c").target == "/x?a=b+c&api%5Bkey%5D=k+y%2B"


def test_credentials_come_before_a_header_of_the_same_name() -> None:
    sent = _sent(BearerAuth("t0ken"), Authorization="Bearer other")
    assert sent.headers["authorization"] == "Bearer t0ken"


def test_without_credentials_none_are_sent() -> None:
    assert "authorization" not in _sent(None).headers


def test_credentials_of_the_base_url_are_used_if_there_are_no_others() -> None:
    def ask(auth: Auth | None) -> str:
        with scripted(queued(reply({}))) as server:
            base = server.url.replace("http://", "http://user:pass@")
            with Client(base, auth=auth) as client:
                page = client.fetch(Request("GET", "/x"))
            assert "pass" not in page.url
            assert "pass" not in repr(client)
            return server.asked[0].headers["authorization"]

    assert ask(None) == f"Basic {base64.b64encode(b'user:pass').decode()}"
    assert ask(BearerAuth("t0ken")) == "Bearer t0ken"


@pytest.mark.parametrize(
    "make",
    [
        lambda: BearerAuth(""),
        lambda: ApiKeyAuth(""),
        lambda: ApiKeyAuth("k", name=""),
        lambda: ApiKeyAuth("k", location="cookie"),  # type: ignore[arg-type]
        lambda: OAuth2Auth("", "id", "secret"),
        lambda: OAuth2Auth("https://h/token", "id", ""),
        lambda: control_room_auth("user"),
        lambda: control_room_auth("user", api_key="k", password="p"),
        lambda: control_room_auth("", api_key="k"),
        lambda: control_room_auth("user", api_key=""),
    ],
)
def test_what_is_missing_is_said_before_anything_is_sent(make: Callable[[], Auth]) -> None:
    with pytest.raises(ConfigurationError):
        make()


@pytest.mark.parametrize(
    "auth",
    [
        BearerAuth("s3cret"),
        ApiKeyAuth("s3cret"),
        BasicAuth("user", "s3cret"),
        OAuth2Auth("https://h/token", "id", "s3cret"),
        control_room_auth("user", password="s3cret"),
    ],
)
def test_no_repr_shows_a_secret(auth: Auth) -> None:
    shown = repr(auth) + repr(getattr(auth, "_login", "")) + repr(getattr(auth, "_credentials", ""))
    assert "s3cret" not in shown
    assert "s3cret" in auth.secrets()


# -- tokens, without any network


class _Desk:
    """Where tokens are handed out, and time that only the test lets pass."""

    def __init__(self, *answers: bytes | FetchError) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.now = 0.0

    def exchange(self, request: Request) -> Page:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchError):
            raise answer
        return Page(0, request, "https://h/login", 200, Headers(), answer)

    def auth(self, **settings: Any) -> LoginAuth:
        login = Login(request=Request("POST", "/login"), **settings)
        return LoginAuth(login, clock=lambda: self.now)


_WHERE = Where("POST", "/login")


def test_one_token_is_used_until_its_lifetime_is_nearly_over() -> None:
    desk = _Desk(b'{"token": "one"}', b'{"token": "two"}')
    auth = desk.auth(lifetime=1200)
    for desk.now in (0, 600, 1139):
        used = auth.credentials(desk.exchange)
        assert used.headers == {"Authorization": "Bearer one"}
    desk.now = 1141
    assert auth.credentials(desk.exchange).headers == {"Authorization": "Bearer two"}
    assert auth.logins == desk.asked == 2


@pytest.mark.parametrize(
    ("told", "renewed_after"),
    [("100", 90), ('"100"', 90), ("0", 900), ('"0"', 900), ("null", 900), ('"soon"', 900)],
)
def test_the_lifetime_of_the_answer_counts_if_it_is_one(told: str, renewed_after: float) -> None:
    desk = _Desk(f'{{"token": "t", "ttl": {told}}}'.encode())
    auth = desk.auth(lifetime_at=("ttl",), lifetime=960)
    auth.credentials(desk.exchange)
    desk.now = renewed_after - 1
    auth.credentials(desk.exchange)
    assert desk.asked == 1
    desk.now = renewed_after + 1
    auth.credentials(desk.exchange)
    assert desk.asked == 2


def test_a_token_without_lifetime_stays() -> None:
    desk = _Desk(b'{"data": {"jwt": "one"}}')
    auth = desk.auth(token=("data", "jwt"), header="X-Authorization", scheme="")
    for desk.now in (0, 1e9):
        assert auth.credentials(desk.exchange).headers == {"X-Authorization": "one"}
    assert desk.asked == 1


def test_a_refused_token_is_renewed_once_for_all_who_used_it() -> None:
    desk = _Desk(b'{"token": "one"}', b'{"token": "two"}')
    auth = desk.auth()
    used = [auth.credentials(desk.exchange) for _ in range(5)]
    assert all(auth.refused(each, desk.exchange) for each in used)
    assert desk.asked == 2
    assert auth.secrets() == {"two"}


def test_tokens_that_are_refused_as_soon_as_they_come_end_the_logins() -> None:
    desk = _Desk(b'{"token": "t"}')
    auth = desk.auth()
    results = [auth.refused(auth.credentials(desk.exchange), desk.exchange) for _ in range(9)]
    assert results == [True, True] + 7 * [False]
    assert desk.asked == 3


def test_a_token_that_was_good_once_may_be_renewed_for_ever() -> None:
    desk = _Desk(b'{"token": "t"}')
    auth = desk.auth()
    for _ in range(9):
        used = auth.credentials(desk.exchange)
        auth.accepted(used)
        assert auth.refused(used, desk.exchange)
    assert desk.asked == 10


@pytest.mark.parametrize(
    "answer",
    [
        AuthenticationError("no", _WHERE, status=401),
        StatusError("gone", _WHERE, status=404),
        BodyError("a page", _WHERE, reason="wrong content type"),
        b'{"error": "no"}',
        b'{"token": ""}',
        b'{"token": 5}',
        b"[]",
        b"not json",
    ],
)
def test_a_login_that_is_refused_is_not_repeated(answer: bytes | FetchError) -> None:
    desk = _Desk(answer)
    auth = desk.auth()
    caught: list[FetchError] = []
    for _ in range(5):
        with pytest.raises(FetchError) as error:
            auth.credentials(desk.exchange)
        caught.append(error.value)
    assert desk.asked == 1
    assert len({str(each) for each in caught}) == 1
    assert len({id(each) for each in caught}) == 5


@pytest.mark.parametrize(
    "answer",
    [
        TransportError("no connection", _WHERE),
        StatusError("down", _WHERE, status=503),
        BodyError("cut", _WHERE, reason="truncated"),
    ],
)
def test_a_login_that_could_not_be_made_is_tried_again_by_the_next(answer: FetchError) -> None:
    desk = _Desk(answer, b'{"token": "t"}')
    auth = desk.auth()
    with pytest.raises(type(answer)):
        auth.credentials(desk.exchange)
    assert auth.credentials(desk.exchange).headers == {"Authorization": "Bearer t"}


def test_those_who_waited_share_the_failure() -> None:
    asked = 0
    everyone = threading.Barrier(8)

    def exchange(_request: Request) -> Page:
        nonlocal asked
        asked += 1
        time.sleep(0.3)
        msg = "no connection"
        raise TransportError(msg, _WHERE)

    auth = LoginAuth(Login(request=Request("POST", "/login")))
    caught = _at_once(8, lambda: (everyone.wait(5), auth.credentials(exchange)))
    assert [type(each) for each in caught] == 8 * [TransportError]
    assert asked == 1


def _at_once(count: int, work: Callable[[], object]) -> list[RestarrowError]:
    errors: list[RestarrowError] = []

    def run() -> None:
        try:
            work()
        except RestarrowError as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


# -- the Control Room


def _control_room(running: Running[CloudBotSimulator]) -> LoginAuth:
    return control_room_auth(running.simulator.username, api_key=running.simulator.api_key)


def test_eight_threads_make_one_login() -> None:
    with serve(CloudBotSimulator(executions=5)) as room:
        auth = _control_room(room)
        with Client(room.url, auth=auth) as client:
            assert _at_once(8, lambda: [client.fetch(_LIST) for _ in range(5)]) == []
        assert (room.simulator.logins, auth.logins) == (1, 1)


def test_sessions_that_end_are_renewed_by_one_login() -> None:
    with serve(CloudBotSimulator(executions=5)) as room:
        with Client(room.url, auth=_control_room(room)) as client:
            client.fetch(_LIST)
            room.simulator.expire_tokens()
            assert _at_once(8, lambda: client.fetch(_LIST)) == []
        assert room.simulator.logins == 2


def test_sessions_are_renewed_before_they_end() -> None:
    with serve(CloudBotSimulator(executions=5, token_seconds=1.0)) as room:
        auth = control_room_auth(
            room.simulator.username, password=room.simulator.password, lifetime=1.0
        )
        with Client(room.url, auth=auth) as client:
            statuses: list[int] = []
            ends = time.monotonic() + 2.5
            while time.monotonic() < ends:
                statuses.append(client.fetch(_LIST).status)
                time.sleep(0.01)
            assert client.counts.retries == 0
        assert set(statuses) == {200}
        assert 3 <= room.simulator.logins <= 4
        assert not [each for each in room.simulator.requests.all() if each.status == 401]


def test_a_wrong_key_is_sent_once_and_never_shown() -> None:
    with serve(CloudBotSimulator(executions=5)) as room:
        wrong = "wrong-key-4711"
        auth = control_room_auth(room.simulator.username, api_key=wrong)
        with Client(room.url, auth=auth) as client:
            caught = _at_once(8, lambda: client.fetch(_LIST))
        assert len(caught) == 8
        for error in caught:
            assert isinstance(error, AuthenticationError)
            assert error.status == 401
            assert error.path == "/v2/authentication"
            assert wrong not in str(error) + repr(error.__dict__)
        logins = [e for e in room.simulator.requests.all() if "authentication" in e.path]
        assert len(logins) == 1


def test_a_login_is_repeated_while_the_control_room_is_down() -> None:
    with serve(CloudBotSimulator(executions=5)) as room:
        room.simulator.faults.add(Fault(path="authentication", status=503, times=1))
        with Client(room.url, auth=_control_room(room), retry=_QUICK) as client:
            assert client.fetch(_LIST).status == 200
        assert room.simulator.logins == 1


# -- OAuth 2


def test_client_credentials_are_sent_as_a_form_to_another_origin() -> None:
    with scripted(queued(reply({"access_token": "tok", "expires_in": 100}))) as login:
        auth = OAuth2Auth(
            f"{login.url}/token", "id", "s3cret +", request_data={"scope": "read all"}
        )
        with (
            scripted(queued(reply([]))) as api,
            Client(api.url, auth=auth, headers={"X-Team": "blue"}) as client,
        ):
            for _ in range(3):
                client.fetch(Request("GET", "/items"))
            assert {each.headers["authorization"] for each in api.asked} == {"Bearer tok"}
            assert {each.headers["x-team"] for each in api.asked} == {"blue"}
    (sent,) = login.asked
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.body == (
        b"client_id=id&client_secret=s3cret+%2B&grant_type=client_credentials&scope=read+all"
    )
    assert not {"x-team", "authorization"} & set(sent.headers)


def test_a_token_that_is_refused_for_good() -> None:
    def answer(asked: Asked) -> bytes:
        if asked.path == "/token":
            return reply({"access_token": "tok"})
        return reply({"error": "tok is bad, and so is s3cret"}, 401)

    with scripted(answer) as server:
        auth = OAuth2Auth("/token", "id", "s3cret")
        with Client(server.url, auth=auth) as client:
            for _ in range(3):
                with pytest.raises(AuthenticationError, match="401") as caught:
                    client.fetch(Request("GET", "/items"))
                assert "s3cret" not in str(caught.value) + caught.value.excerpt
        assert server.paths().count("/token") == 3


def test_a_login_page_of_html_is_no_token() -> None:
    page = reply(b"<html>log in", headers={"Content-Type": "text/html"})
    with scripted(queued(page)) as server:
        auth = control_room_auth("user", password="s3cret")
        with Client(server.url, auth=auth) as client:
            for _ in range(2):
                with pytest.raises(BodyError, match="text/html"):
                    client.fetch(Request("GET", "/items"))
        assert server.paths() == ["/v2/authentication"]
        assert decoded(server.asked[0].body) == {
            "username": "user",
            "password": "s3cret",
            "multipleLogin": True,
        }


def test_a_login_that_redirects_elsewhere_takes_its_password_nowhere() -> None:
    with scripted(queued(reply({"token": "t"}))) as elsewhere:
        away = reply(b"", 307, {"Location": f"{elsewhere.url}/steal"})
        with scripted(queued(away)) as server:
            auth = control_room_auth("user", password="s3cret")
            with (
                Client(server.url, auth=auth) as client,
                pytest.raises(FetchError, match="redirects"),
            ):
                client.fetch(Request("GET", "/items"))
        assert elsewhere.asked == []
