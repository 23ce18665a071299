"""Reading through the window: order, bounds, failures, early ends."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.fake_pages import (
    Fake,
    numbered,
    pages,
    read,
    rows_of,
    threads,
)

from restarrow.errors import StatusError, Where
from restarrow.paging import (
    CursorPlan,
    EndOfPages,
    RowSelector,
    WindowPolicy,
    read_pages,
)
from restarrow.types import Page, Request


@given(
    seed=st.integers(0, 9999),
    total=st.integers(0, 60),
    size=st.integers(1, 7),
    most=st.integers(1, 9),
    adaptive=st.booleans(),
    tell=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_pages_come_in_order_whatever_the_latencies(
    seed: int, total: int, size: int, most: int, adaptive: bool, tell: bool
) -> None:
    chance = random.Random(seed)
    fetch = Fake(numbered(total, size, tell=tell), delay=lambda: chance.random() / 500)
    policy = WindowPolicy(most=most, adaptive=adaptive)
    got = list(read(fetch, pages(total_path="total" if tell else None), policy))
    assert [page.number for page in got] == list(range(len(got)))
    assert [page.page.number for page in got] == list(range(len(got)))
    assert [row for page in got for row in page.rows] == list(range(total))
    assert [page.last for page in got] == [False] * (len(got) - 1) + [True]
    assert fetch.peak <= most
    needed = {page.page.request.params["page"] for page in got}
    asked = [request.params["page"] for request in fetch.asked]
    assert len(set(asked)) == len(asked), "a page was asked for twice"
    assert needed <= set(asked)
    assert len(asked) - len(needed) <= (0 if tell else min(most, len(needed)))
    assert not threads()


@given(
    seed=st.integers(0, 9999),
    most=st.integers(1, 8),
    lag=st.integers(0, 3),
    max_bytes=st.integers(1, 5000),
)
@settings(max_examples=30, deadline=None)
def test_what_waits_for_a_slow_caller_is_bounded(
    seed: int, most: int, lag: int, max_bytes: int
) -> None:
    chance = random.Random(seed)
    body = 400

    def answer(request: Request) -> Any:
        return {"items": ["x" * (body - 40)], "total": 40, "page": request.params["page"]}

    fetch = Fake(answer, delay=lambda: chance.random() / 1000)
    policy = WindowPolicy(most=most, adaptive=False, max_bytes=max_bytes)
    taken = 0
    for _ in read(fetch, pages(), policy):
        taken += 1
        time.sleep(lag / 2000)
        ahead = len(fetch.asked) - taken
        assert ahead <= 2 * most
        # the next page may always be on its way; more only as far as bytes allow
        assert ahead <= max(1, max_bytes // (body - 20))
        assert fetch.peak <= most
    assert taken == 40


def test_the_next_page_is_fetched_while_the_caller_works() -> None:
    fetch = Fake(
        lambda request: {"items": [1], "cursors": {"next": request.params.get("cursor", 0) + 1}}
    )
    reading = read(fetch, CursorPlan(Request("GET", "list")))
    next(reading)
    deadline = time.monotonic() + 2
    while fetch.finished < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert fetch.finished == 2, "one ahead, and no more"
    reading.close()


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("failing", [0, 1, 7, 19])
def test_a_page_that_fails_is_raised_after_all_before_it(most: int, failing: int) -> None:
    error = StatusError("broken", Where("GET", "/list", failing), status=500)
    chance = random.Random(failing)
    fetch = Fake(numbered(60, 3), delay=lambda: chance.random() / 200, fails={failing: error})
    got: list[int] = []
    with pytest.raises(StatusError) as caught:
        got.extend(page.number for page in read(fetch, pages(), WindowPolicy(most=most)))
    assert caught.value is error
    assert got == list(range(failing))
    assert len(fetch.asked) <= failing + 1 + 2 * most
    assert not threads()


def test_a_failure_beyond_the_end_does_not_count() -> None:
    error = StatusError("beyond", Where("GET", "/list", 9), status=404)
    fetch = Fake(numbered(15, 3, tell=False), fails=dict.fromkeys(range(6, 30), error))
    assert rows_of(read(fetch, pages(total_path=None))) == list(range(15))


def test_an_error_of_decode_or_select_ends_all_in_order() -> None:
    fetch = Fake(numbered(60, 3))

    def decode(page: Page) -> Any:
        if page.number == 4:
            msg = "not JSON"
            raise ValueError(msg)
        return msgspec.json.decode(page.body)

    got: list[int] = []
    with pytest.raises(ValueError, match="not JSON"):
        got.extend(
            page.number
            for page in read_pages(fetch, pages(), decode=decode, select=RowSelector("items"))
        )
    assert got == [0, 1, 2, 3]
    assert not threads()


@pytest.mark.parametrize("where", ["fetch", "decode"])
def test_a_list_may_be_ended_from_outside(where: str) -> None:
    """As dlt's response action "ignore" does."""

    def end(page: Page) -> Any:
        if where == "decode" and page.number >= 5:
            raise EndOfPages
        return msgspec.json.decode(page.body)

    fails = dict.fromkeys(range(5, 99), EndOfPages()) if where == "fetch" else {}
    fetch = Fake(numbered(90, 3), fails=fails)
    reading = read_pages(fetch, pages(), decode=end, select=RowSelector("items"))
    assert rows_of(reading) == list(range(15))
    assert not threads()


