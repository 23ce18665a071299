"""Lists that can be sorted by the time of the last change: read from the top, as far as needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from opsnest.reading.memory import earlier
from opsnest.reading.passes import PASSES, Moved, asked_since, warn
from opsnest.reading.reading import Ask, Reading, Row, key_of, stamp_of

__all__ = ["newest_first"]


def newest_first(reading: Reading) -> Iterator[list[Row]]:
    """Read from the last changed row to where the last load began, until nothing is newer."""
    entry = reading.entry
    until = stop = asked_since(reading)
    whole = not until
    for turn in range(PASSES):
        before, moved, order = reading.newest, Moved(entry), _Order()
        count, top, reached = 0, "", False
        for page in reading.pages(Ask(sort=entry.sort)):
            count += not reached
            moved.note(page)
            stamps = [stamp_of(row, entry.cursor) for row in page.rows]
            order.note(stamps)
            if not top:
                top = max(stamps, default="")
                stop = "" if turn == 0 and _is_due(reading, top) else stop
            # what is older was loaded before; what has no time is not known to be
            old = [bool(at) and at < until for at in stamps]
            keys = (key_of(row, entry.key) for row in page.rows)
            reading.there.update(key for key, is_old in zip(keys, old, strict=True) if is_old)
            yield [row for row, is_old in zip(page.rows, old, strict=True) if not is_old]
            if reached:
                break
            if stop and order.descends and min(stamps, default=stop) < stop:
                reached = True
                if not entry.overlaps:
                    break
                # by offset a page more: stamps at the border may be a moment out of order
        whole = whole or not (reached or moved.lost_some)
        settled = count <= 1 or reading.newest == before
        if settled and not moved.lost_some:
            reading.complete, reading.total = whole, moved.total
            reading.whole = reading.newest if whole else reading.whole
            return
        if not moved.lost_some:
            until = stop = top or until
    warn(reading)


def _is_due(reading: Reading, top: str) -> bool:
    """Tell whether it is time to read the list whole again, to find rows that are gone.

    The times of the API tell, not those of this machine: where nothing changes, nothing is read.
    """
    after = reading.entry.whole_after
    return after is not None and bool(top) and earlier(top, after) >= reading.whole


class _Order:
    """Tells from the pages of one pass whether the newest come first.

    Only rows of one page are compared, which are of one moment. As long as all have one time, it is
    not known: the oldest may come first just as well.

    Attributes:
        descends: whether the newest come first, as far as pages have shown.
    """

    def __init__(self) -> None:
        self.descends = False
        self._ascends = False

    def note(self, stamps: Sequence[str]) -> None:
        """Look at the times of a page."""
        pairs = list(pairwise(stamps))
        self._ascends = self._ascends or any(above < below for above, below in pairs)
        self.descends = not self._ascends and (
            self.descends or any(above > below for above, below in pairs)
        )
