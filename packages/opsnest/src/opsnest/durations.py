"""Lengths of time as people write and read them: `15m`, `2h`, "3 min ago"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from opsnest.errors import ConfigurationError

__all__ = ["ago", "duration"]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WRITTEN: Final = re.compile(r"(\d{1,6})([smhdw])")


def duration(text: str, option: str) -> timedelta:
    """Return the length of time that an option was given, such as `90s`, `15m`, `2h` or `1d`.

    Raises:
        ConfigurationError: it is none, or nothing.
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not length:
        message = (
            f"{option} {text!r} is no length of time.\n"
            "  Write a number and s, m, h, d or w, such as 15m, 2h or 1d."
        )
        raise ConfigurationError(message)
    return length


def ago(length: timedelta) -> str:
    """Return how long ago something was, in the largest unit that fits twice, or in seconds."""
    seconds = length.total_seconds()
    if seconds < 0:
        return "in the future"
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
