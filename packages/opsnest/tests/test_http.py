"""The session, against a real server that fails in every way it can."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from opsnest.errors import RateLimitError, UnreachableError
from opsnest.http import ApiSession, Patience
from opssim import RoostSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

EVENTS = "/api/test/event"
#: For what is answered late: its requests may be logged while the next test runs.
LATE = "/api/test/event/late"
Open = Callable[..., ApiSession]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Running[RoostSimulator]]:
    with serve(RoostSimulator(tests=1, events=3)) as running:
        yield running


@pytest.fixture
def server(shared_server: Running[RoostSimulator]) -> Running[RoostSimulator]:
    shared_server.simulator.faults.clear()
    shared_server.simulator.requests.clear()
    return shared_server


@pytest.fixture
def naps() -> list[float]:
    """How long the sessions of a test would have slept."""
    return []


@pytest.fixture
def open_session(server: Running[RoostSimulator], naps: list[float]) -> Iterator[Open]:
    opened: list[ApiSession] = []

    def open_one(url: str = server.url, **options: Any) -> ApiSession:
        session = ApiSession(
            url, source="roost_source", patience=Patience(sleep=naps.append), **options
        )
        session.headers["Authorization"] = f"Bearer {token_of(server)}"
        opened.append(session)
        return session

    yield open_one
    for session in opened:
        session.close()


def token_of(server: Running[RoostSimulator]) -> str:
    return server.configuration["SOURCES__ROOST_SOURCE__TOKEN"]


def tries(server: Running[RoostSimulator], path: str = EVENTS) -> int:
    return len(server.simulator.requests.all(path))


class NeverConnects(BaseAdapter):
    """Fail like a host behind a firewall, which cannot be had on loopback."""

    def send(self, *_: object, **__: object) -> Any:
        raise requests.ConnectTimeout

    def close(self) -> None:
        pass


class TestPatience:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_what_passes_by_itself_is_tried_again(
        self,
        server: Running[RoostSimulator],
        open_session: Open,
        naps: list[float],
        status: int,
    ) -> None:
        server.simulator.faults.add(Fault(status=status, times=2))

        assert open_session().get(server.url + EVENTS).status_code == 200
        assert tries(server) == 3
        assert 0.37 < naps[0] < 0.63
        assert 0.74 < naps[1] < 1.26

    @pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 501, 505])
    def test_what_does_not_pass_is_not_tried_again(
        self, server: Running[RoostSimulator], open_session: Open, status: int
    ) -> None:
        server.simulator.faults.add(Fault(status=status))

        assert open_session().get(server.url + EVENTS).status_code == status
        assert tries(server) == 1

    def test_a_server_that_goes_on_failing_gets_eight_tries(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(status=503))

        assert open_session().get(server.url + EVENTS).status_code == 503
        assert tries(server) == 8
        assert len(naps) == 7

    def test_a_limit_that_stays_is_an_error(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(status=429, headers={"Retry-After": "2"}))

        with pytest.raises(RateLimitError) as caught:
            open_session().get(server.url + EVENTS)

        assert tries(server) == 8
        assert naps == [2.0] * 7
        assert "still over the rate limit after 8 tries" in str(caught.value)
        assert caught.value.path == EVENTS

    def test_no_wait_is_longer_than_the_longest(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(status=503, times=1, headers={"Retry-After": "999999"}))

        open_session().get(server.url + EVENTS)

        assert naps == [300.0]

    @pytest.mark.parametrize("fault", [Fault(cut=True, times=2), Fault(truncate=5, times=2)])
    def test_broken_answers_are_asked_for_again(
        self,
        server: Running[RoostSimulator],
        open_session: Open,
        naps: list[float],
        fault: Fault,
    ) -> None:
        server.simulator.faults.add(fault)

        assert open_session().get(server.url + EVENTS).json()["data"]
        assert len(naps) == 2

    def test_a_host_that_never_answers_gets_three_tries(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(cut=True))

        with pytest.raises(UnreachableError, match="cannot be reached"):
            open_session().get(server.url + EVENTS)

        assert len(naps) == 3 - 1

    def test_a_host_that_has_answered_before_gets_eight(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        session = open_session()
        session.get(server.url + EVENTS)
        server.simulator.faults.add(Fault(cut=True))

        with pytest.raises(UnreachableError, match="broke and stayed broken"):
            session.get(server.url + EVENTS)

        assert len(naps) == 8 - 1

    def test_an_answer_that_always_breaks_off_is_from_a_host_that_can_be_reached(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(truncate=5))

        with pytest.raises(UnreachableError, match="broke and stayed broken"):
            open_session().get(server.url + EVENTS)

        assert len(naps) == 8 - 1

    def test_a_late_answer_is_not_waited_for(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(delay=0.5, times=1))

        assert open_session().get(server.url + LATE, timeout=0.1).status_code == 404

    def test_an_answer_that_never_comes_is_told_as_such(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(delay=0.5))

        with pytest.raises(UnreachableError, match="did not answer in time"):
            open_session().get(server.url + LATE, timeout=0.05)

        assert len(naps) == 2

    def test_so_is_one_that_stops_in_the_middle(self, open_session: Open) -> None:
        with stalling() as url, pytest.raises(UnreachableError, match="did not answer in time"):
            open_session(url).get(url, timeout=0.05)

    def test_each_wait_is_told_without_the_query(
        self, server: Running[RoostSimulator], open_session: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.simulator.faults.add(Fault(status=503, times=1, headers={"Retry-After": "4"}))
        server.simulator.faults.add(Fault(cut=True, times=1))

        with caplog.at_level(logging.WARNING, logger="opsnest"):
            open_session().get(server.url + EVENTS, params={"searchTerm": "hunter2"})

        first, second = caplog.messages
        assert first == f"roost_source: GET {EVENTS} answered 503; next try in 4.0 s"
        assert second.startswith(f"roost_source: GET {EVENTS} got no answer; next try in ")


class TestUnreachable:
    def test_nobody_listens(self, open_session: Open, naps: list[float]) -> None:
        with closing(socket.socket()) as bound:
            bound.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            with pytest.raises(UnreachableError) as caught:
                open_session(url).get(f"{url}/v1/users?key=hunter2")

        assert str(caught.value) == (
            f"roost_source / : {url} cannot be reached\n"
            "  GET /v1/users\n"
            "  Check the address in the configuration, name servers, network and proxy settings."
        )
        assert len(naps) == 2

    def test_there_is_no_such_name(self, open_session: Open) -> None:
        url = "http://api.opsnest.invalid"

        with pytest.raises(UnreachableError, match=r"http://api\.opsnest\.invalid cannot be"):
            open_session(url).get(url)

    def test_the_other_side_does_not_speak_tls(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        url = server.url.replace("http://", "https://")

        with pytest.raises(UnreachableError, match="certificate"):
            open_session(url).get(url)


class TestWrites:
    @pytest.mark.parametrize(
        "fault", [Fault(status=503), Fault(status=408), Fault(cut=True), Fault(truncate=3)]
    )
    def test_what_may_have_been_done_is_not_done_again(
        self,
        server: Running[RoostSimulator],
        open_session: Open,
        naps: list[float],
        fault: Fault,
    ) -> None:
        server.simulator.faults.add(fault)
        session = open_session(repeat_posts=False)

        if fault.status:
            assert session.post(server.url + EVENTS).status_code == fault.status
        else:
            with pytest.raises(UnreachableError):
                session.post(server.url + EVENTS)

        assert naps == []

    def test_nor_is_what_took_too_long(
        self, server: Running[RoostSimulator], open_session: Open, naps: list[float]
    ) -> None:
        server.simulator.faults.add(Fault(delay=0.5))

        with pytest.raises(UnreachableError, match="in time"):
            open_session(repeat_posts=False).post(server.url + LATE, timeout=0.05)

        assert naps == []

    def test_what_was_over_the_limit_is(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(status=429, times=2))

        open_session(repeat_posts=False).post(server.url + EVENTS)

        assert tries(server) == 3

    def test_so_is_what_nobody_took(self, open_session: Open, naps: list[float]) -> None:
        with closing(socket.socket()) as bound:
            bound.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            with pytest.raises(UnreachableError):
                open_session(url, repeat_posts=False).post(url)

        assert len(naps) == 2

    def test_and_what_could_not_be_connected_in_time(
        self, open_session: Open, naps: list[float]
    ) -> None:
        session = open_session("http://api.example.com", repeat_posts=False)
        session.mount("http://", NeverConnects())

        with pytest.raises(UnreachableError, match="in time"):
            session.post("http://api.example.com/")

        assert len(naps) == 2

    def test_posts_that_read_are_repeated_and_so_are_gets_beside_writes(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(status=503, times=4))

        open_session().post(server.url + EVENTS)
        assert tries(server) == 5
        server.simulator.faults.add(Fault(status=503, times=1))
        open_session(repeat_posts=False).get(server.url + EVENTS)
        assert tries(server) == 7


class TestHooks:
    def test_they_see_the_last_answer_once(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(status=503, times=2))
        seen: list[int] = []

        def hook(response: requests.Response, **_: object) -> None:
            seen.append(response.status_code)

        open_session().get(server.url + EVENTS, hooks={"response": hook})

        assert seen == [200]

    def test_one_that_raises_does_not_cut_the_patience_short(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(status=503, times=2))

        def hook(response: requests.Response, **_: object) -> None:
            response.raise_for_status()

        session = open_session()
        assert session.get(server.url + EVENTS, hooks={"response": hook}).ok
        server.simulator.faults.add(Fault(status=503))
        with pytest.raises(requests.HTTPError):
            session.get(server.url + EVENTS, hooks={"response": hook})

    def test_what_one_returns_is_the_answer(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        other = requests.Response()

        def hook(_: requests.Response, **__: object) -> requests.Response:
            return other

        assert open_session().get(server.url + EVENTS, hooks={"response": hook}) is other

    def test_a_request_keeps_its_hooks_even_if_it_fails(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        server.simulator.faults.add(Fault(cut=True))
        session = open_session()
        request = session.prepare_request(
            requests.Request("GET", server.url + EVENTS, hooks={"response": print})
        )

        with pytest.raises(UnreachableError):
            session.send(request)

        assert request.hooks["response"] == [print]


@contextmanager
def stalling() -> Generator[str]:
    """Answer each request with the first half of a body, and then nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def answer_half() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1, 2")

    thread = threading.Thread(target=answer_half)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in connections:
            connection.close()
