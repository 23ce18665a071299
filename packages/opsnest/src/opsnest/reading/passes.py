"""What strategies share that read a list pass after pass, until it stood still meanwhile."""

from __future__ import annotations

import logging
from typing import Final

from opsnest.catalogue import Entry
from opsnest.reading.memory import earlier
from opsnest.reading.reading import Page, Reading, key_of

__all__ = ["PASSES", "Moved", "asked_since", "warn"]

log = logging.getLogger("opsnest")

#: Times that a list is read before it is left as it was last seen.
PASSES: Final = 5


class Moved:
    """Tells whether a list moved while it was read: from its totals, or from pages that overlap.

    Args:
        entry: the list.
    """

    def __init__(self, entry: Entry) -> None:
        self.total: int | None = None
        self.at_all = False
        self.lost_some = False
        self._entry = entry
        self._last = ""
        self._most = 0

    def note(self, page: Page) -> None:
        """Look at a page."""
        if self._entry.overlaps:
            self._note_overlap(page)
        if page.total is None:
            return
        if self.total is not None:
            self.at_all = self.at_all or page.total != self.total
            self.lost_some = self.lost_some or page.total < self.total
        self.total = page.total

    def _note_overlap(self, page: Page) -> None:
        keys = [key_of(row, self._entry.key) for row in page.rows]
        self._most = max(self._most, len(keys))
        # pages of a single row cannot overlap, as none of them would bring another
        if self._last and self._most > 1 and self._last not in keys[:1]:
            self.at_all = True
        self._last = keys[-1] if keys else self._last


def asked_since(reading: Reading) -> str:
    """Return the time from which on a list is asked for; "" for all of it."""
    return earlier(reading.since, reading.entry.lookback) if reading.since else ""


def warn(reading: Reading) -> None:
    """Tell that a list never stood still."""
    log.warning(
        "%s / %s kept changing while it was read %d times; what changed last may be missing until "
        "it is next read",
        reading.api.source,
        reading.entry.name,
        PASSES,
    )
