"""What is told on the way: one event after the other, each awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["Progress"]

_Event = TypeVar("_Event")


class Progress(Generic[_Event]):
    """Tells the caller of events, in order. What the callback raises is raised to who tells.

    Args:
        callback: what is called; what it returns is awaited, if that can be.
    """

    def __init__(self, callback: Callable[[_Event], Awaitable[None] | None] | None) -> None:
        self._callback = callback
        self._lock = asyncio.Lock()

    def __bool__(self) -> bool:
        return self._callback is not None

    async def tell(self, event: _Event) -> None:
        """Tell of an event, when all earlier ones have been told."""
        if self._callback is None:
            return
        async with self._lock:
            told = self._callback(event)
            if inspect.isawaitable(told):
                await told
