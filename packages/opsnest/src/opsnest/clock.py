"""The time, for all that depends on it: windows around now, and the age of what is kept."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
