"""Reading through the window: order, bounds, failures, early ends."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import ConfigurationError, PagingError, StatusError, Where
from restarrow.paging import (
    Continuation,
    CursorPlan,
    DecodedPage,
    EndOfPages,
    HeaderCursorPlan,
    JsonLinkPlan,
    LoopPolicy,
    OffsetPlan,
    PageNumberPlan,
    Plan,
    RowSelector,
    SinglePagePlan,
    WindowPolicy,
    read_pages,
)
from restarrow.paging.plans import Ahead
from restarrow.types import Headers, Page, Request

Answer = Callable[[Request], Any]


class Fake:
    """Fetches from a function, counts what is under way, and can be slow or fail."""

    def __init__(
        self,
        answer: Answer,
        *,
        delay: Callable[[], float] = lambda: 0.0,
        fails: Mapping[int, BaseException] | None = None,
    ) -> None:
        self.answer, self.delay, self.fails = answer, delay, fails or {}
        self.lock = threading.Lock()
        self.asked: list[Request] = []
        self.now = self.peak = self.finished = 0

    def __call__(self, request: Request, number: int) -> Page:
        with self.lock:
            self.asked.append(request)
            self.now += 1
            self.peak = max(self.peak, self.now)
        try:
            time.sleep(self.delay())
            if number in self.fails:
                raise self.fails[number]
            answer: dict[str, Any] = self.answer(request)
            headers: dict[str, str] = answer.pop("headers", {})
            body = msgspec.json.encode(answer)
            return Page(number, request, "http://a/list", 200, Headers(headers), body)
        finally:
            with self.lock:
                self.now -= 1
                self.finished += 1


def read(
    fetch: Any, plan: Plan, policy: WindowPolicy | None = None, **more: Any
) -> Generator[DecodedPage, None, None]:
    return read_pages(
        fetch,
        plan,
        decode=lambda page: msgspec.json.decode(page.body),
        select=RowSelector("items"),
        policy=policy,
        **more,
    )


def rows_of(pages: Iterable[DecodedPage]) -> list[Any]:
    return [row for page in pages for row in page.rows]


def numbered(total: int, size: int, *, tell: bool = True) -> Answer:
    def answer(request: Request) -> Any:
        begin = request.params["page"] * size
        found = list(range(begin, max(begin, min(total, begin + size))))
        return {"items": found, "total": -(-total // size)} if tell else {"items": found}

    return answer


def pages(**config: Any) -> PageNumberPlan:
    return PageNumberPlan(Request("GET", "list"), **config)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("restarrow-page")]


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


def test_a_bad_window_is_refused() -> None:
    bads: list[dict[str, Any]] = [
        {"most": 0},
        {"least": 3, "most": 2},
        {"initial": 0},
        {"max_bytes": 0},
    ]
    for bad in bads:
        with pytest.raises(ConfigurationError):
            WindowPolicy(**bad)


# lists that never end


def test_a_cursor_that_repeats_is_an_error_with_its_page() -> None:
    ring = {None: "a", "a": "b", "b": "c", "c": "a"}
    fetch = Fake(
        lambda request: {"items": [1], "cursors": {"next": ring[request.params.get("cursor")]}}
    )
    got: list[int] = []
    with pytest.raises(PagingError, match=r"list, page 3: .*read before") as caught:
        got.extend(p.number for p in read(fetch, CursorPlan(Request("GET", "list"))))
    assert got == [0, 1, 2, 3]
    assert caught.value.page == 3
    assert len(fetch.asked) == 4


def test_a_link_to_itself_is_an_error() -> None:
    fetch = Fake(lambda _: {"items": [1], "next": "http://a/list?page=2"})
    with pytest.raises(PagingError, match="page 1: "):
        list(read(fetch, JsonLinkPlan(Request("GET", "http://a/list"))))


def test_an_empty_header_cursor_is_sent_once() -> None:
    fetch = Fake(lambda _: {"items": [1], "headers": {"next": ""}})
    with pytest.raises(PagingError, match="page 1: "):
        list(read(fetch, HeaderCursorPlan(Request("GET", "list"))))
    assert [dict(each.params) for each in fetch.asked] == [{}, {"cursor": ""}]


def test_a_scroll_may_keep_its_cursor() -> None:
    left = [[1, 2], [3], [4], [5], []]
    fetch = Fake(lambda _: {"items": left.pop(0), "cursors": {"next": "same"}})
    plan = CursorPlan(Request("GET", "list"), stop_after_empty_page=True)
    assert rows_of(read(fetch, plan)) == [1, 2, 3, 4, 5]


def test_an_api_that_does_not_count_is_an_error() -> None:
    fetch = Fake(lambda _: {"items": [{"id": 1}, {"id": 2}]})
    got: list[int] = []
    with pytest.raises(PagingError, match="page 7: the last 8 pages are equal"):
        got.extend(p.number for p in read(fetch, pages(total_path=None)))
    assert got == list(range(8))


def test_equal_pages_without_rows_are_no_loop() -> None:
    fetch = Fake(lambda _: {"items": [], "total": 30})
    plan = pages(stop_after_empty_page=False)
    assert len(list(read(fetch, plan))) == 30


def test_the_guard_can_be_told_otherwise() -> None:
    fetch = Fake(lambda _: {"items": [7], "total": 30})
    policy = WindowPolicy(loops=LoopPolicy(same_pages=0))
    assert rows_of(read(fetch, pages(), policy)) == [7] * 30


@pytest.mark.parametrize("link", ["", 5, {"href": "x"}, "http://[bad"])
def test_a_link_that_is_none_is_an_error_after_its_page(link: Any) -> None:
    fetch = Fake(lambda _: {"items": [1], "next": link})
    got: list[int] = []
    with pytest.raises(PagingError, match="page 0: the link to the next page"):
        got.extend(p.number for p in read(fetch, JsonLinkPlan(Request("GET", "http://a/list"))))
    assert got == [0]


# totals that move


@given(steps=st.lists(st.integers(0, 12), min_size=1, max_size=14), most=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_each_page_decides_by_the_total_that_it_tells(steps: list[int], most: int) -> None:
    """As if read one by one, however the total shrinks and grows from page to page."""

    def total(number: int) -> int:
        return steps[min(number, len(steps) - 1)]

    fetch = Fake(
        lambda request: {
            "items": [request.params["page"]],
            "total": total(request.params["page"]),
        }
    )
    want = 1
    while want < total(want - 1):
        want += 1
    assert rows_of(read(fetch, pages(), WindowPolicy(most=most))) == list(range(want))
    assert not threads()


def test_what_was_expected_but_is_not_is_dropped() -> None:
    fetch = Fake(
        lambda request: {
            "items": [request.params["page"]],
            "total": 50 if request.params["page"] < 3 else 4,
        }
    )
    assert rows_of(read(fetch, pages(), WindowPolicy(most=4, adaptive=False))) == [0, 1, 2, 3]
    assert len(fetch.asked) <= 4 + 8


# plans of one's own


class Countdown:
    """A plan that keeps state and changes its mind about what comes next."""

    def __init__(self, begin: int) -> None:
        self.begin = begin

    def first(self) -> Request:
        return Request("GET", "list", {"page": self.begin})

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        here = page.request.params["page"]
        likely = [Request("GET", "list", {"page": at}) for at in range(here - 1, -1, -1)]
        if here == 7:
            likely.insert(0, Request("GET", "list", {"page": 700}))
        if here == 700:
            likely = [Request("GET", "list", {"page": at}) for at in range(6, -1, -1)]
        return Continuation(likely, done=not likely)


def test_a_plan_may_put_a_page_between_without_fetching_others_again() -> None:
    fetch = Fake(lambda request: {"items": [request.params["page"]]}, delay=lambda: 0.001)
    got = list(read(fetch, Countdown(9), WindowPolicy(most=4, adaptive=False)))
    assert [page.rows[0] for page in got] == [9, 8, 7, 700, 6, 5, 4, 3, 2, 1, 0]
    assert [page.page.number for page in got] == list(range(11))
    assert len(fetch.asked) == 11, "pages that were under way were kept under a new number"


def test_a_single_page_is_one_request() -> None:
    fetch = Fake(lambda _: {"items": [1, 2]})
    got = list(read(fetch, SinglePagePlan(Request("GET", "list"))))
    assert [(page.rows, page.last) for page in got] == [([1, 2], True)]
    assert len(fetch.asked) == 1


def test_all_remaining_requests_are_known_after_the_first_page() -> None:
    plan = OffsetPlan(Request("GET", "list"), 10)
    first = Page(0, plan.first(), "http://a/list", 200, Headers(), b"")
    following = plan.after(first, {"total": 95}, [0] * 10)
    assert following.certain
    assert [request.params["offset"] for request in following.requests] == list(range(10, 95, 10))
    assert following.requests[-1].params == {"offset": 90, "limit": 10}
    assert [r.params["offset"] for r in following.requests[2:4]] == [30, 40]
    with pytest.raises(IndexError):
        following.requests[9]


def test_requests_are_not_guessed_far_beyond_what_was_read() -> None:
    plan = OffsetPlan(Request("GET", "list"), 10, total_path=None)
    for number in range(5):
        page = Page(number, plan.request_at(number), "http://a/list", 200, Headers(), b"")
        following = plan.after(page, {}, [0] * 10)
        assert not following.certain
        assert len(following.requests) == number + 1


def test_consecutive_requests_know_whether_they_are_the_same() -> None:
    plan = pages()
    some = Ahead(plan.request_at, 1, 9)
    assert Ahead(plan.request_at, 3, 2).continues(some, 2)
    assert not Ahead(plan.request_at, 3, 2).continues(some, 1)
    assert not Ahead(pages().request_at, 3, 2).continues(some, 2)
    assert not Ahead(plan.request_at, 1, 2).continues(list(some), 0)


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
