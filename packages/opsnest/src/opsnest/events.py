"""What happens while a load runs, as plain records that anybody may listen to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

__all__ = [
    "ListRead",
    "PageRead",
    "listening",
    "listening_to_lists",
    "publish",
    "tell_list",
]

Event = TypeVar("Event")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRead:
    """A list was read to the end of what it was asked for.

    Attributes:
        source: the dlt source.
        resource: the resource.
        keys: the keys of the rows that came, each as one text.
        complete: whether these are all the rows that there are, within the bounds below.
        parents: bound to the rows of these parents; None for all.
        living: the ids of all parents that there are, if they are known: rows of others are gone.
        window: bound to the rows that touch this span of time, without its end; None for all.
        total: how many rows the API says that there are, if it does.
        ask_total: asks the API for that number, if it has one.
    """

    source: str
    resource: str
    keys: frozenset[str]
    complete: bool
    parents: frozenset[str] | None = None
    living: frozenset[str] | None = None
    window: tuple[datetime, datetime] | None = None
    total: int | None = None
    ask_total: Callable[[], int | None] = field(default=lambda: None, compare=False)


class _Channel(Generic[Event]):
    def __init__(self) -> None:
        self._listeners: tuple[Callable[[Event], None], ...] = ()
        self._lock = threading.Lock()

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    @contextmanager
    def listening(self, listener: Callable[[Event], None]) -> Generator[None]:
        with self._lock:  # replaced as a whole, so that publishing needs no lock
            self._listeners = (*self._listeners, listener)
        try:
            yield
        finally:
            with self._lock:
                at = self._listeners.index(listener)
                self._listeners = self._listeners[:at] + self._listeners[at + 1 :]


_pages: _Channel[PageRead] = _Channel()
_lists: _Channel[ListRead] = _Channel()

#: Tell everybody who listens.
publish = _pages.publish
tell_list = _lists.publish

#: Call a listener for each event until the block ends, from whichever thread it happens in.
listening = _pages.listening
listening_to_lists = _lists.listening
