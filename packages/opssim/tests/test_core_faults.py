from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import pytest
import requests
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Scope

from opssim.core.faults import Fault, FaultMiddleware, FaultPlan
from opssim.core.server import Running, serve
from opssim.core.simulator import Simulator

_BODY = "x" * 2000


class _EchoLog:
    """The paths that were answered, whether the answers arrived or not."""

    done: ClassVar[list[str]] = []


class _Echo(Simulator):
    name = "echo"

    def routes(self) -> Sequence[BaseRoute]:
        async def answer(request: Request) -> Response:
            _EchoLog.done.append(request.url.path)
            return PlainTextResponse(_BODY)

        return [Route("/{path:path}", answer, methods=["GET", "POST"])]

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"URL": url}

    def secrets(self) -> frozenset[str]:
        return frozenset()

    def insert(self, table: str, count: int = 1) -> None:
        raise NotImplementedError

    def touch(self, table: str, count: int = 1) -> None:
        raise NotImplementedError


@pytest.fixture(name="echo", scope="module")
def _echo() -> Iterator[Running[_Echo]]:
    with serve(_Echo()) as running:
        yield running


@pytest.fixture(autouse=True)
def _healed(echo: Running[_Echo]) -> Iterator[None]:
    yield
    echo.simulator.faults.clear()
    echo.simulator.requests.clear()


def _statuses(url: str, count: int, method: str = "GET") -> list[int]:
    return [requests.request(method, url, timeout=5).status_code for _ in range(count)]


def test_without_faults_everything_works(echo: Running[_Echo]) -> None:
    assert requests.get(echo.url, timeout=5).text == _BODY


def test_a_status_with_body_media_type_and_headers(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(
        Fault(status=503, body=b"<p>no", media_type="text/html", headers={"Retry-After": "7"})
    )
    answer = requests.get(echo.url, timeout=5)
    assert answer.status_code == 503
    assert answer.text == "<p>no"
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["retry-after"] == "7"


def test_a_status_without_anything_else_is_json(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=500))
    answer = requests.get(echo.url, timeout=5)
    assert answer.content == b""
    assert answer.headers["content-type"] == "application/json"


def test_only_once_there_have_been_so_many() -> None:
    plan = FaultPlan()
    plan.add(Fault(path="/a", status=401, after=2, times=2))
    assert [
        bool(plan.strike("GET", path)) for path in ("/b", "/a", "/a", "/a", "/b", "/a", "/a")
    ] == [
        *(False, False, False, True),
        *(False, True, False),
    ]


def test_one_request_in_so_many_by_chance_and_the_same_each_time() -> None:
    def struck() -> list[bool]:
        plan = FaultPlan()
        plan.add(Fault(status=500, chance=0.05))
        return [plan.strike("GET", "/") is not None for _ in range(2000)]

    assert 60 < sum(struck()) < 140
    assert struck() == struck()


def test_every_third_request(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=429, every=3))
    assert _statuses(echo.url, 7) == [200, 200, 429, 200, 200, 429, 200]


def test_only_the_first_two_requests(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=500, times=2))
    assert _statuses(echo.url, 4) == [500, 500, 200, 200]


def test_every_second_request_but_once_only(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=500, every=2, times=1))
    assert _statuses(echo.url, 5) == [200, 500, 200, 200, 200]


def test_only_some_paths(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(path=r"/v1/incidents$", status=500))
    assert _statuses(f"{echo.url}/v1/incidents", 1) == [500]
    assert _statuses(f"{echo.url}/v1/incidents?page=2", 1) == [500]
    assert _statuses(f"{echo.url}/v1/incidents/7", 1) == [200]


def test_only_one_method(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(method="POST", status=500))
    assert _statuses(echo.url, 1, "GET") == [200]
    assert _statuses(echo.url, 1, "POST") == [500]


def test_other_requests_do_not_count(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(path="/a", every=2, status=500))
    assert _statuses(f"{echo.url}/a", 1) == [200]
    assert _statuses(f"{echo.url}/b", 3) == [200, 200, 200]
    assert _statuses(f"{echo.url}/a", 1) == [500]


def test_the_first_fault_that_strikes_decides(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=500, times=1))
    echo.simulator.faults.add(Fault(status=503))
    assert _statuses(echo.url, 2) == [500, 503]


