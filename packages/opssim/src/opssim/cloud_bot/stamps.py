"""Time stamps in the two forms that the Control Room writes, and values that look random."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from opssim.core.clock import floor_to_millisecond

#: What the end of a run is while it has not ended, in the two forms that clients have met.
EPOCH = "1970-01-01T00:00:00Z"
EMPTY = ""


def stamp(moment: datetime) -> str:
    """Format as `2026-07-01T06:41:03.004Z`; the moment is in UTC."""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def fine_stamp(moment: datetime, nanoseconds: int) -> str:
    """Format as `2026-07-01T06:41:02.987654321Z`: the second of a moment, and a fraction."""
    return f"{moment.isoformat(timespec='seconds')[:19]}.{nanoseconds:09d}Z"


def just_before(moment: datetime, rng: random.Random) -> str:
    """Format a time in the millisecond before `moment`, in nanoseconds."""
    earlier = floor_to_millisecond(moment) - timedelta(milliseconds=1)
    return fine_stamp(earlier, earlier.microsecond * 1000 + rng.randrange(1_000_000))


def uuid_of(rng: random.Random) -> str:
    """Make a random UUID of version 4."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def moment_between(rng: random.Random, first: datetime, last: datetime) -> datetime:
    """Choose a time."""
    return first + (last - first) * rng.random()
