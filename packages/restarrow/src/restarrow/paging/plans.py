"""What a plan is: which requests a list takes, decided from the pages read so far. No IO.

A plan is a value. It tells the first request, and after each page, in page order, what follows.
Requests that are expected are told as far ahead as is known, so that they can be under way at the
same time; but it is the page before that decides whether a page exists. So a list that was read
ahead ends at the very page at which a list that was read one by one would have ended, and what was
fetched beyond is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

from restarrow.types import Page, Request


class EndOfPages(Exception):  # noqa: N818 - nothing went wrong
    """Raised while a page is fetched or decoded: the list ended before it, without an error."""


class Plan(Protocol):
    """Any way through a list. Write one of your own for an API that none of ours fits."""

    def first(self) -> Request:
        """Return the request of the first page."""
        ...

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Tell what follows a page. Asked once for each page, in page order.

        Args:
            page: the page, as it was fetched.
            payload: its decoded body.
            rows: its rows.

        Raises:
            PagingError: the page does not tell what it must; it is not handed out then.
        """
        ...


@dataclass(frozen=True, slots=True)
class Continuation:
    """What follows a page.

    Attributes:
        requests: the requests of the pages that follow, in page order, as far as they are known.
            They may all be fetched at once, and only the first of them must exist.
        done: whether this page is the last one.
        certain: whether all of `requests` will be needed, as far as anyone can tell. Those that are
            not may turn out to be beyond the end.
        plan: the plan to go on with, if it is another one.
        drop: whether the page's rows are not to be handed out: later pages bring them again.
        repeats: whether the same request may rightly be sent again, as it brings other rows.
        begins: whether another list begins behind this page, which may rightly be equal to it.
        problem: what is wrong with the way to the next page; raised after this page.
        total: what the page says about the length of the whole list, in its own unit.
        expected: the number of rows that this page should have, if that is known.
    """

    requests: Sequence[Request] = ()
    done: bool = False
    certain: bool = True
    plan: Plan | None = None
    drop: bool = False
    repeats: bool = False
    begins: bool = False
    problem: str = ""
    total: int | None = None
    expected: int | None = None


#: What follows the last page.
DONE = Continuation(done=True)


class Ahead(Sequence[Request]):
    """The requests of consecutive pages, each written when it is looked at.

    Args:
        make: writes the request of the page with a number.
        start: the number of the first page.
        count: how many pages there are.
    """

    __slots__ = ("_count", "_make", "_start")

    def __init__(self, make: Callable[[int], Request], start: int, count: int) -> None:
        self._make = make
        self._start = start
        self._count = min(max(0, count), sys.maxsize)  # a list may say anything of its length

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Request]: ...
    def __getitem__(self, index: int | slice) -> Request | Sequence[Request]:
        if isinstance(index, slice):
            return [self._make(self._start + at) for at in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(self._start + index % self._count)

    def continues(self, other: Sequence[Request], skip: int) -> bool:
        """Tell whether these are the same requests as others, from the others' `skip`th on."""
        return (
            isinstance(other, Ahead)
            and self._make == other._make
            and self._start == other._start + skip
        )


class SinglePagePlan:
    """One request and no more."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def first(self) -> Request:
        """Return the only request."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Say that this was it."""
        return DONE
