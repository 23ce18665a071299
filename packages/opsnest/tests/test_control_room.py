"""The login of a Control Room: once for all, again when it has run out, and never in a loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from opsnest import control_room
from opsnest.answers import check_answer
from opsnest.control_room import ControlRoomLogin
from opsnest.errors import AccessError, AnswerError, ConfigurationError, UnreachableError
from opsnest.events import PageRead, listening
from opsnest.http import ApiSession, Patience
from opssim import CloudBotQuirks, CloudBotSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

LOGIN = "/v1/authentication"
USERS = "/v2/usermanagement/users/list"
THREADS = 16

Control = Running[CloudBotSimulator]
LogIn = Callable[..., tuple[ApiSession, ControlRoomLogin]]


@pytest.fixture
def control() -> Iterator[Control]:
    simulator = CloudBotSimulator(
        executions=3,
        bots=2,
        users=3,
        devices=1,
        audit_messages=1,
        quirks=CloudBotQuirks(single_session=True),
    )
    with serve(simulator) as running:
        yield running


@pytest.fixture
def log_in(control: Control) -> Iterator[LogIn]:
    """Make a session that logs in as the simulator's account, unless told otherwise."""
    opened: list[ApiSession] = []

    def log_in(**how: Any) -> tuple[ApiSession, ControlRoomLogin]:
        session = ApiSession(
            control.url, source="cloud_bot_source", patience=Patience(sleep=lambda _: None)
        )
        opened.append(session)
        how = how or {"api_key": control.simulator.api_key}
        login = ControlRoomLogin(
            session,
            control.url,
            control.simulator.username,
            source="cloud_bot_source",
            advice={401: "Check the key."},
            **how,
        )
        session.auth = login
        return session, login

    yield log_in
    for session in opened:
        session.close()


def list_users(session: requests.Session, control: Control, **more: Any) -> requests.Response:
    return session.post(control.url + USERS, json={}, **more)


def check_users(response: requests.Response, **_: object) -> None:
    check_answer(response, source="cloud_bot_source", resource="users", advice={})


def all_at_once(job: Callable[[], int]) -> list[int]:
    """Do a job in many threads, which begin together."""
    barrier = threading.Barrier(THREADS)

    def wait_and_do(_: int) -> int:
        barrier.wait()
        return job()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(wait_and_do, range(THREADS)))


class TestOneLoginForAll:
    def test_at_the_beginning(self, control: Control, log_in: LogIn) -> None:
        session, _ = log_in()

        statuses = all_at_once(lambda: list_users(session, control).status_code)

        assert statuses == [200] * THREADS
        assert control.simulator.logins == 1

    def test_when_the_token_has_run_out(self, control: Control, log_in: LogIn) -> None:
        session, _ = log_in()
        list_users(session, control)
        arrived = threading.Barrier(THREADS)

        def refuse_together(response: requests.Response, **_: object) -> None:
            # all of them have been refused before the first of them logs in
            if response.status_code == 401:
                arrived.wait(timeout=10)

        def job() -> int:
            request = requests.Request("POST", control.url + USERS, json={})
            prepared = session.prepare_request(request)
            prepared.hooks["response"].insert(0, refuse_together)
            return session.send(prepared).status_code

        control.simulator.expire_tokens()
        statuses = all_at_once(job)

        assert statuses == [200] * THREADS
        assert control.simulator.logins == 2
        assert control.simulator.requests.statuses(USERS) == {200: THREADS + 1, 401: THREADS}

    def test_a_login_elsewhere_is_left_in_force(self, control: Control, log_in: LogIn) -> None:
        first, _ = log_in()
        second, _ = log_in(password=control.simulator.password)

        for session in (first, second, first):
            assert list_users(session, control).status_code == 200
        assert control.simulator.logins == 2


