"""The simulated clock: a fixed start, so that a seed gives the same data on any day."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

#: The moment at which generated data ends, unless another is asked for.
DEFAULT_NOW = datetime(2026, 7, 1, tzinfo=UTC)


class Clock:
    """Tell the simulated time: it starts at `start` and runs on with the real one.

    Two readings never agree: each is at least a millisecond after the one before it, so that
    rows changed in quick succession can be told apart by their time stamps.
    """

    def __init__(self, start: datetime = DEFAULT_NOW) -> None:
        self.start = start
        self._origin: float | None = time.monotonic()
        self._skipped = timedelta()
        self._last = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the simulated time, in UTC and whole milliseconds."""
        with self._lock:
            ran = 0.0 if self._origin is None else time.monotonic() - self._origin
            reading = floor_to_millisecond(self.start + timedelta(seconds=ran) + self._skipped)
            self._last = max(reading, self._last + timedelta(milliseconds=1))
            return self._last

    def freeze(self) -> None:
        """Let only `skip` move the time from now on: the same steps give the same stamps."""
        with self._lock:
            self._origin = None

    def skip(self, duration: timedelta) -> None:
        """Let the simulated time jump forward by `duration`."""
        with self._lock:
            self._skipped += duration


def floor_to_millisecond(moment: datetime) -> datetime:
    """Drop what is smaller than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso_utc(moment: datetime) -> str:
    """Format as `2026-07-01T03:10:00.000Z`."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )


def iso_offset(moment: datetime, offset: timezone) -> str:
    """Format as `2026-07-01T03:10:00.000-07:00`."""
    return moment.astimezone(offset).isoformat(timespec="milliseconds")


def parse_iso(text: str) -> datetime:
    """Read an ISO-8601 time stamp; one without an offset is taken as UTC.

    Raises:
        ValueError: `text` is not an ISO-8601 time stamp.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
