"""A sliding-window rate limit, as APIs that count requests per minute keep one."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request was told: whether it may pass, and the numbers for its headers."""

    allowed: bool
    limit: int
    used: int
    remaining: int
    #: UTC epoch seconds at which the oldest counted request leaves the window.
    reset: int


class SlidingWindow:
    """Allow `limit` requests in any `seconds`. Time is the real one, as `reset` is an epoch."""

    def __init__(
        self, limit: int, seconds: float = 60.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._passed: deque[float] = deque()

    def ask(self) -> Allowance:
        """Count one request, unless the window is full."""
        now = self._clock()
        while self._passed and self._passed[0] <= now - self.seconds:
            self._passed.popleft()
        allowed = len(self._passed) < self.limit
        if allowed:
            self._passed.append(now)
        oldest = self._passed[0] if self._passed else now
        return Allowance(
            allowed=allowed,
            limit=self.limit,
            used=len(self._passed),
            remaining=self.limit - len(self._passed),
            reset=math.ceil(oldest + self.seconds),
        )