@pytest.mark.parametrize("how", ["close", "throw", "abandon"])
def test_an_early_end_leaves_no_thread(how: str) -> None:
    fetch = Fake(numbered(900, 3), delay=lambda: 0.01)
    reading: Any = read(fetch, pages(), WindowPolicy(most=8))
    for _ in range(5):
        next(reading)
    began = time.monotonic()
    if how == "close":
        reading.close()
    elif how == "throw":
        with pytest.raises(KeyboardInterrupt):
            reading.throw(KeyboardInterrupt())
    else:
        del reading
    assert time.monotonic() - began < 0.5
    assert not threads()
    asked = len(fetch.asked)
    time.sleep(0.03)
    assert len(fetch.asked) == asked <= 5 + 16


def test_abort_ends_requests_that_hang() -> None:
    gate = threading.Event()
    answer = numbered(900, 3)

    def fetch(request: Request, number: int) -> Page:
        if number > 3:
            gate.wait(20)
        return Fake(answer)(request, number)

    reading: Any = read(fetch, pages(), WindowPolicy(most=4), abort=gate.set)
    assert [next(reading).number for _ in range(4)] == [0, 1, 2, 3]
    began = time.monotonic()
    reading.close()
    assert time.monotonic() - began < 1
    assert not threads()


def test_requests_that_hang_are_left_after_the_grace() -> None:
    gate = threading.Event()
    answer = numbered(900, 3)

    def fetch(request: Request, number: int) -> Page:
        if number > 3:
            gate.wait(20)
        return Fake(answer)(request, number)

    reading: Any = read(fetch, pages(), WindowPolicy(most=4, grace=0.05))
    next(reading)
    time.sleep(0.02)
    for _ in range(3):
        next(reading)
    began = time.monotonic()
    reading.close()
    assert time.monotonic() - began < 1
    gate.set()
    deadline = time.monotonic() + 5
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threads()


def test_nothing_is_sent_before_the_first_page_is_wanted() -> None:
    fetch = Fake(numbered(9, 3))
    reading: Any = read(fetch, pages())
    assert fetch.asked == []
    reading.close()
    assert not threads()


def test_a_complaining_api_gets_fewer_requests() -> None:
    """A stand-in for an API that answers 429 above three requests at once."""
    complaints = [0]
    lock = threading.Lock()
    fetch = Fake(numbered(900, 3), delay=lambda: 0.002)

    def limited(request: Request, number: int) -> Page:
        if fetch.now > 3:
            with lock:
                complaints[0] += 1
            time.sleep(0.01)
        return fetch(request, number)

    plan = pages()
    policy = WindowPolicy(most=16)
    assert rows_of(read(limited, plan, policy, throttled=lambda: complaints[0])) == list(range(900))
    assert complaints[0] < 150, "without a window that shrinks, nearly all 300 pages would"


INTERRUPTED = """
import sys, threading, time
from restarrow.paging import PageNumberPlan, WindowPolicy, read_pages
from restarrow.types import Headers, Page, Request

gate = threading.Event()

def fetch(request, number):
    if number > 1:
        if number == 2:
            print("waiting", flush=True)
        gate.wait(60)
    return Page(number, request, "", 200, Headers(), b"")

plan = PageNumberPlan(Request("GET", "list"), total_path=lambda _: [90])
reading = read_pages(
    fetch, plan, decode=lambda _: 0, select=lambda _: [1], abort=gate.set
)
try:
    for page in reading:
        pass
except KeyboardInterrupt:
    reading.close()
    left = [t.name for t in threading.enumerate() if t.name.startswith("restarrow")]
    print("interrupted", left, flush=True)
"""


def test_ctrl_c_ends_a_wait_at_once() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        assert process.wait(10) == 0
    assert time.monotonic() - began < 2
    assert out.endswith("interrupted []\n")
