"""What happens while a load runs, as plain records that anybody may listen to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["PageRead", "listening", "publish"]


@dataclass(frozen=True, slots=True)
class PageRead:
    """One answer of an API was read.

    Attributes:
        source: the dlt source.
        resource: the resource that it was read for.
        bytes: the size of its body.
        seconds: how long the API took to begin answering.
        at: when, on the monotonic clock.
    """

    source: str
    resource: str
    bytes: int
    seconds: float
    at: float = field(default_factory=time.monotonic)


Listener = Callable[[PageRead], None]

_listeners: tuple[Listener, ...] = ()
_lock = threading.Lock()


def publish(event: PageRead) -> None:
    """Tell everybody who listens."""
    for listener in _listeners:
        listener(event)


@contextmanager
def listening(listener: Listener) -> Generator[None]:
    """Call `listener` for each event until the block ends, from whichever thread it happens in."""
    global _listeners  # noqa: PLW0603 - replaced as a whole, so that publishing needs no lock
    with _lock:
        _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        with _lock:
            at = _listeners.index(listener)
            _listeners = _listeners[:at] + _listeners[at + 1 :]
