"""Tasks that fail together, and threads that end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from roost._push.workers import Workers, together


async def test_all_are_waited_for() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0.01 * number)
        done.append(number)

    await together(work(2), work(1), work(0))
    assert done == [0, 1, 2]
    await together()


async def test_the_first_error_ends_all() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("work")

    with pytest.raises(ZeroDivisionError):
        await together(work(), fail(), work())
    assert ended == ["work", "work"]


async def test_a_task_that_misses_it_is_cancelled_again() -> None:
    missed: list[int] = []

    async def stubborn() -> None:
        for turn in range(2):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:  # noqa: PERF203
                missed.append(turn)
        await asyncio.sleep(10)

    waiting = asyncio.ensure_future(together(stubborn()))
    await asyncio.sleep(0.01)
    began = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert missed == [0, 1]
    assert time.monotonic() - began < 5


async def test_being_cancelled_while_all_are_ended() -> None:
    ended: list[str] = []

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.05)
            ended.append("slow")

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    waiting = asyncio.ensure_future(together(slow_to_end(), fail()))
    await asyncio.sleep(0.03)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["slow"]


async def test_no_thread_is_left_however_often_it_is_cancelled() -> None:
    began = threading.Event()

    def slow() -> None:
        began.set()
        time.sleep(0.2)

    async def use() -> None:
        async with Workers(2, 1.0) as workers:
            await workers.send(slow)

    using = asyncio.ensure_future(use())
    await asyncio.to_thread(began.wait, 5)
    for _ in range(3):
        using.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await using
    assert not [each for each in threading.enumerate() if each.name.startswith("roost-")]
