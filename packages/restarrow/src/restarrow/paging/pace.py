"""How many pages to fetch at once: more while that costs nothing, fewer as soon as it does. Pure.

The window grows by one per page until it first meets resistance, then by one per round of pages.
It halves when the API said that it is too much (a 429, a retry), once per round. It shrinks by one
per round when pages take twice as long as they can: then the server, or this machine, is busy, and
more requests would only wait in line.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Weight of the newest page in the smoothed latency.
_NEWEST = 0.3
#: Pages may take this many times the best latency, and this many seconds more, before they count as
#: slow: below, it is noise.
_SLOW = 2.0
_NOISE = 0.005
#: By how much the best latency fades with each page, so that an API that became slower for good is
#: not held against what it once was.
_FADE = 1.01


@dataclass(slots=True)
class Pace:
    """The size of the window, moved by what happens to pages.

    Attributes:
        least: never fewer than this.
        most: never more than this.
        size: how many now; a fraction grows in secret.
    """

    least: int
    most: int
    size: float
    _rising: bool = True
    _best: float = 0.0
    _recent: float = 0.0
    _seen: int = 0
    _rest: int = 0

    @property
    def now(self) -> int:
        """The number of pages that may be under way."""
        return int(self.size)

    def finished(self, seconds: float, throttled: int) -> None:
        """Take note of a page.

        Args:
            seconds: how long it took.
            throttled: how often the API has asked for fewer requests, in all.
        """
        self._rest = max(0, self._rest - 1)
        if throttled > self._seen:
            self._seen = throttled
            if not self._rest:
                # those under way were sent before the API complained: they tell nothing new
                self._rest = self.now
                self._resize(self.size / 2)
            self._rising = False
            return
        self._recent = (
            seconds if not self._recent else self._recent + _NEWEST * (seconds - self._recent)
        )
        self._best = min(seconds, self._best * _FADE) if self._best else seconds
        if self._recent > self._best * _SLOW + _NOISE:
            self._rising = False
            self._resize(self.size - 1 / self.size)
        else:
            self._resize(self.size + (1 if self._rising else 1 / self.size))

    def _resize(self, size: float) -> None:
        self.size = min(float(self.most), max(float(self.least), size))
