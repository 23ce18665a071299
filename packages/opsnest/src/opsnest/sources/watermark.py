"""How far a list has been loaded: the incremental cursor, and where it may move to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["BEGINNING", "changed_since", "latest_wins", "not_after"]

#: Before anything that these platforms hold, in the format of `rows.to_utc`.
BEGINNING = "2000-01-01T00:00:00.000000Z"

#: How far this machine's clock may be ahead of the server's.
_CLOCK_SKEW = timedelta(minutes=5)


def changed_since(path: str, *, server_filters: bool) -> dict[str, Any]:
    """Return the incremental configuration of a list with the time of the last change at `path`.

    Args:
        path: where a row has it.
        server_filters: whether the list is filtered, ordered or caught up with so that the newest
            time seen is a safe watermark. Where it is not, all rows are read and only those
            changed since are loaded; a row that changes behind the reader's back is then caught by
            the next load, because the watermark stays before the start of this one.
    """
    incremental: dict[str, Any] = {
        "cursor_path": path,
        "initial_value": BEGINNING,
        "on_cursor_value_missing": "include",
    }
    if not server_filters:
        incremental["last_value_func"] = not_after(datetime.now(UTC) - _CLOCK_SKEW)
    return incremental


def latest_wins(path: str) -> dict[str, Any]:
    """Return the column hint with which the latest version of a row is loaded.

    A row that changes while its list is read can come twice. Without the hint, dlt loads any one of
    its versions, and the watermark may be beyond the other.

    Args:
        path: where a row has the time of its last change.
    """
    return {path.replace(".", "__"): {"dedup_sort": "desc"}}


def not_after(latest: datetime) -> Callable[[Iterable[str]], str]:
    """Return a `max` for dlt's incremental that never goes beyond `latest`."""
    bound = latest.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def newest(values: Iterable[str]) -> str:
        return min(max(values), bound)

    return newest