class TestLifetime:
    def test_a_token_is_kept_while_it_lives(self, control: Control, log_in: LogIn) -> None:
        session, _ = log_in()

        for _ in range(3):
            list_users(session, control)

        assert control.simulator.logins == 1

    def test_an_old_token_is_replaced_before_it_is_refused(
        self, control: Control, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1000.0
        monkeypatch.setattr(control_room, "time", SimpleNamespace(monotonic=lambda: now))
        session, _ = log_in()
        list_users(session, control)

        now += 19 * 60
        list_users(session, control)
        assert control.simulator.logins == 1
        now += 1
        list_users(session, control)

        assert control.simulator.logins == 2
        assert set(control.simulator.requests.statuses(USERS)) == {200}

    def test_logging_in_on_purpose_always_does(self, control: Control, log_in: LogIn) -> None:
        session, login = log_in()
        list_users(session, control)

        answer = login.log_in()

        assert control.simulator.logins == 2
        assert answer["user"]["username"] == control.simulator.username
        assert list_users(session, control).status_code == 200
        assert control.simulator.logins == 2

    def test_what_it_answers_can_be_changed_without_harm(
        self, control: Control, log_in: LogIn
    ) -> None:
        session, login = log_in()

        login.log_in().clear()

        assert list_users(session, control).status_code == 200
        assert control.simulator.logins == 1


class TestRefused:
    def test_twice_is_the_end(self, control: Control, log_in: LogIn) -> None:
        control.simulator.faults.add(Fault(USERS, status=401, body=b'{"message": "no"}'))
        session, _ = log_in()

        assert list_users(session, control).status_code == 401
        assert control.simulator.logins == 2
        assert control.simulator.requests.statuses(USERS) == {401: 2}

    def test_and_an_error_where_answers_are_checked(self, control: Control, log_in: LogIn) -> None:
        control.simulator.faults.add(Fault(USERS, status=401, body=b'{"message": "no"}'))
        session, _ = log_in()

        with pytest.raises(AccessError, match="cloud_bot_source / users"):
            list_users(session, control, hooks={"response": check_users})

    def test_checks_see_the_last_answer_once(self, control: Control, log_in: LogIn) -> None:
        session, _ = log_in()
        list_users(session, control)
        control.simulator.expire_tokens()
        heard: list[PageRead] = []
        counted: list[int] = []

        def count(response: requests.Response, **_: object) -> None:
            counted.append(response.status_code)

        with listening(heard.append):
            response = list_users(session, control, hooks={"response": [check_users, count, count]})

        assert response.status_code == 200
        assert [page.resource for page in heard] == ["login", "users"]
        assert counted == [200, 200]

    def test_what_is_forbidden_is_not_tried_again(self, control: Control, log_in: LogIn) -> None:
        control.simulator.faults.add(Fault(USERS, status=403))
        session, _ = log_in()

        assert list_users(session, control).status_code == 403
        assert control.simulator.logins == 1

    def test_a_server_that_is_down_behind_the_login_is_waited_for(
        self, control: Control, log_in: LogIn
    ) -> None:
        session, _ = log_in()
        list_users(session, control)
        control.simulator.expire_tokens()
        control.simulator.faults.add(Fault(LOGIN, status=503, times=2))

        assert list_users(session, control).status_code == 200

    @pytest.mark.parametrize("how", ["api_key", "password"])
    def test_a_wrong_key(self, control: Control, log_in: LogIn, how: str) -> None:
        session, login = log_in(**{how: "hunter2"})

        for act in (login.log_in, lambda: list_users(session, control)):
            with pytest.raises(AccessError) as caught:
                act()
            assert str(caught.value) == (
                "cloud_bot_source / login: the credentials were not accepted\n"
                '  POST /v1/authentication -> 401 "Invalid credentials." '
                "(code um.credentials.invalid)\n"
                "  Check the key."
            )
        assert control.simulator.requests.statuses() == {401: 1}, "asked again in vain"

    def test_a_key_that_has_ended_while_the_load_went_on(
        self, control: Control, log_in: LogIn
    ) -> None:
        session, _ = log_in()
        list_users(session, control)
        control.simulator.expire_tokens()
        control.simulator.faults.add(Fault(LOGIN, status=401))

        with pytest.raises(AccessError, match="cloud_bot_source / login"):
            list_users(session, control)


def test_a_wrong_key_is_tried_once_however_many_threads_there_are(
    control: Control, log_in: LogIn
) -> None:
    """A few wrong logins lock a user out."""
    session, _ = log_in(api_key="not-the-key")

    def ask(_: int) -> type[BaseException] | None:
        try:
            list_users(session, control)
        except AccessError as refusal:
            return type(refusal)
        return None

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(ask, range(THREADS))) == {AccessError}
    assert len(control.simulator.requests.all(LOGIN)) == 1


class TestOddAnswers:
    @pytest.mark.parametrize(
        "body", [b"{}", b'{"token": null}', b'{"token": ""}', b"[]", b'"token"', b"null", b""]
    )
    def test_an_answer_without_a_token(self, control: Control, log_in: LogIn, body: bytes) -> None:
        control.simulator.faults.add(Fault(LOGIN, status=200, body=body))
        session, _ = log_in()

        with pytest.raises(AnswerError, match="holds no token"):
            list_users(session, control)

        assert control.simulator.requests.all(USERS) == []

    def test_a_page_of_a_proxy(self, control: Control, log_in: LogIn) -> None:
        control.simulator.faults.add(
            Fault(LOGIN, status=200, body=b"<title>Sign in</title>", media_type="text/html")
        )
        _, login = log_in()

        with pytest.raises(AnswerError, match=r'is not JSON .*\n.*"Sign in"'):
            login.log_in()

    def test_no_answer(self, control: Control, log_in: LogIn) -> None:
        control.simulator.faults.add(Fault(LOGIN, cut=True))
        _, login = log_in()

        with pytest.raises(UnreachableError):
            login.log_in()


class TestConfiguration:
    @pytest.mark.parametrize(
        ("how", "told"),
        [
            ({"api_key": "hunter2", "password": "hunter2"}, "both"),
            ({"api_key": None, "password": None}, "neither"),
            ({"api_key": "", "password": ""}, "neither"),
        ],
    )
    def test_one_of_key_and_password(self, log_in: LogIn, how: dict[str, str], told: str) -> None:
        with pytest.raises(
            ConfigurationError, match=f"{told} `api_key` and `password` are set"
        ) as c:
            log_in(**how)

        assert "hunter2" not in str(c.value)
        assert "[sources.cloud_bot_source]" in str(c.value)

    @pytest.mark.parametrize("slashes", ["", "/", "//"])
    def test_slashes_behind_the_address_do_not_matter(self, control: Control, slashes: str) -> None:
        with ApiSession(control.url, source="cloud_bot_source") as session:
            login = ControlRoomLogin(
                session,
                control.url + slashes,
                control.simulator.username,
                api_key=control.simulator.api_key,
                source="cloud_bot_source",
                advice={},
            )
            assert login.log_in()["token"]
