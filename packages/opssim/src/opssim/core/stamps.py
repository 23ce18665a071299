"""How an installation writes the time stamps of its rows, if not as most of them do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssim.core.clock import DEFAULT_NOW, iso_utc, parse_iso
from opssim.core.store import JsonObject

#: What stands for no time at all, and is left as it is.
_NO_TIME = "1970-01-01T00:00:00Z"
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
_FARTHEST = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class StampForm:
    """Rewrites the stamps of rows, which are made in UTC, when they are put into a table.

    Attributes:
        changes: the fields that say when a row was made or changed.
        offset_hours: the offset that all stamps are written with; 0 is `Z`.
        grain_seconds: what the stamps of later changes are rounded down to; 0 leaves them alone.
        start: where the grains are counted from: no change is stamped as if it came before.
    """

    changes: frozenset[str] = frozenset()
    offset_hours: int = 0
    grain_seconds: float = 0.0
    start: datetime = DEFAULT_NOW

    def __post_init__(self) -> None:
        if abs(self.offset_hours) > _FARTHEST:
            message = f"no zone is {self.offset_hours} hours from UTC"
            raise ValueError(message)

    def __call__(self, row: JsonObject) -> JsonObject:
        """Return the row with its stamps in this form; those that have it already stay."""
        if self.offset_hours == 0 and self.grain_seconds <= 0:
            return row
        return {
            name: self.write(value, change=name in self.changes)
            if isinstance(value, str) and _UTC.fullmatch(value)
            else value
            for name, value in row.items()
        }

    def write(self, stamp: str, *, change: bool = False) -> str:
        """Return a stamp that ends with `Z` in this form, with as many digits as it has."""
        if stamp == _NO_TIME:
            return stamp
        if change and self.grain_seconds > 0:
            stamp = self._rounded_down(stamp)
        found = _UTC.fullmatch(stamp)
        if found is None or self.offset_hours == 0:
            return stamp
        second = datetime.fromisoformat(found[1]) + timedelta(hours=self.offset_hours)
        return f"{second.isoformat()}{found[2] or ''}{self.offset_hours:+03d}:00"

    def _rounded_down(self, stamp: str) -> str:
        since = parse_iso(stamp) - self.start
        if since <= timedelta():
            return stamp
        grain = timedelta(seconds=self.grain_seconds)
        return iso_utc(self.start + since // grain * grain)
