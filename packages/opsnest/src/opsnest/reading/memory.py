"""What is kept of a list from one load to the next: how far it was read, and what was there.

It is in dlt's state, which travels with the data: a load that fails leaves both as they were. How
far is a time that the API itself wrote, never one of this machine's clock, and it moves only when a
list has been read to its end.

A row may be given its time a moment before others can see it. So each load asks again for some
minutes before; prints of those rows tell which of them are old.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec

from opsnest.rows import to_utc

__all__ = ["LOOKBACK", "Memory", "earlier"]

#: How far before the last load a list is asked for again.
LOOKBACK: Final = timedelta(minutes=5)
#: Prints that are kept of a list. What is beyond them is loaded again, which does no harm.
_MOST: Final = 20_000

_encode = msgspec.json.Encoder(order="deterministic").encode


class Memory:
    """What one resource remembers.

    Args:
        state: the resource's state in dlt.
    """

    def __init__(self, state: MutableMapping[str, Any]) -> None:
        self._state = state
        self._before: dict[str, str] = state.get("prints", {})
        self._now: dict[str, tuple[str, str]] = {}

    @property
    def since(self) -> str:
        """How far the list was read, as `rows.to_utc` writes it; "" if it never was."""
        return str(self._state.get("since", ""))

    def is_new(self, key: str, row: Any, stamp: str = "") -> bool:
        """Tell whether a row differs from what was loaded, and remember it.

        Args:
            key: what identifies the row in its list.
            row: its data, as it is loaded.
            stamp: its time, for lists of which only the last minutes are remembered.
        """
        if len(self._now) >= 2 * _MOST:
            self._forget()
        name, print_ = _print(key.encode()), _print(_encode(row))
        self._now[name] = (stamp, print_)
        return self._before.get(name) != print_

    def save(self, newest: str, *, all_rows: bool) -> None:
        """Write down how far the list was read; for when it was read to the end.

        Args:
            newest: the newest time of its rows; "" leaves it where it was.
            all_rows: whether prints of all rows are kept, or of those of the last minutes only.
        """
        since = max(newest, self.since)
        self._forget()
        from_on = "" if all_rows or not since else earlier(since)
        kept = {
            name: print_
            for name, (stamp, print_) in self._now.items()
            if all_rows or stamp >= from_on
        }
        self._state["since"] = since
        self._state["prints"] = dict(list(kept.items())[-_MOST:])

    def _forget(self) -> None:
        """Keep the newest prints only."""
        if len(self._now) > _MOST:
            kept = sorted(self._now.items(), key=lambda each: each[1][0])[-_MOST:]
            self._now = dict(kept)


def earlier(stamp: str, by: timedelta = LOOKBACK) -> str:
    """Return a time some minutes before another, in the same form."""
    return to_utc((datetime.fromisoformat(stamp) - by).isoformat())


def _print(data: bytes) -> str:
    return blake2b(data, digest_size=6).hexdigest()
