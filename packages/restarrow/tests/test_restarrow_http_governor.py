from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssim import Fault, RootlySimulator, serve
from restarrow.errors import ConfigurationError, RestarrowError
from restarrow.http.auth import BearerAuth
from restarrow.http.client import Client
from restarrow.http.governor import Governor
from restarrow.http.limits import Allowance
from restarrow.http.retry import RetryPolicy
from restarrow.types import Request

_JSON_API = {"Content-Type": "application/vnd.api+json"}


class _Time:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.waits.append(seconds)
        self.now += seconds


class _Api:
    """Allows `limit` requests in each window of `seconds`, fixed or sliding."""

    def __init__(self, clock: _Time, limit: int, seconds: float, *, sliding: bool) -> None:
        self.clock, self.limit, self.seconds, self.sliding = clock, limit, seconds, sliding
        self.began = clock.now
        self.passed: deque[float] = deque()
        self.refused = 0

    def ask(self) -> Allowance:
        now = self.clock.now
        if self.sliding:
            while self.passed and self.passed[0] <= now - self.seconds:
                self.passed.popleft()
        elif now >= self.began + self.seconds:
            self.began = now
            self.passed.clear()
        if len(self.passed) < self.limit:
            self.passed.append(now)
        else:
            self.refused += 1
        oldest = self.passed[0] if self.sliding else self.began
        return Allowance(self.limit, self.limit - len(self.passed), oldest + self.seconds - now)


def _load(governor: Governor, api: _Api, clock: _Time, count: int, each: float = 0.0) -> None:
    for _ in range(count):
        governor.enter(clock.wait)
        clock.now += each
        governor.leave(api.ask())


def test_while_nothing_is_told_everyone_passes() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    for _ in range(100):
        assert governor.enter(clock.wait) == 0
        governor.leave()
    assert clock.waits == []


def test_while_plenty_is_left_everyone_passes() -> None:
    clock = _Time()
    api = _Api(clock, 100, 60, sliding=False)
    _load(Governor(clock=clock), api, clock, 90)
    assert clock.waits == []


def test_the_last_ones_are_spread_over_the_time_to_the_reset() -> None:
    clock = _Time()
    api = _Api(clock, 100, 60, sliding=False)
    _load(Governor(clock=clock), api, clock, 100)
    assert api.refused == 0
    assert 45 <= clock.now - 100 <= 60
    assert max(clock.waits) < 10


