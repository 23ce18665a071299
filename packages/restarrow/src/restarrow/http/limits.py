"""What answers say about waiting: `Retry-After` and the three families of rate limit headers.

Pure. A moment is always turned into seconds from now, measured on the server's own clock: the
`Date` of the same answer. So a wrong clock on either side cannot make a wait too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

#: A number of seconds above this is a moment (2001 and later), no span of time.
_EPOCH = 1_000_000_000.0
#: The same moment in milliseconds.
_EPOCH_MS = _EPOCH * 1000

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests are left, as one answer tells it.

    Attributes:
        limit: requests that the window allows in all, if told.
        remaining: requests that are left of them.
        reset: seconds until the window is renewed.
    """

    limit: float | None
    remaining: float
    reset: float


def read_allowance(headers: Mapping[str, str], now: float) -> Allowance | None:
    """Read what is left, from `RateLimit`, `RateLimit-*` or `X-RateLimit-*`, if it is told.

    Args:
        headers: the headers of an answer.
        now: the epoch seconds of the local clock, for answers that have no `Date`.
    """
    clock = _server_time(headers, now)
    structured = _structured(headers)
    if structured is not None:
        return structured
    for prefix in ("x-ratelimit", "ratelimit", "x-rate-limit"):
        remaining = _least(headers.get(f"{prefix}-remaining"))
        reset = _seconds_until(headers.get(f"{prefix}-reset"), clock)
        if remaining is not None and reset is not None:
            return Allowance(_first(headers.get(f"{prefix}-limit")), remaining, reset)
    return None


def read_wait(headers: Mapping[str, str], now: float, *, limited: bool) -> float | None:
    """Return the seconds to wait that an answer asks for, if it does.

    Args:
        headers: the headers of an answer that refuses.
        now: the epoch seconds of the local clock, for answers that have no `Date`.
        limited: whether the answer is a 429, for which the reset of the window counts as well.
    """
    clock = _server_time(headers, now)
    asked = _seconds_until(headers.get("retry-after"), clock)
    if asked is not None or not limited:
        return asked
    allowance = read_allowance(headers, now)
    if allowance is not None:
        return allowance.reset
    for prefix in ("x-ratelimit", "ratelimit", "x-rate-limit"):
        reset = _seconds_until(headers.get(f"{prefix}-reset"), clock)
        if reset is not None:
            return reset
    return None


def _structured(headers: Mapping[str, str]) -> Allowance | None:
    """Read the one `RateLimit` header of the drafts.

    Either `limit=100, remaining=5, reset=7`, or `"default";r=5;t=7` with a `RateLimit-Policy`
    such as `"default";q=100;w=60`.
    """
    field = headers.get("ratelimit", "")
    remaining = _parameter(field, "remaining", "r")
    reset = _parameter(field, "reset", "t")
    if remaining is None or reset is None:
        return None
    limit = _parameter(field, "limit", "q")
    if limit is None:
        limit = _parameter(headers.get("ratelimit-policy", ""), "q")
    return Allowance(limit, remaining, reset)


def _parameter(field: str, *names: str) -> float | None:
    found = re.search(rf"(?:^|[;,\s])(?:{'|'.join(names)})\s*=\s*(\d+)", field)
    return float(found[1]) if found else None


def _seconds_until(value: str | None, clock: float) -> float | None:
    """Turn a span, an epoch or a date into seconds from `clock`, never less than none."""
    if value is None:
        return None
    value = value.strip()
    if _NUMBER.fullmatch(value):
        number = float(value)
        if number >= _EPOCH_MS:
            number /= 1000
        return max(0.0, number - clock) if number >= _EPOCH else number
    moment = _moment(value)
    return None if moment is None else max(0.0, moment - clock)


def _server_time(headers: Mapping[str, str], now: float) -> float:
    moment = _moment(headers.get("date", ""))
    return now if moment is None else moment


def _moment(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _first(value: str | None) -> float | None:
    """Read `3000, 3000;window=60`: the limit, then the windows that it is made of."""
    found = _NUMBER.search(value or "")
    return float(found[0]) if found else None


def _least(value: str | None) -> float | None:
    """Read `12`, or `12, 800` of several windows, of which the narrowest counts."""
    numbers = [_first(part) for part in (value or "").split(",")]
    return min((number for number in numbers if number is not None), default=None)
