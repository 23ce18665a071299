"""How a list is read for what changed, and how it is known in the end that nothing was missed.

Lists move while they are read. A row that changes or comes may push others to a page that was read
already, which does no harm, as rows are merged on their keys; one that goes may pull others out of
a page that is yet to come, which then are missed. It shows in the total, and the list is read
again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from opsnest.catalogue import Entry, Strategy
from opsnest.reading.api import Answer
from opsnest.reading.memory import earlier
from opsnest.reading.newest_first import newest_first
from opsnest.reading.parts import read_part
from opsnest.reading.passes import PASSES, Moved, asked_since, warn
from opsnest.reading.reading import Ask, Reading, Row, key_of, newest_of
from opsnest.rows import to_utc
from restarrow.paging import ChainPlan, DecodedPage, Plan, Slice, cut

__all__ = ["WORTH_SLICING", "read", "slices_of", "windows_of"]

Rows = list[Row]

#: Rows from which on a first load is cut into slices.
WORTH_SLICING: Final = 1000
#: The slices: a month each, for two years, and one for all that was before.
_MONTH: Final = timedelta(days=30)
_MONTHS: Final = 24
_DAWN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DUSK: Final = datetime(9000, 1, 1, tzinfo=UTC)
#: Parents whose children are asked for at a time.
_PARENTS: Final = 100
#: Values that rows are asked for by, in one call.
_VALUES: Final = 50
#: What a windowed list is read of: at first, and from then on around now.
_HISTORY: Final = timedelta(days=365)
_RECENT: Final = timedelta(days=14)
_AHEAD: Final = timedelta(days=90)
_WINDOW: Final = timedelta(days=28)


def read(reading: Reading) -> Iterator[Rows]:
    """Yield the rows that are to be looked at, as the strategy of the list has it."""
    if reading.part and reading.entry.parent is None and reading.entry.slice_filter:
        yield from read_part(reading, reading.part)
    elif reading.entry.parent is None:
        yield from _STRATEGIES[reading.entry.strategy](reading)
    elif reading.entry.within:
        yield from _within(reading)
    elif reading.entry.include:
        yield from _included(reading)
    else:
        yield from _children(reading)


def _changed(reading: Reading) -> Iterator[Rows]:
    """Ask for what changed, and for the rows that were under way, which may end in silence."""
    met: set[str] = set()
    for rows in _changes(reading):
        if reading.under_way:
            met.update(key_of(row, reading.entry.key) for row in rows)
        yield rows
    asked = {value for key, value in reading.under_way.items() if value and key not in met}
    values = sorted(asked)
    for at in range(0, len(values), _VALUES):
        ask = Ask(values=values[at : at + _VALUES])
        # their times are not those up to which all changes were read
        for answer in reading.answers(reading.dialect.plan(reading.entry, ask)):
            yield list(answer.rows)


def _changes(reading: Reading) -> Iterator[Rows]:
    """Ask for what changed; where it cannot be sorted by that, until nothing did meanwhile."""
    since = asked_since(reading)
    if not since:
        meanwhile = yield from _backfill(reading)
        if meanwhile is None:
            reading.complete = True
            return
        since = meanwhile
        reading.complete = True
    yield from _caught_up(reading, since)


def _caught_up(reading: Reading, since: str) -> Iterator[Rows]:
    """Ask for what changed since a time, until nothing new comes.

    For a list that is sorted by the time of the change once is enough: a row that changes moves
    ahead of the reader, never behind. So it is when an answer holds it all, which is one moment.
    """
    for _ in range(PASSES):
        before = reading.newest
        ask = Ask(since=since, sort=reading.entry.sort)
        pages, following = 0, since
        for page in reading.pages(ask):
            pages += 1
            if pages == 1:
                # the newest of these rows is older than any change made from now on
                following = newest_of(page.rows, reading.entry.cursor) or since
            yield page.rows
        if reading.entry.sort or pages <= 1 or reading.newest == before:
            return
        since = following
    warn(reading)


def _backfill(reading: Reading) -> Generator[Rows, None, str | None]:
    """Read all rows for the first time, the long lists in slices at once.

    Returns:
        The time from which on changes may have been missed meanwhile; None if none may.
    """
    entry = reading.entry
    pages = reading.pages(Ask(sort=entry.sort))
    count, newest = 0, ""
    for count, page in enumerate(pages, start=1):
        many = page.total is None or page.total >= WORTH_SLICING
        if count == 1 and entry.slices and not page.last and many:
            break
        newest = newest or newest_of(page.rows, entry.cursor)
        yield page.rows
    else:
        return None if count <= 1 or entry.sort else newest
    pages.close()
    begun = _newest_change(reading)
    # the next load asks from some minutes before the newest row on: older ones need no print
    reading.old_before = earlier(begun, entry.lookback) if begun else ""
    plans = [
        reading.dialect.plan(entry, Ask(between=part, sort=entry.sort))
        for part in slices_of(reading.now())
    ]
    for answer in reading.answers(ChainPlan(plans)):
        rows = list(answer.rows)
        reading.newest = max(reading.newest, newest_of(rows, entry.cursor))
        yield rows
    return begun if entry.strategy == "changed" else ""


def _newest_change(reading: Reading) -> str:
    """Return the time of the last change that an API tells before a list is read."""
    entry = reading.entry
    newest_first = f"-{entry.sort}" if entry.sort else None
    first = next(reading.pages(Ask(sort=newest_first, size=1)), None)
    return newest_of(first.rows, entry.cursor) if first else ""


def slices_of(now: datetime) -> list[Slice]:
    """Return slices of all times, the last one open at its end; those of before are one."""
    first, *others, last = cut(now - _MONTHS * _MONTH, now, _MONTH)
    return [Slice(_DAWN, first.start), first, *others, Slice(last.start, _DUSK)]


def _appended(reading: Reading) -> Iterator[Rows]:
    """Ask for the rows that were made since the last load; no row ever changes."""
    since = asked_since(reading)
    if not since and reading.entry.slices:
        yield from _backfill(reading)
        reading.complete = True
        return
    for _ in range(PASSES):
        moved = Moved(reading.entry)
        for page in reading.pages(Ask(since=since, sort=reading.entry.sort)):
            moved.note(page)
            yield page.rows
        if not moved.lost_some:
            reading.complete = not since
            return
    warn(reading)


def _whole(reading: Reading) -> Iterator[Rows]:
    """Read all rows, again until the list stood still; yield each once, as it was last seen."""
    rows: dict[str, Row] = {}
    for _ in range(PASSES):
        rows.clear()
        moved = Moved(reading.entry)
        for page in reading.pages(Ask()):
            moved.note(page)
            rows.update({key_of(row, reading.entry.key): row for row in page.rows})
        reading.total = moved.total
        if not moved.at_all and (moved.total is None or len(rows) >= moved.total):
            reading.complete = True
            break
    else:
        warn(reading)
    if rows:
        yield list(rows.values())


def _windows(reading: Reading) -> Iterator[Rows]:
    """Read what lies around now, window by window."""
    yield from _windowed(reading, {})


def windows_of(now: datetime, *, first: bool) -> tuple[Slice, ...]:
    """Return the windows around now that are read: more of the past at first."""
    return cut(now - (_HISTORY if first else _RECENT), now + _AHEAD, _WINDOW)


def _windowed(reading: Reading, ids: Mapping[str, str]) -> Iterator[Rows]:
    part = reading.part
    parts = (
        cut(part.start, part.end, _WINDOW)
        if part
        else windows_of(reading.now(), first=not reading.since)
    )
    for part in parts:
        for page in reading.pages(Ask(window=part, ids=ids)):
            yield page.rows
    reading.window, reading.complete = Slice(parts[0].start, parts[-1].end), True
    # not a time of the API's: it tells that the past was read, and no more
    reading.newest = reading.since or to_utc(parts[0].start.isoformat())


def _children(reading: Reading) -> Iterator[Rows]:
    """Ask once for each parent: for all of them, or for those that changed."""
    entry = reading.entry
    reading.parents = set() if entry.of_changed else None
    count, totals = 0, dict[str, int | None]()
    for asked in _asked(reading, reading.catalogue.by_name[str(entry.parent)]):
        count += len(asked)
        if entry.strategy == "changed":
            yield from _changes_of_parents(reading, asked, totals)
        else:
            yield from _of_parents(reading, asked)
    if reading.gone and (len(reading.gone) == count or reading.given):
        raise reading.gone[0]  # it is not the parents that are not there
    if entry.strategy == "changed":
        reading.complete = not any(map(reading.since_of, reading.newest_of))
        known = [total for total in totals.values() if total is not None]
        reading.total = sum(known) if len(known) == len(totals) else None
    else:
        reading.complete = entry.strategy != "appended"


def _of_parents(reading: Reading, asked: list[Mapping[str, str]]) -> Iterator[Rows]:
    entry = reading.entry
    since = asked_since(reading) if entry.strategy == "appended" else ""
    if entry.strategy == "windows":
        for ids in asked:
            for rows in _windowed(reading, ids):
                yield [{**row, **ids} for row in rows]
        return
    plans = [reading.dialect.plan(entry, Ask(ids=ids, since=since)) for ids in asked]
    if not plans:
        return
    of: deque[int] = deque(maxlen=1)
    for answer in reading.answers(ChainPlan(plans, note=of.append)):
        rows = [{**row, **asked[of[0]]} for row in answer.rows]
        _note_gone(reading, answer)
        if entry.strategy == "appended":
            reading.newest = max(reading.newest, newest_of(rows, entry.cursor))
        yield rows


def _changes_of_parents(
    reading: Reading, asked: list[Mapping[str, str]], totals: dict[str, int | None]
) -> Iterator[Rows]:
    """Ask each parent for those of its children that changed since it was asked before."""
    entry = reading.entry
    key = str(entry.parent_key)
    plans: list[Plan] = []
    for ids in asked:
        since = reading.since_of(ids[key])
        since = earlier(since, entry.lookback) if since else ""
        ask = Ask(ids=ids, since=since, sort=entry.sort, between=reading.part)
        plans.append(reading.dialect.plan(entry, ask))
    of: deque[int] = deque(maxlen=1)
    for answer in reading.answers(ChainPlan(plans, note=of.append)) if plans else ():
        ids = asked[of[0]]
        if _note_gone(reading, answer):
            continue
        rows = [{**row, **ids} for row in answer.rows]
        newest = newest_of(rows, entry.cursor)
        reading.newest_of[ids[key]] = max(reading.newest_of.get(ids[key], ""), newest)
        totals[ids[key]] = reading.told(answer)
        yield rows


def _note_gone(reading: Reading, answer: DecodedPage) -> bool:
    """Tell whether an answer is that of a parent which is gone since its list was read."""
    refusal = answer.page.refusal if isinstance(answer.page, Answer) else None
    if refusal is not None:
        reading.gone.append(refusal)
    return refusal is not None


def _asked(reading: Reading, parent: Entry) -> Iterator[list[Mapping[str, str]]]:
    """Yield the ids of what is to be asked for, some at a time, each once."""
    entry = reading.entry
    if entry.of_changed:
        for rows in _parents(reading, parent):
            yield [ids for row in rows for ids in reading.dialect.ids(entry, row)]
        return
    ids = reading.given or (reading.ids_of(parent.name) if reading.ids_of else [])
    for at in range(0, len(ids), _PARENTS):
        yield [{str(entry.parent_key): each} for each in ids[at : at + _PARENTS]]


def _within(reading: Reading) -> Iterator[Rows]:
    """Find the rows that are in a column of their parents: of those that changed."""
    entry = reading.entry
    reading.parents = set()
    for rows in _parents(reading, reading.catalogue.by_name[str(entry.parent)]):
        yield [child for row in rows for child in reading.dialect.rows(entry, row)]
    reading.complete = True


def _parents(reading: Reading, parent: Entry) -> Iterator[Rows]:
    """Yield the parents that changed, or those that were asked for, each once."""
    parents = reading.parents = set[str]()
    if reading.given:
        for rows in _given(reading, parent):
            parents.update(str(row["id"]) for row in rows)
            yield rows
        return
    seen: set[str] = set()
    above = _reading_of(reading, parent)
    for rows in read(above):
        unseen = {str(row["id"]): row for row in rows if str(row["id"]) not in seen}
        seen.update(unseen)
        is_changed = reading.is_changed
        fresh = {key: row for key, row in unseen.items() if not is_changed or is_changed(row)}
        parents.update(fresh)
        yield list(fresh.values())
    reading.newest, reading.whole = max(reading.newest, above.newest), above.whole
    if above.complete:
        reading.living = seen | above.there


def _given(reading: Reading, parent: Entry) -> Iterator[Rows]:
    """Yield the parents that were asked for: their ids, if it takes no more to ask further."""
    if parent.single is None:
        yield [{"id": each} for each in reading.given]
        return
    one = replace(parent, path=parent.single, paging="none", holds=("id",))
    plans = [reading.dialect.plan(one, Ask(ids={"id": each})) for each in reading.given]
    for answer in reading.answers(ChainPlan(plans), one):
        if _note_gone(reading, answer):
            raise reading.gone[0]
        yield list(answer.rows)


def _reading_of(reading: Reading, entry: Entry) -> Reading:
    """Return the reading of a parent, from where the children were read."""
    return Reading(
        entry=entry,
        catalogue=reading.catalogue,
        api=reading.api,
        dialect=reading.dialect,
        since=reading.since,
        part=reading.part,
        ids_of=reading.ids_of,
        under_way=reading.under_way,
        whole=reading.whole,
        look=reading.look,
    )


def _included(reading: Reading) -> Iterator[Rows]:
    """Read the children that the parent's list brings along, instead of asking for each parent."""
    entry = reading.entry
    parent = reading.catalogue.by_name[str(entry.parent)]
    key = str(entry.parent_key)
    reading.parents = set()
    since = asked_since(reading)
    for _ in range(PASSES):
        before, pages, following = reading.newest, 0, since
        ask = Ask(since=since, between=reading.part, sort=parent.sort, include=entry.include)
        for answer in reading.answers(reading.dialect.plan(parent, ask), parent):
            pages += 1
            stamp = newest_of(list(answer.rows), parent.cursor)
            following = stamp if pages == 1 and stamp else following
            reading.newest = max(reading.newest, stamp)
            rows: Rows = []
            for above, children in reading.dialect.children(entry, answer):
                reading.parents.add(str(above["id"]))
                rows += [{**child, key: str(above["id"])} for child in children]
            yield rows
        if parent.sort or pages <= 1 or reading.newest == before:
            break
        since = following
    reading.complete = True


_STRATEGIES: dict[Strategy, Callable[[Reading], Iterator[Rows]]] = {
    "changed": _changed,
    "newest_first": newest_first,
    "appended": _appended,
    "whole": _whole,
    "windows": _windows,
    "snapshot": _whole,
}