@pytest.mark.parametrize("sliding", [False, True])
def test_with_none_left_everyone_waits_for_the_reset(sliding: bool) -> None:
    clock = _Time()
    api = _Api(clock, 20, 60, sliding=sliding)
    _load(Governor(clock=clock), api, clock, 50)
    assert api.refused == 0
    assert clock.now - 100 >= 120


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 60),
    st.floats(2, 120),
    st.booleans(),
    st.floats(0, 0.5),
    st.integers(1, 150),
)
def test_alone_it_never_meets_a_429(
    limit: int, seconds: float, sliding: bool, each: float, count: int
) -> None:
    clock = _Time()
    api = _Api(clock, limit, seconds, sliding=sliding)
    _load(Governor(clock=clock), api, clock, count, each)
    assert api.refused == 0
    # and it is not much slower than the limit asks for
    windows = -(-count // limit)
    assert clock.now - 100 <= windows * (seconds + 3) + count * each + 1


def test_a_quota_of_the_day_is_not_spread() -> None:
    clock = _Time()
    governor = Governor(clock=clock, max_wait=300)
    for left in (3, 2, 1, 0, 0):
        governor.enter(clock.wait)
        governor.leave(Allowance(1000, left, 30_000))
    governor.enter(clock.wait)
    assert clock.waits == []


def test_those_on_their_way_count_as_gone() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    for _ in range(4):
        governor.enter(clock.wait)
    governor.leave(Allowance(10, 3, 60))  # three more are on their way: nothing is left
    assert governor.enter(clock.wait) == pytest.approx(60, abs=1)


def test_an_answer_that_comes_late_gives_nothing_back() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    for _ in range(3):
        governor.enter(clock.wait)
    governor.leave(Allowance(10, 0, 60))
    governor.leave(Allowance(10, 1, 60))
    governor.leave(Allowance(10, 2, 60))
    assert governor.enter(clock.wait) == pytest.approx(60, abs=1)


def test_an_answer_of_the_window_before_is_ignored() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    for _ in range(2):
        governor.enter(clock.wait)
    governor.leave(Allowance(10, 9, 60))
    governor.leave(Allowance(10, 0, 5))
    assert governor.enter(clock.wait) == 0


def test_a_pause_is_for_everyone_and_the_longest_counts() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    governor.pause(5)
    governor.pause(2)
    assert governor.throttled == 2
    assert governor.enter(clock.wait) == 5
    assert governor.enter(clock.wait) == 0


def test_a_pause_that_comes_during_a_wait_lengthens_it() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    governor.pause(5)

    def wait(seconds: float) -> None:
        if not clock.waits:
            governor.pause(8)
        clock.wait(seconds)

    assert governor.enter(wait) == 8


def test_a_wait_that_is_broken_off_leaves_nothing_behind() -> None:
    clock = _Time()
    governor = Governor(clock=clock)
    governor.pause(5)

    def wait(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        governor.enter(wait)
    clock.now += 10
    governor.enter(clock.wait)
    governor.leave(Allowance(10, 9, 60))
    for _ in range(8):  # all but the reserve pass at once: nobody else is thought to be on the way
        assert governor.enter(clock.wait) == 0


@pytest.mark.parametrize("settings_", [{"reserve": -0.1}, {"reserve": 1.5}, {"max_wait": -1}])
def test_settings_that_make_no_sense(settings_: Any) -> None:
    with pytest.raises(ConfigurationError):
        Governor(**settings_)


def _fetch_all(client: Client, pages: int, threads: int) -> list[RestarrowError]:
    """Fetch pages from several threads, and return what went wrong."""
    numbers = iter(range(pages))
    lock = threading.Lock()
    errors: list[RestarrowError] = []

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                client.fetch(Request("GET", "/v1/services", {"page[size]": 1}), number)
            except RestarrowError as error:
                errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    return errors


def test_eight_threads_at_a_real_limit_meet_next_to_no_429() -> None:
    with (
        serve(RootlySimulator(incidents=1, rate_limit=40, rate_window=2.0)) as rootly,
        Client(rootly.url, headers=_JSON_API, auth=BearerAuth(rootly.simulator.token)) as client,
    ):
        began = time.monotonic()
        assert _fetch_all(client, 70, 8) == []
        took = time.monotonic() - began
        # one window and a half; the resets are told in whole seconds, so some are slept over
        assert 1.5 <= took <= 10
        assert client.counts.limited <= 8


def test_a_429_pauses_all_threads() -> None:
    with serve(RootlySimulator(incidents=1)) as rootly:
        rootly.simulator.faults.add(
            Fault(status=429, body=b"{}", headers={"Retry-After": "1"}, times=1)
        )
        with Client(
            rootly.url,
            headers=_JSON_API,
            auth=BearerAuth(rootly.simulator.token),
            retry=RetryPolicy(jitter=0),
        ) as client:
            request = Request("GET", "/v1/services", {"page[size]": 1})
            first = threading.Thread(target=lambda: client.fetch(request))
            first.start()
            deadline = time.monotonic() + 5
            while client.governor.throttled == 0 and time.monotonic() < deadline:
                time.sleep(0.005)
            began = time.monotonic()
            client.fetch(request)  # another thread, which met no 429
            assert time.monotonic() - began >= 0.8
            first.join(5)
            assert client.counts.limited == 1
            assert client.counts.requests == 3
