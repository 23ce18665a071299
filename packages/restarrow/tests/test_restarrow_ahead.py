"""Generators that run in a thread of their own: order, errors, and leaving early."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

import pytest

from restarrow.ahead import ahead
from restarrow.memory import give_back
from restarrow.utf8 import is_utf8


def counting(to: int, log: list[str] | None = None) -> Generator[int, None, None]:
    try:
        yield from range(to)
    finally:
        if log is not None:
            log.append(threading.current_thread().name)


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "restarrow-ahead"]


def test_items_come_in_order_and_the_thread_ends() -> None:
    log: list[str] = []
    assert list(ahead(counting(1000, log))) == list(range(1000))
    assert log == ["restarrow-ahead"]
    assert threads() == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        yield 2
        msg = "the third"
        raise ValueError(msg)

    items = ahead(failing())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(items)
    assert threads() == []


def test_it_runs_ahead_but_not_far() -> None:
    made: list[int] = []

    def noting() -> Generator[int, None, None]:
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(noting(), depth=3)
    assert next(items) == 0
    time.sleep(0.3)
    assert 2 <= len(made) <= 5  # three wait, one is held, one was taken
    items.close()


def test_leaving_early_closes_the_generator_in_its_thread() -> None:
    log: list[str] = []
    aborted: list[bool] = []
    items = ahead(counting(1000, log), abort=lambda: aborted.append(True))
    assert [next(items), next(items)] == [0, 1]
    items.close()
    assert log == ["restarrow-ahead"]
    assert aborted == [True]
    assert threads() == []


def test_abort_wakes_a_generator_that_waits() -> None:
    wake = threading.Event()

    def waiting() -> Generator[int, None, None]:
        yield 1
        wake.wait(60)
        yield 2

    items = ahead(waiting(), abort=wake.set)
    assert next(items) == 1
    began = time.monotonic()
    items.close()
    assert time.monotonic() - began < 5
    assert threads() == []


def test_glance_ends_the_waiting() -> None:
    wake = threading.Event()

    def slow() -> Generator[int, None, None]:
        wake.wait(60)
        yield 1

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(ahead(slow(), glance=interrupted, abort=wake.set))
    assert threads() == []


def test_nothing_at_all() -> None:
    assert list(ahead(counting(0))) == []


def test_memory_can_be_given_back_at_any_time() -> None:
    give_back()
    give_back()


def _odd() -> Iterator[bytes]:
    for bad in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\xc3"):
        yield bad
        yield b"a" * 5000 + bad
        yield bad + b"a" * 5000


@pytest.mark.parametrize("data", list(_odd()))
def test_what_is_not_utf8(data: bytes) -> None:
    assert not is_utf8(data)


@pytest.mark.parametrize("data", [b"", b"a", "é".encode(), "é𝄞".encode() * 5000, b"a" * 9999])
def test_what_is_utf8(data: bytes) -> None:
    assert is_utf8(data)
