"""What a load would cost: the calls of each list, before any of them is made.

To know it, each list is asked how many rows it has, a call each. Rows that an API does not count,
and the changes of parents, are not known before; then the plan says "at least".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opsnest import clock
from opsnest.catalogue import Catalogue, Entry, how
from opsnest.errors import AccessError
from opsnest.reading import Lists
from opsnest.reading.memory import earlier
from opsnest.reading.strategies import WORTH_SLICING, slices_of, windows_of

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["Line", "plan", "total_calls"]

_REFUSED: Final = "may not be read with this key"
#: The strategies that read a long list in slices at first.
_SLICING: Final = frozenset({"changed", "appended"})


@dataclass(frozen=True, slots=True)
class Line:
    """What a list would cost.

    Attributes:
        resource: the list.
        strategy: how it is asked for only what changed, in words.
        first: whether it has never been loaded before.
        rows: how many rows would be read; None if that is not known.
        calls: how many calls that takes, or takes at least.
        at_least: whether it may take more.
    """

    resource: str
    strategy: str
    first: bool
    rows: int | None
    calls: int
    at_least: bool = False


def plan(lists: Lists, resources: Sequence[str], pipeline: Pipeline | None = None) -> list[Line]:
    """Return what a load of these resources would cost, one line each.

    Args:
        lists: the lists of the source.
        resources: those that are to be loaded.
        pipeline: where they are loaded to, which knows how far they were read before.

    Raises:
        SourceError: the API could not be asked.
    """
    states = _states(pipeline, lists.catalogue.source) if pipeline else dict[str, Any]()
    planner = _Planner(lists, states)
    by_name = lists.catalogue.by_name
    return [planner.line(by_name[name]) for name in resources if name in by_name]


def total_calls(lines: Sequence[Line]) -> int:
    """Return the calls of all lines."""
    return sum(line.calls for line in lines)


def _states(pipeline: Pipeline, source: str) -> Mapping[str, Any]:
    state: Any = pipeline.state
    states: Mapping[str, Any] = state.get("sources", {}).get(source, {}).get("resources", {})
    return states


class _Planner:
    def __init__(self, lists: Lists, states: Mapping[str, Any]) -> None:
        self._lists = lists
        self._catalogue: Catalogue = lists.catalogue
        self._states = states
        self._counts: dict[tuple[str, str], int | None] = {}
        self._read: set[str] = set()

    def line(self, entry: Entry) -> Line:
        """Return what a list would cost."""
        state = self._states.get(entry.name, {})
        since = str(state.get("since", ""))
        first = "since" not in state  # it is there, and empty, for lists whose rows have no time
        try:
            rows, calls, at_least = self._cost(entry, since)
        except AccessError as refusal:
            if refusal.status == 401:  # for this list as for all others
                raise
            return Line(entry.name, _REFUSED, first, None, 0)
        return Line(entry.name, how(entry), first, rows, calls, at_least)

    def _cost(self, entry: Entry, since: str) -> tuple[int | None, int, bool]:
        """Return rows, calls, and whether these may be more."""
        if entry.parent is not None:
            return self._cost_of_children(entry, since)
        rows, calls, at_least = self._reading(entry, since)
        return rows, calls + _counted(entry), at_least

    def _reading(self, entry: Entry, since: str) -> tuple[int | None, int, bool]:
        """Return what it takes to read a list, without the call that compares it afterwards."""
        match entry.strategy:
            case "windows":
                return None, len(windows_of(clock.now(), first=not since)), True
            case "newest_first" if since:
                return None, 1, True
            case "changed" | "appended" if since:
                rows = self._count(entry, earlier(since, entry.lookback))
                calls = _pages(entry, rows)
                return rows, calls, rows is None or calls > 1 or entry.under_way is not None
            case _:
                pass
        rows = self._count(entry, "")
        calls = _pages(entry, rows)
        if (
            entry.strategy in _SLICING
            and entry.slices
            and rows is not None
            and rows >= WORTH_SLICING
        ):
            # after the first page, each slice has one at least
            return rows, max(calls, len(slices_of(clock.now()))) + 1, True
        # what changed while a long list was read is asked for again
        again = entry.strategy not in {"whole", "snapshot"} and calls > 1
        # from the last row on, until nothing new comes
        again = again or entry.paging == "keyset"
        return rows, calls, rows is None or again

    def _cost_of_children(self, entry: Entry, since: str) -> tuple[int | None, int, bool]:
        parent = self._catalogue.by_name[str(entry.parent)]
        changed = since if entry.of_changed or entry.within or entry.include else ""
        if entry.include:  # their parents are read page by page, never in slices
            rows = self._count(parent, earlier(changed, entry.lookback) if changed else "")
            return None, _pages(parent, rows), True
        if entry.within or entry.of_changed:
            _, calls, _ = self._reading(parent, changed)
        else:
            calls = self._shared(parent)
        if entry.within:
            return None, calls, True
        # the last one that changed was asked for its children then
        parents = self._count(parent, changed) or 0
        return None, calls + (max(0, parents - 1) if changed else parents), True

    def _shared(self, parent: Entry) -> int:
        """Return the calls that it takes to read parents: none for their second children."""
        if parent.name in self._read:
            return 0
        self._read.add(parent.name)
        if parent.parent is not None:
            return self._cost_of_children(parent, "")[1]
        return self._reading(parent, "")[1]

    def _count(self, entry: Entry, since: str) -> int | None:
        """Ask how many rows a list has, once."""
        asked = (entry.name, since)
        if asked not in self._counts:
            self._counts[asked] = self._lists.count(entry, since)
        return self._counts[asked]


def _pages(entry: Entry, rows: int | None) -> int:
    """Return the calls that so many rows take; an empty list takes one."""
    if not rows or entry.paging == "none":
        return 1
    return -(-rows // entry.page_size)


def _counted(entry: Entry) -> int:
    """Return the calls that it takes to compare the table with the API after the load.

    Other strategies learn the number of rows while they read.
    """
    asks = entry.strategy in _SLICING and entry.paging != "keyset"
    return int(asks and entry.total is not None)
