"""Long lists, cut by time: many short lists instead of one long one. No IO.

For an API that filters by a range of time, and whose pages can only be followed one by one, or
which ends every list after so many rows: the range is cut into slices, whose first pages are
fetched at the same time. A slice that comes back with as many rows as the API ever gives is full:
it is dropped and cut in half, again and again, down to the narrowest slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from restarrow.errors import ConfigurationError
from restarrow.paging.plans import Continuation, Plan, SinglePagePlan
from restarrow.types import Page, Request

#: How many slices ahead are told: more than any window takes.
_AHEAD = 64


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A range of time, from `start` up to, but without, `end`."""

    start: datetime
    end: datetime

    @property
    def width(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class SlicePolicy:
    """When slices are cut in half.

    Attributes:
        cap: the most rows that the API gives for one list; None if there is no such limit.
        least: no slice is cut into halves narrower than this.
    """

    cap: int | None = None
    least: timedelta = timedelta(seconds=1)


def cut(start: datetime, end: datetime, width: timedelta) -> tuple[Slice, ...]:
    """Cut a range into slices of one width, the last one as wide as what remains.

    Raises:
        ConfigurationError: the width is nothing, or only one of the ends knows its time zone.
    """
    if width <= timedelta():
        msg = f"slices must have a width, not {width}"
        raise ConfigurationError(msg)
    if (start.tzinfo is None) != (end.tzinfo is None):
        msg = "both ends of the range need a time zone, or neither of them"
        raise ConfigurationError(msg)
    slices: list[Slice] = []
    while start < end:
        stop = end if end - start <= width else start + width
        slices.append(Slice(start, stop))
        start = stop
    return tuple(slices)


def halve(whole: Slice, least: timedelta) -> tuple[Slice, Slice] | None:
    """Cut a slice in half; None if the halves would be narrower than allowed."""
    # whole microseconds: the halves meet exactly
    middle = whole.start + whole.width // 2
    if middle - whole.start < least or middle <= whole.start:
        return None
    return Slice(whole.start, middle), Slice(middle, whole.end)


class SlicePlan:
    """Reads slice after slice, each as a list of its own, in the order in which they are given.

    Args:
        slices: the slices; at least one.
        ask: writes the first request of a slice. Where the API includes both ends of a range, it
            has to leave out one of them, or rows on an edge come twice.
        plan: makes the plan of one slice from that request.
        policy: when slices are cut in half. A slice is known to be full by the total that its
            first page tells, or by the number of its rows. In the second case the rows of all its
            pages but the last have been handed out already and come again with the halves, so
            that they have to be merged by key.

    Raises:
        ConfigurationError: there are no slices.
    """

    def __init__(
        self,
        slices: Sequence[Slice],
        ask: Callable[[Slice], Request],
        plan: Callable[[Request], Plan] = SinglePagePlan,
        policy: SlicePolicy | None = None,
    ) -> None:
        if not slices:
            msg = "there are no slices to read: the range is empty"
            raise ConfigurationError(msg)
        self._slices = tuple(slices)
        self._ask = ask
        self._plan = plan
        self._policy = policy or SlicePolicy()
        self._inner = plan(ask(self._slices[0]))
        self._offset = 0
        self._rows = 0

    def first(self) -> Request:
        """Return the first request of the first slice."""
        return self._inner.first()

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Tell what follows in the slice, and the slices that follow it.

        Raises:
            PagingError: the plan of the slice cannot go on.
        """
        inner = self._inner.after(replace(page, number=page.number - self._offset), payload, rows)
        count = self._rows + len(rows)
        if self._is_full(inner, count):
            return self._halved(page.number + 1, inner)
        if inner.done:
            return self._going_on(self._slices[1:], page.number + 1, inner)
        same = self._copy(self._slices, self._offset, inner.plan or self._inner, count)
        firsts = islice(map(self._first_of, self._slices[1:]), _AHEAD)
        requests = (*islice(inner.requests, _AHEAD), *firsts) if not inner.problem else ()
        return replace(inner, requests=requests, plan=same)

    def _is_full(self, inner: Continuation, count: int) -> bool:
        cap = self._policy.cap
        if cap is None:
            return False
        known = inner.total if inner.total is not None else (count if inner.done else 0)
        return known >= cap

    def _halved(self, number: int, inner: Continuation) -> Continuation:
        halves = halve(self._slices[0], self._policy.least)
        if halves is None:
            full = self._slices[0]
            return replace(
                inner,
                requests=(),
                problem=f"there are more rows between {full.start.isoformat()} and "
                f"{full.end.isoformat()} than the API gives, and the slice cannot be narrower",
            )
        following = self._going_on((*halves, *self._slices[1:]), number, inner)
        return replace(following, drop=True)

    def _going_on(
        self, slices: tuple[Slice, ...], number: int, inner: Continuation
    ) -> Continuation:
        if not slices:
            return replace(inner, requests=(), done=True, plan=None)
        plan = self._copy(slices, number, self._plan(self._ask(slices[0])), 0)
        requests = tuple(islice(map(self._first_of, slices), _AHEAD))
        return replace(inner, requests=requests, done=False, certain=True, plan=plan)

    def _first_of(self, part: Slice) -> Request:
        return self._plan(self._ask(part)).first()

    def _copy(self, slices: tuple[Slice, ...], offset: int, inner: Plan, rows: int) -> SlicePlan:
        plan = SlicePlan.__new__(SlicePlan)
        plan._slices, plan._ask, plan._plan = slices, self._ask, self._plan
        plan._policy, plan._inner = self._policy, inner
        plan._offset, plan._rows = offset, rows
        return plan
