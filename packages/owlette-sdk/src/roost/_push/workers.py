"""The threads of one push or pull, and what ends them; and tasks that fail together."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from roost._direct import DirectSender
from roost._push.leases import Leases
from roost._transport import tls_context

__all__ = ["HASHING_THREADS", "Workers", "together"]

_T = TypeVar("_T")

#: Seconds after which a task that was cancelled is cancelled again.
_PATIENCE_S = 1.0
#: More threads than these wait for each other's turn with the interpreter.
HASHING_THREADS = min(4, os.cpu_count() or 1)


class Workers:
    """Threads that read and hash, threads that send, and the connections of those.

    Use it with `async with`: in the end, whatever happened, no thread and no connection is left.

    Args:
        sending: how many threads send.
        timeout_s: seconds that each step of a transfer may take.

    Attributes:
        stop: is set when all work is to end early.
        sender: what the threads send with.
        leases: those on files that are hashed.
    """

    def __init__(self, sending: int, timeout_s: float) -> None:
        self.stop = threading.Event()
        self.sender = DirectSender(timeout_s, tls_context)
        self.leases = Leases(self.stop)
        self._reading = ThreadPoolExecutor(HASHING_THREADS, "roost-read")
        self._sending = ThreadPoolExecutor(sending, "roost-send")

    async def read(self, function: Callable[..., _T], *args: object) -> _T:
        """Run a function in a thread that reads."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, function, *args)

    async def send(self, function: Callable[..., _T], *args: object) -> _T:
        """Run a function in a thread that sends."""
        return await asyncio.get_running_loop().run_in_executor(self._sending, function, *args)

    async def __aenter__(self) -> Workers:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        self.sender.stop()
        ended = asyncio.get_running_loop().run_in_executor(None, self._shut_down)
        cancelled = False
        while not ended.done():
            try:
                await asyncio.shield(ended)
            except asyncio.CancelledError:  # noqa: PERF203 - not even twice ends it halfway
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _shut_down(self) -> None:
        for pool in (self._reading, self._sending):
            pool.shutdown(wait=True, cancel_futures=True)
        self.leases.close()
        self.sender.close()


async def together(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines at once. When one fails, the others are cancelled, and its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        await _end(tasks)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not always enough: before Python 3.12, one that is cancelled in the very moment when
    what it waits for comes may miss it, and go on.
    """
    left: set[asyncio.Task[None]] = {task for task in tasks if not task.done()}
    cancelled = False
    for task in left:
        task.cancel()
    while left:
        try:
            _, left = await asyncio.wait(left, timeout=_PATIENCE_S)
        except asyncio.CancelledError:
            cancelled = True
            left = {task for task in left if not task.done()}
            continue
        for task in left:
            task.cancel()
    for task in tasks:
        if not task.cancelled():
            task.exception()  # has been looked at: one of them is raised, the others are like it
    if cancelled:
        raise asyncio.CancelledError
