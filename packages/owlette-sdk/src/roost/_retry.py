"""Whether to try again, and when: decisions only, nothing is sent here."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

__all__ = ["RetryPolicy", "Verdict", "decide", "told_wait"]


@dataclass(slots=True)
class RetryPolicy:
    """How often a call is tried, and how long is waited in between.

    Answers of 429 and 5xx, and failures of the network, are tried again. The server's own word
    comes first: the header `Retry-After`, then `RateLimit-Reset`, then `retryAfter` in the body.
    Without it, waits double from `base_delay_s` up to `max_delay_s`.

    Attributes:
        max_attempts: how often in all; 1 is once.
        base_delay_s: seconds before the second attempt.
        max_delay_s: the longest of the waits that double, in seconds.
        jitter: by which part a wait that doubles is longer or shorter, at random.
        longest_wait_s: seconds beyond which a wait that the server asks for is not worth it: the
            error is raised at once, with `retry_after`. None waits as long as the server says.
    """

    max_attempts: int = 5
    base_delay_s: float = 0.25
    max_delay_s: float = 8.0
    jitter: float = 0.25
    longest_wait_s: float | None = 3600.0


@dataclass(slots=True)
class Verdict:
    """What to do about a failed attempt.

    Attributes:
        wait_s: seconds to wait before the next one; None gives up.
        told_s: seconds that the server told to wait, if it did.
    """

    wait_s: float | None
    told_s: float | None = None


def decide(
    policy: RetryPolicy,
    attempt: int,
    *,
    status: int | None,
    headers: Mapping[str, str] | None = None,
    problem: Mapping[str, Any] | None = None,
    repeatable: bool = True,
    was_sent: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    chance: Callable[[], float] = random.random,
) -> Verdict:
    """Decide about an attempt that failed.

    Args:
        policy: how often, how long.
        attempt: which one it was; the first is 1.
        status: the status of the answer; None if there was none.
        headers: those of the answer, by lower-case name.
        problem: the body of the answer.
        repeatable: whether to do it twice is to do it once.
        was_sent: whether the server may have got the request, if there was no answer.
        now: the time, to which dates are compared where the answer has none of its own.
        chance: a random number from 0 to 1.
    """
    told = told_wait(headers or {}, problem or {}, now()) if status is not None else None
    # a 429 was not acted on, nor was what never arrived: those are safe to repeat
    untouched = status == 429 or (status is None and not was_sent)
    is_passing = status is None or status == 429 or status >= 500
    if attempt >= policy.max_attempts or not is_passing or not (repeatable or untouched):
        return Verdict(None, told)
    if told is not None:
        too_long = policy.longest_wait_s is not None and told > policy.longest_wait_s
        return Verdict(None if too_long else told, told)
    wait = min(policy.base_delay_s * 2.0 ** (attempt - 1), policy.max_delay_s)
    return Verdict(wait * (1 + policy.jitter * (2 * chance() - 1)))


def told_wait(
    headers: Mapping[str, str], problem: Mapping[str, Any], now: datetime
) -> float | None:
    """Return the seconds that an answer tells to wait; None if it does not tell.

    `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3), which is compared with the
    `Date` of the answer (6.6.1), and with `now` where there is none. `RateLimit-Reset` and
    `retryAfter` are numbers of seconds.
    """
    after = headers.get("retry-after")
    if after is not None and (seconds := _seconds(after)) is not None:
        return seconds
    if after is not None and (date := _date(after)) is not None:
        # by the clock of who wrote it, where the answer tells it: ours may be wrong
        sent = _date(headers.get("date", "")) or now
        return max(0.0, (date - sent).total_seconds())
    if headers.get("ratelimit-remaining") == "0":
        seconds = _seconds(headers.get("ratelimit-reset"))
        if seconds is not None:
            return seconds
    return _seconds(problem.get("retryAfter"))


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