def test_clearing_ends_all_faults(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(status=500))
    echo.simulator.faults.clear()
    assert _statuses(echo.url, 1) == [200]


def test_a_cut_connection(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(cut=True, times=1))
    with pytest.raises(requests.ConnectionError):
        requests.get(echo.url, timeout=5)
    assert requests.get(echo.url, timeout=5).text == _BODY


def test_a_cut_connection_of_a_session_that_is_kept_alive(echo: Running[_Echo]) -> None:
    with requests.Session() as session:
        session.get(echo.url, timeout=5)
        echo.simulator.faults.add(Fault(cut=True, times=1))
        with pytest.raises(requests.ConnectionError):
            session.get(echo.url, timeout=5)
        assert session.get(echo.url, timeout=5).text == _BODY


def test_a_cut_request_is_logged_without_a_status(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(cut=True))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{echo.url}/cut", timeout=5)
    deadline = time.monotonic() + 5
    while not echo.simulator.requests.all("/cut") and time.monotonic() < deadline:
        time.sleep(0.005)
    assert echo.simulator.requests.statuses("/cut") == {0: 1}


def test_a_truncated_answer(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(truncate=100, times=1))
    with requests.get(echo.url, timeout=5, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(len(_BODY))
        assert answer.raw.read(100) == b"x" * 100
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            b"".join(answer.iter_content(100))
    assert requests.get(echo.url, timeout=5).text == _BODY


@pytest.mark.parametrize("limit", [0, 1, 1999])
def test_a_truncated_answer_is_not_taken_for_a_whole_one(echo: Running[_Echo], limit: int) -> None:
    echo.simulator.faults.add(Fault(truncate=limit, times=1))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.get(echo.url, timeout=5)


def test_a_delay_lets_the_real_answer_come_late(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(delay=0.15, times=1))
    start = time.monotonic()
    assert requests.get(echo.url, timeout=5).text == _BODY
    assert time.monotonic() - start >= 0.15


def test_a_delay_runs_into_the_client_s_time_limit(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(delay=0.5, times=1))
    with pytest.raises(requests.Timeout):
        requests.get(echo.url, timeout=0.05)


def test_a_delay_does_not_hold_up_other_requests(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(path="/slow", delay=0.4, times=1))
    with pytest.raises(requests.Timeout):
        requests.get(f"{echo.url}/slow", timeout=0.02)
    start = time.monotonic()
    assert _statuses(f"{echo.url}/quick", 1) == [200]
    assert time.monotonic() - start < 0.3


def test_a_delayed_status(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(delay=0.1, status=504, times=1))
    start = time.monotonic()
    assert _statuses(echo.url, 1) == [504]
    assert time.monotonic() - start >= 0.1


def test_a_lost_answer_is_to_a_request_that_was_done(echo: Running[_Echo]) -> None:
    echo.simulator.faults.add(Fault(lose=True, times=1))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{echo.url}/lost", timeout=5)
    assert _EchoLog.done[-1] == "/lost"
    assert requests.get(echo.url, timeout=5).text == _BODY


def test_a_request_may_ask_for_a_fault_of_its_own(echo: Running[_Echo]) -> None:
    asked = {"Opssim-Fault": '{"status": 503, "headers": {"Retry-After": "9"}, "body": "later"}'}
    answer = requests.get(echo.url, timeout=5, headers=asked)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "later", "9")
    assert requests.get(echo.url, timeout=5).status_code == 200


@pytest.mark.parametrize("text", ["", "[]", '{"sttus": 500}', '{"path": "("}', '{"status": "x"}'])
def test_what_is_no_fault_is_not_asked_for(echo: Running[_Echo], text: str) -> None:
    answer = requests.get(echo.url, timeout=5, headers={"Opssim-Fault": text})
    assert answer.status_code == (400 if text else 200)


def test_cutting_needs_the_server_that_hands_out_connections() -> None:
    async def unreachable(scope: Scope, receive: object, send: object) -> None:
        raise AssertionError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise AssertionError

    plan = FaultPlan()
    plan.add(Fault(cut=True))
    scope: Scope = {"type": "http", "method": "GET", "path": "/"}
    with pytest.raises(RuntimeError, match="run the app with opssim's own"):
        asyncio.run(FaultMiddleware(unreachable, plan)(scope, receive, send))
