"""Whether to send a request again, and when. Pure: nothing here waits.

Requests that fail for want of an answer, or with 408, 425 or 5xx (but not 501 and 505, which no
waiting cures), are sent again with waits that double. A wait that the API asks for is kept to.
429 has a count of its own: being told to wait is no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restarrow.errors import ConfigurationError

_PERMANENT = frozenset({501, 505})
_PASSING = frozenset({408, 425, 429})
#: Seconds before the first repetition when a connection was cut, often just one kept too long,
#: and before the third when an API says 429 and asks for no wait at all: seconds that are told
#: rounded down would use up all attempts within the one second that was meant.
_QUICK_WAIT = 0.1
#: The share by which a wait that was asked for is lengthened, at most one second, so that all
#: who were told the same moment do not come back in the same millisecond.
_SPREAD = 0.1
#: Seconds of a day. Who has to wait longer had better come back.
_LONGEST = 86_400.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient to be.

    Attributes:
        attempts: how often a request is sent in all when it fails.
        limited_attempts: how often it is sent in all when the answer is 429.
        first_wait: seconds before the second attempt; they double with each one.
        max_wait: the most seconds of one wait. When an API asks for more, it is not asked again.
        jitter: the share of a wait that chance may take away.
    """

    attempts: int = 5
    limited_attempts: int = 10
    first_wait: float = 1.0
    max_wait: float = 300.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.limited_attempts < 1:
            msg = "attempts and limited_attempts must be at least 1: the first one counts"
            raise ConfigurationError(msg)
        waits = (self.first_wait, self.max_wait)
        if not (all(0 <= wait <= _LONGEST for wait in waits) and 0 <= self.jitter <= 1):
            msg = "first_wait and max_wait must be from 0 to a day, and jitter from 0 to 1"
            raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with one attempt.

    Attributes:
        status: the status, if there was an answer.
        asked: the seconds that the answer asks to wait.
        cut: whether a connection was lost that had been there.
    """

    status: int | None = None
    asked: float | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one request was sent: answered with 429 (`limited`), or `failed` otherwise."""

    failed: int = 0
    limited: int = 0

    def counting(self, trouble: Trouble) -> Tally:
        """Return the tally after one more attempt."""
        if trouble.status == 429:
            return Tally(self.failed, self.limited + 1)
        return Tally(self.failed + 1, self.limited)


def is_passing(status: int) -> bool:
    """Tell whether a status may be another one later."""
    return status in _PASSING or (500 <= status <= 599 and status not in _PERMANENT)


def next_wait(
    policy: RetryPolicy, trouble: Trouble, tally: Tally, chance: Callable[[], float]
) -> float | None:
    """Return the seconds to wait before sending again, or None to give up.

    Args:
        policy: how patient to be.
        trouble: what went wrong the last time.
        tally: how often the request was sent, the last time included.
        chance: returns a number from 0 to 1.
    """
    limited = trouble.status == 429
    if trouble.status is not None and not is_passing(trouble.status):
        return None
    if (limited and tally.limited >= policy.limited_attempts) or tally.failed >= policy.attempts:
        return None
    if trouble.asked is not None:
        if trouble.asked > policy.max_wait:
            return None
        asked = max(trouble.asked, _least_wait(policy, tally))
        return asked + chance() * min(1.0, _SPREAD * asked)
    if trouble.cut and tally.failed == 1:
        return min(_QUICK_WAIT, policy.first_wait) * chance()
    doublings = min(63, (tally.limited if limited else tally.failed) - 1)
    wait = min(policy.max_wait, policy.first_wait * 2.0**doublings)
    return wait * (1.0 - policy.jitter * chance())


def _least_wait(policy: RetryPolicy, tally: Tally) -> float:
    """Return the least seconds to wait after so many 429, whatever the answer asks for."""
    if tally.limited < 2:
        return 0.0
    return min(policy.first_wait, _QUICK_WAIT * 2.0 ** min(63, tally.limited - 2))
