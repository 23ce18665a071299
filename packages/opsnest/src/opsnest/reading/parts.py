"""A part of a list: what was made in a span of time, whatever was read before.

A part stands by itself. It neither knows how far its list was read nor moves that, so that parts
can be read in any order, again, and beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from opsnest.catalogue import Entry
from opsnest.errors import ConfigurationError
from opsnest.reading.passes import PASSES, Moved, warn
from opsnest.reading.reading import Ask, Reading, Row, newest_of
from restarrow.paging import Slice

__all__ = ["Span", "read_part", "span_of", "whole_list_only"]

#: From when on, and until when: the end is not in it.
Span = tuple[datetime, datetime]

_EXAMPLE: Final = "(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))"


def span_of(between: Span | None, source: str) -> Slice | None:
    """Return a span of time as a slice; None if there is none.

    Raises:
        ConfigurationError: it is not two times in their order, with a time zone.
    """
    if not between:
        return None
    try:
        start, end = between
        if start.utcoffset() is not None and end.utcoffset() is not None and start < end:
            return Slice(start, end)
    except (AttributeError, TypeError, ValueError):
        pass
    message = (
        f"{source}: between={between!r} is no span of time.\n"
        f"  Give two times with a time zone, the earlier one first: {_EXAMPLE}."
    )
    raise ConfigurationError(message)


def whole_list_only(entry: Entry, source: str) -> ConfigurationError:
    """Return the error for a list of which no part can be asked for."""
    message = (
        f"{source} / {entry.name}: the API cannot be asked for a span of time of this list.\n"
        "  Load it without `between`, or choose other lists with `with_resources`."
    )
    return ConfigurationError(message)


def read_part(reading: Reading, part: Slice) -> Iterator[list[Row]]:
    """Ask for the rows that were made in a span of time, until nothing was missed meanwhile."""
    entry = reading.entry
    # a row never leaves its span, but may change, and so move behind the reader
    moves = entry.strategy == "changed" and not entry.sort
    since = ""
    for _ in range(PASSES):
        before, moved, pages, following = reading.newest, Moved(entry), 0, since
        for page in reading.pages(Ask(between=part, since=since, sort=entry.sort)):
            pages += 1
            moved.note(page)
            if pages == 1:
                # the newest of these rows is older than any change made from now on
                following = newest_of(page.rows, entry.cursor) or since
            yield page.rows
        if moved.lost_some:
            continue
        if not moves or pages <= 1 or reading.newest == before:
            return
        since = following
    warn(reading)
