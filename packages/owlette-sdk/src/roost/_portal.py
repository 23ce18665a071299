"""A loop in a thread of its own, through which coroutines are run by code that has none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["Portal"]

_T = TypeVar("_T")


class Portal:
    """Runs coroutines in a loop that belongs to a thread, which is started at the first one.

    Works where a loop is running already, as in a notebook.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine to its end, and return or raise what it does.

        Ctrl-C cancels it.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncGenerator[_T, None]) -> Generator[_T, None, None]:
        """Yield what an async generator yields; leaving the loop closes it."""
        try:
            while True:
                try:
                    item = self.run(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self.run(_close(items))

    def close(self) -> None:
        """End the loop and its thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(_settle(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="roost-sync", daemon=True
                )
                self._thread.start()
            return self._loop


async def _settle() -> None:
    """Let what is closing behind the scenes close, for a second at most, and end the rest."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, late = await asyncio.wait(left, timeout=1.0)
        for task in late:
            task.cancel()
    await asyncio.get_running_loop().shutdown_asyncgens()


async def _next(items: AsyncGenerator[_T, None]) -> _T:
    return await items.__anext__()


async def _close(items: AsyncGenerator[_T, None]) -> None:
    await items.aclose()
