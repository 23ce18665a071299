"""One step ahead: what comes next is made by a thread while the caller works on what came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

__all__ = ["ahead"]

_T = TypeVar("_T")
#: Seconds between two looks at whether to go on.
_GLANCE = 0.2


def ahead(
    items: Generator[_T, None, None],
    *,
    depth: int = 2,
    glance: Callable[[], None] | None = None,
    abort: Callable[[], None] | None = None,
    grace: float = 5.0,
) -> Generator[_T, None, None]:
    """Yield the items of a generator, which runs in a thread of its own.

    Args:
        items: what to run; it is closed in its thread.
        depth: how many items may wait to be taken.
        glance: called several times a second while waiting; what it raises ends the waiting.
        abort: called when the caller leaves early: makes the generator return soon.
        grace: seconds to wait for it then.

    Raises:
        BaseException: whatever the generator raised, after all items before it.
    """
    waiting: _Waiting[_T] = _Waiting(depth)
    thread = threading.Thread(
        target=_run, args=(items, waiting), name="restarrow-ahead", daemon=True
    )
    thread.start()
    try:
        while True:
            item, error = waiting.take(glance)
            if isinstance(error, _End):
                thread.join()
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        if thread.is_alive():
            waiting.left.set()
            if abort is not None:
                abort()
            thread.join(grace)


class _End(Exception):  # noqa: N818 - nothing went wrong
    """There is no more."""


class _Waiting(Generic[_T]):
    """Items that are made and not yet taken.

    Attributes:
        left: set when nobody takes any more.
    """

    def __init__(self, depth: int) -> None:
        self.left = threading.Event()
        self._queue: Queue[tuple[_T | None, BaseException | None]] = Queue(depth)

    def put(self, item: _T | None, error: BaseException | None = None) -> None:
        """Wait for room."""
        while not self.left.is_set():
            with suppress(Full):
                self._queue.put((item, error), timeout=_GLANCE)
                return

    def take(self, glance: Callable[[], None] | None) -> tuple[_T | None, BaseException | None]:
        """Wait for an item, or the error that ends them."""
        while True:
            with suppress(Empty):
                return self._queue.get(timeout=_GLANCE)
            if glance is not None:
                glance()


def _run(items: Generator[_T, None, None], waiting: _Waiting[_T]) -> None:
    error: BaseException = _End()
    try:
        for item in items:
            waiting.put(item)
            if waiting.left.is_set():
                break
    except BaseException as caught:  # noqa: BLE001 - raised again in the caller's thread
        error = caught
    items.close()
    waiting.put(None, error)
