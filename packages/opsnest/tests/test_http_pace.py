"""One pace for all that ask with one key: few calls that are left are spread, a 429 holds all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from opsnest.errors import RateLimitError
from opsnest.http import ApiSession, Patience, governor_of
from opssim import Fault, RootlySimulator, Running
from opssim.pytest_plugin import Simulate

SMALL: dict[str, Any] = {"incidents": 3, "alerts": 3, "users": 3, "alert_events": 3, "shifts": 3}
Rootly = Running[RootlySimulator]


def session_of(
    rootly: Rootly, key: str | None = None, patience: Patience | None = None
) -> ApiSession:
    token = rootly.simulator.token if key is None else key
    session = ApiSession(rootly.url, source="rootly", key=token, patience=patience)
    session.headers["Authorization"] = f"Bearer {rootly.simulator.token}"
    return session


def ask(session: ApiSession, rootly: Rootly, path: str = "/v1/teams") -> float:
    """Ask for a list, and return the time at which its answer was there."""
    assert session.get(f"{rootly.url}{path}").status_code == 200
    return time.monotonic()


def at_once(calls: Sequence[Callable[[], float]]) -> list[float]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return [each.result() for each in [threads.submit(call) for call in calls]]


# Who shares a pace


def test_sessions_of_one_key_share_their_pace_and_others_do_not() -> None:
    held = governor_of("https://api.example.com", "key")

    assert governor_of("https://api.example.com", "key") is held
    assert governor_of("https://api.example.com", "another key") is not held
    assert governor_of("https://eu.example.com", "key") is not held


def test_a_pace_is_forgotten_with_the_last_session_of_its_key() -> None:
    held = governor_of("https://api.example.com", "a key of a test")
    held.pause(1000)
    del held

    waits: list[float] = []
    governor_of("https://api.example.com", "a key of a test").enter(waits.append)

    assert waits == []


# Few calls are left


def test_all_calls_of_two_sessions_pass_without_a_refusal_though_there_are_more_than_allowed(
    simulate: Simulate,
) -> None:
    rootly = simulate(RootlySimulator(rate_limit=20, rate_window=1.0, **SMALL))
    sessions = [session_of(rootly), session_of(rootly)]

    began = time.monotonic()
    for number in range(25):
        ask(sessions[number % 2], rootly)

    assert rootly.simulator.requests.statuses() == {200: 25}
    assert time.monotonic() - began > 0.9, "more than a window's calls take more than a window"


def test_calls_from_several_threads_pass_without_a_refusal(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(rate_limit=20, rate_window=1.0, **SMALL))
    sessions = [session_of(rootly) for _ in range(3)]
    ask(sessions[0], rootly)  # from which the limit is known

    def some(session: ApiSession) -> float:
        return [ask(session, rootly) for _ in range(9)][-1]

    at_once([partial(some, session) for session in sessions])

    assert rootly.simulator.requests.statuses() == {200: 28}


def test_while_enough_calls_are_left_nobody_waits(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(rate_limit=100, rate_window=60.0, **SMALL))
    waits: list[float] = []
    session = session_of(rootly, patience=Patience(sleep=waits.append))

    for _ in range(85):
        ask(session, rootly)

    assert waits == []


def test_the_last_calls_are_spread_over_the_time_until_there_are_more(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(rate_limit=40, rate_window=2.0, **SMALL))
    session = session_of(rootly)

    times = [ask(session, rootly) for _ in range(40)]

    # a tenth of them, four or so, over two seconds or so, which are told as whole ones
    gaps = [after - before for before, after in pairwise(times)]
    assert sum(gap > 0.2 for gap in gaps[-5:]) >= 3
    assert sum(gap > 0.2 for gap in gaps[:-6]) <= 1, "and the others were not"
    assert rootly.simulator.requests.statuses() == {200: 40}


# A refusal


def refuse(rootly: Rootly, times: int, seconds: str) -> None:
    fault = Fault(path="/v1/users$", status=429, times=times, headers={"Retry-After": seconds})
    rootly.simulator.faults.add(fault)


def race(rootly: Rootly, one: ApiSession, other: ApiSession) -> tuple[float, float]:
    """Let one session be refused, and another ask after that; return how long each took."""
    began = time.monotonic()
    refused = threading.Event()

    def meanwhile() -> float:
        while not rootly.simulator.requests.statuses().get(429):
            time.sleep(0.005)
        refused.set()
        time.sleep(0.1)
        return ask(other, rootly)

    first, second = at_once([lambda: ask(one, rootly, "/v1/users"), meanwhile])
    assert refused.is_set()
    return first - began, second - began


def test_a_refusal_holds_back_the_other_sessions_of_the_key(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(**SMALL))
    refuse(rootly, 1, "1")

    first, second = race(rootly, session_of(rootly), session_of(rootly))

    assert first >= 1
    assert second >= 1
    assert rootly.simulator.requests.statuses() == {429: 1, 200: 2}


@pytest.mark.parametrize("key", ["another key", ""])
def test_a_refusal_does_not_hold_back_sessions_of_other_keys(simulate: Simulate, key: str) -> None:
    rootly = simulate(RootlySimulator(**SMALL))
    refuse(rootly, 1, "1")

    first, second = race(rootly, session_of(rootly), session_of(rootly, key))

    assert first >= 1
    assert second < 0.8


def test_an_api_that_refuses_on_and_on_is_an_error_in_the_end(simulate: Simulate) -> None:
    rootly = simulate(RootlySimulator(**SMALL))
    refuse(rootly, 100, "30")
    waits: list[float] = []
    session = session_of(rootly, patience=Patience(attempts=4, sleep=waits.append))

    with pytest.raises(RateLimitError, match="after 4 tries"):
        ask(session, rootly, "/v1/users")

    assert sum(waits) == pytest.approx(90, abs=2)
