"""The governor: lets requests pass, and slows all of them down before the API has to.

How it works. Every answer tells how many requests are left and when there will be more. While
plenty are left, everyone passes at once. Once less than a reserve is left, the rest are spread
evenly over the time to the reset; with none left, everyone waits for it. A 429 pauses everyone,
not only the thread that met it. Quotas that are renewed later than `max_wait` are not spread: a
load that trickles for hours helps no one, and the 429 that ends it says when to come back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from restarrow.errors import ConfigurationError
from restarrow.http.limits import Allowance

#: Seconds by which two answers may tell the same reset differently: most tell whole seconds.
_SAME_RESET = 1.5
#: Seconds to wait beyond a reset: the server's clock and ours do not tick together.
_BEYOND = 0.05


class Governor:
    """Paces the requests of one API key, from however many threads and clients.

    Args:
        reserve: the share of the limit from which on the remaining requests are spread.
        max_wait: the most seconds until a reset that are worth being slow for.
        clock: returns monotonic seconds.

    Attributes:
        throttled: how often a pause was asked for, that is, how many 429 there were.
    """

    def __init__(
        self,
        *,
        reserve: float = 0.1,
        max_wait: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= reserve <= 1 or max_wait < 0:
            msg = "reserve must be from 0 to 1, and max_wait must not be negative"
            raise ConfigurationError(msg)
        self.throttled = 0
        self._reserve = reserve
        self._max_wait = max_wait
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._limit = 0.0
        self._remaining: float | None = None
        self._reset_at = 0.0
        self._next_at = 0.0
        self._in_flight = 0
        self._waiting = 0
        self._overlapped = False

    def enter(self, wait: Callable[[float], None]) -> float:
        """Wait until one request may be sent, and return the seconds that it took.

        Each `enter` is followed by a `leave`, unless `wait` raises.

        Args:
            wait: waits for some seconds; what it raises is passed on.
        """
        with self._lock:
            began = now = self._clock()
            slot = self._slot(now)
            self._waiting += 1
        try:
            while (due := max(slot, self._paused_until)) > now:
                wait(due - now)
                now = self._clock()
        except BaseException:
            with self._lock:
                self._waiting -= 1
            raise
        with self._lock:
            self._waiting -= 1
            self._in_flight += 1
            self._overlapped = self._in_flight > 1
        return now - began

    def leave(self, allowance: Allowance | None = None) -> None:
        """Say that a request has ended, and what its answer told."""
        with self._lock:
            self._in_flight -= 1
            if allowance is not None:
                self._learn(allowance)

    def pause(self, seconds: float) -> None:
        """Let nobody pass for some seconds."""
        with self._lock:
            self.throttled += 1
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _learn(self, told: Allowance) -> None:
        now = self._clock()
        reset_at = now + told.reset
        # the server has not counted yet those that are on their way to it
        remaining = told.remaining - self._in_flight - self._waiting
        if self._remaining is None or reset_at > self._reset_at + _SAME_RESET:
            self._remaining, self._reset_at, self._next_at = remaining, reset_at, now
        elif not (self._overlapped or self._in_flight):
            self._remaining, self._reset_at = remaining, reset_at
        elif reset_at >= self._reset_at - _SAME_RESET:
            # answers overtake each other: the most careful reading of them holds
            self._remaining = min(self._remaining, remaining)
            self._reset_at = max(self._reset_at, reset_at)
        self._limit = told.limit or 0.0

    def _slot(self, now: float) -> float:
        """Return the moment at which the next request may go, and count it."""
        if self._remaining is None:
            return now
        if now >= self._reset_at:
            self._remaining = None
            return now
        left, self._remaining = self._remaining, self._remaining - 1
        if self._reset_at - now > self._max_wait:
            return now
        if left <= 0:
            return self._reset_at + _BEYOND
        if left > self._reserve * self._limit:
            return now
        slot = max(now, self._next_at)
        self._next_at = slot + max(0.0, self._reset_at - slot) / left
        return slot
