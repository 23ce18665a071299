"""Several lists as one, each behind the other, and read ahead of it. No IO.

For lists of which there are many, such as the children of each row of another list, or the slices
of time of a long one. Each is read by a plan of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from restarrow.paging.plans import Continuation, Plan
from restarrow.types import Page, Request

#: How many lists ahead are told: more than any window takes.
_AHEAD = 64


class ChainPlan:
    """Reads list after list, in the order in which they are given.

    Args:
        plans: the plans of the lists; at least one.
        note: told the place of a page's list, just before the page is handed out.
    """

    def __init__(self, plans: Sequence[Plan], *, note: Callable[[int], None] | None = None) -> None:
        self._plans = plans
        self._note = note
        self._at = 0
        self._inner = plans[0]
        self._offset = 0

    def first(self) -> Request:
        """Return the first request of the first list."""
        return self._inner.first()

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Tell what follows in the list, and the lists that follow it.

        Raises:
            PagingError: the plan of the list cannot go on.
        """
        if self._note is not None:
            self._note(self._at)
        inner = self._inner.after(replace(page, number=page.number - self._offset), payload, rows)
        following = range(self._at + 1, len(self._plans))
        if inner.done or not (inner.requests or inner.problem):
            if not following:
                return replace(inner, requests=(), done=True, plan=None)
            plan = self._copy(following[0], page.number + 1, self._plans[following[0]])
            firsts = tuple(islice((self._plans[at].first() for at in following), _AHEAD))
            return replace(inner, requests=firsts, done=False, certain=True, plan=plan, begins=True)
        firsts = tuple(islice((self._plans[at].first() for at in following), _AHEAD))
        plan = self._copy(self._at, self._offset, inner.plan or self._inner)
        requests = (*islice(inner.requests, _AHEAD), *firsts) if not inner.problem else ()
        return replace(inner, requests=requests, plan=plan)

    def _copy(self, at: int, offset: int, inner: Plan) -> ChainPlan:
        plan = ChainPlan.__new__(ChainPlan)
        plan._plans, plan._note = self._plans, self._note
        plan._at, plan._offset, plan._inner = at, offset, inner
        return plan
