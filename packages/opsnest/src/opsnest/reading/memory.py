"""What is kept of a list from one load to the next: how far it was read, and what was there.

It is in dlt's state, which travels with the data: a load that fails leaves both as they were. How
far is a time that the API itself wrote, never one of this machine's clock, and it moves only when a
list has been read to its end.

A row may be given its time a moment before others can see it. So each load asks again for some
minutes before; prints of those rows tell which of them are old.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec

from opsnest.rows import to_utc

__all__ = ["LOOKBACK", "UNDER_WAY", "Memory", "earlier"]

#: How far before the last load a list is asked for again.
LOOKBACK: Final = timedelta(minutes=5)
#: The time of a row that is under way: later than any other, so that it is remembered.
UNDER_WAY: Final = "~"
#: Prints that are kept of a list. What is beyond them is loaded again, which does no harm.
_MOST: Final = 20_000

_encode = msgspec.json.Encoder(order="deterministic").encode


class Memory:
    """What one resource remembers.

    Args:
        state: the resource's state in dlt.
        lookback: how far before the last load it is asked for again.
    """

    def __init__(self, state: MutableMapping[str, Any], lookback: timedelta = LOOKBACK) -> None:
        self._state = state
        self._lookback = lookback
        self._parents: dict[str, Memory] = {}
        self._before: dict[str, str] = state.get("prints", {})
        self._now: dict[str, tuple[str, str]] = {}
        #: In a first load, rows with a time before this one are new without a look at them.
        self.old_before = ""

    @property
    def since(self) -> str:
        """How far the list was read, as `rows.to_utc` writes it; "" if it never was."""
        return str(self._state.get("since", ""))

    @property
    def whole(self) -> str:
        """How far the list had come when it was last read whole; "" if it never was."""
        return str(self._state.get("whole", ""))

    @whole.setter
    def whole(self, stamp: str) -> None:
        self._state["whole"] = stamp

    @property
    def under_way(self) -> Mapping[str, str]:
        """Return the rows that were under way, and what to ask for each of them by."""
        return dict(self._state.get("under_way", {}))

    def of(self, parent: str) -> Memory:
        """Return what is remembered of the children of one parent."""
        if parent not in self._parents:
            kept = self._state.get("parents", {}).get(parent, {})
            self._parents[parent] = Memory(dict(kept), self._lookback)
        return self._parents[parent]

    def is_new(self, key: str, row: Any, stamp: str = "") -> bool:
        """Tell whether a row differs from what was loaded, and remember it.

        Args:
            key: what identifies the row in its list.
            row: its data, as it is loaded.
            stamp: its time, for lists of which only the last minutes are remembered.
        """
        if stamp and stamp < self.old_before and not self._before:
            return True
        if len(self._now) >= 2 * _MOST:
            self._forget()
        name, print_ = _print(key.encode()), _print(_encode(row))
        # a row that comes twice in one load is new once
        before = self._now[name][1] if name in self._now else self._before.get(name)
        self._now[name] = (stamp, print_)
        return before != print_

    def doubt(self, key: str) -> None:
        """Do not remember a row, so that it is new in the next load."""
        name = _print(key.encode())
        self._now.pop(name, None)
        self._before.pop(name, None)

    def save(
        self,
        newest: str,
        *,
        all_rows: bool,
        only_part: bool = False,
        under_way: Mapping[str, str] | None = None,
        newest_of: Mapping[str, str] | None = None,
    ) -> None:
        """Write down how far the list was read; for when it was read to the end.

        Args:
            newest: the newest time of its rows; "" leaves it where it was.
            all_rows: whether prints of all rows are kept, or of those of the last minutes only.
            only_part: whether the list was read in part, so that prints of the rest stay.
            under_way: the rows that are under way, and what to ask for each of them by.
            newest_of: the newest time of the children of each parent that there is.
        """
        since = max(newest, self.since)
        self._forget()
        from_on = "" if all_rows or not since else earlier(since, self._lookback)
        kept = {
            name: print_
            for name, (stamp, print_) in self._now.items()
            if all_rows or stamp >= from_on
        }
        if only_part:
            kept = {**self._before, **kept}
        self._state["since"] = since
        self._state["prints"] = dict(list(kept.items())[-_MOST:])
        if under_way is not None:
            self._state["under_way"] = dict(under_way)
        if newest_of is not None:
            for parent, stamp in newest_of.items():
                self.of(parent).save(stamp, all_rows=all_rows)
            self._state["parents"] = {parent: dict(self.of(parent)._state) for parent in newest_of}

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
