"""Rate limits: requests an hour by API key, and changes a minute by what they need."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from opssim.core.limits import Allowance, SlidingWindow
from opssim.owlette.problems import Problem

#: Requests a minute, by the capability that they need.
PER_MINUTE: Final = {
    "MACHINE_EXEC_COMMAND": 60,
    "MACHINE_VIEW": 60,
    "MACHINE_CONFIG_WRITE": 30,
    "MACHINE_REMOVE": 5,
    "DEPLOYMENT_MANAGE": 30,
    "UNINSTALL_TRIGGER": 30,
    "PRESET_MANAGE": 60,
    "SITE_MEMBER_MANAGE": 30,
    "WEBHOOK_MANAGE": 30,
    "SITE_LOGS_MANAGE": 30,
    "USER_ROLE_MANAGE": 10,
    "USER_DELETE": 5,
    "INSTALLER_MANAGE": 10,
    "GLOBAL_SETTINGS_WRITE": 10,
}


class Limits:
    """Counts requests, by caller.

    Args:
        per_hour: requests an hour that a key has for the routes that count them.
        clock: seconds since 1970.
    """

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.time) -> None:
        self._per_hour = per_hour
        self._clock = clock
        self._windows: dict[tuple[str, str], SlidingWindow] = {}

    def count_request(self, key_id: str) -> dict[str, str]:
        """Count a request of a key, and return the headers that tell what is left.

        Raises:
            Problem: 429.
        """
        allowance = self._window("api", key_id, self._per_hour, 3600.0).ask()
        return self._judge(allowance, 3600.0, "key-rate")

    def count_change(self, capability: str, uid: str) -> None:
        """Count a request of a user that needs a capability.

        Raises:
            Problem: 429.
        """
        limit = PER_MINUTE.get(capability)
        if limit is not None:
            allowance = self._window(capability, uid, limit, 60.0).ask()
            self._judge(allowance, 60.0, "endpoint-rate")

    def forget(self) -> None:
        """Let everybody start anew."""
        self._windows.clear()

    def _window(self, kind: str, who: str, limit: int, seconds: float) -> SlidingWindow:
        place = (kind, who)
        if place not in self._windows:
            self._windows[place] = SlidingWindow(limit, seconds, self._clock)
        return self._windows[place]

    def _judge(self, allowance: Allowance, seconds: float, reason: str) -> dict[str, str]:
        wait = max(1, min(int(seconds), allowance.reset - int(self._clock())))
        headers = {
            "RateLimit-Limit": str(allowance.limit),
            "RateLimit-Remaining": str(allowance.remaining),
            "RateLimit-Reset": str(wait),
            "X-RateLimit-Limit": str(allowance.limit),
            "X-RateLimit-Remaining": str(allowance.remaining),
            "X-RateLimit-Reset": str(allowance.reset * 1000),
        }
        if allowance.allowed:
            return headers
        headers |= {"Retry-After": str(wait), "Roost-Rate-Limited-Reason": reason}
        msg = f"more than {allowance.limit} requests: wait {wait} seconds"
        raise Problem(429, "rate_limited", msg, headers=headers, retryAfter=wait)
