"""Reading a list: the plan says what to ask, the window fetches it, the pages come in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from restarrow.errors import PagingError
from restarrow.paging.drift import DriftAudit
from restarrow.paging.guard import LoopGuard, LoopPolicy
from restarrow.paging.plans import EndOfPages, Plan
from restarrow.paging.window import Fetch, Window, WindowPolicy
from restarrow.types import Page


@dataclass(frozen=True, slots=True)
class DecodedPage:
    """One page of a list, as the caller gets it.

    Attributes:
        number: its place in the list, from 0.
        page: the answer.
        payload: what `decode` made of it.
        rows: what `select` found in it.
        last: whether the list ends with it.
        again: whether it was read before, and comes again because the list moved meanwhile.
    """

    number: int
    page: Page
    payload: Any
    rows: Sequence[Any]
    last: bool = False
    again: bool = False


def read_pages(
    fetch: Fetch,
    plan: Plan,
    *,
    decode: Callable[[Page], Any],
    select: Callable[[Any], Sequence[Any]],
    policy: WindowPolicy | None = None,
    throttled: Callable[[], int] | None = None,
    abort: Callable[[], None] | None = None,
    audit: DriftAudit | None = None,
) -> Generator[DecodedPage, None, None]:
    """Read a list, strictly in page order.

    `decode`, `select` and the plan are called in the caller's thread, in page order; only `fetch`
    is called from others. What follows a page is on its way when the page is handed out. Whenever
    the reading ends, by itself, by an error or because the caller closes it, requests that are
    under way are dropped and the threads end.

    Args:
        fetch: fetches one page, from several threads at once: `client.fetch`.
        plan: which pages there are.
        decode: reads the body; what it returns is what paths are looked up in.
        select: finds the rows in what was decoded.
        policy: how far to read ahead.
        throttled: tells how often the API has asked for fewer requests so far, such as
            `lambda: client.counts.limited`; the window shrinks when it grows.
        abort: makes fetches return at once when the reading ends early, such as `client.close` if
            nobody else uses the client.
        audit: watches for a list that moves while it is read.

    Yields:
        The pages, each as soon as it and all before it are there.

    Raises:
        PagingError: the list does not end, or a page does not tell what it must. The pages before
            it have been handed out.
        Exception: whatever `fetch`, `decode` or `select` raised for a page, after all pages before
            it have been handed out. An `EndOfPages` ends the list without an error.
    """
    policy = policy or WindowPolicy()
    window = Window(fetch, policy, throttled)
    early = True
    try:
        plan = yield from _in_order(window, plan, decode, select, policy.loops, audit)
        if audit is not None:
            yield from _again(window, plan, decode, select, audit)
        early = False
    finally:
        window.close(abort if early else None)


def _in_order(
    window: Window,
    plan: Plan,
    decode: Callable[[Page], Any],
    select: Callable[[Any], Sequence[Any]],
    loops: LoopPolicy,
    audit: DriftAudit | None,
) -> Generator[DecodedPage, None, Plan]:
    """Hand out the pages, and return the plan that led through them in the end."""
    guard = LoopGuard(loops)
    number, done = 0, False
    window.expect(0, (plan.first(),))
    while not done:
        job = window.take(number)
        try:
            page = job.numbered()
            payload = decode(page)
        except EndOfPages:
            return plan
        rows = select(payload)
        following = plan.after(page, payload, rows)
        plan = following.plan or plan
        if audit is not None and not following.drop:
            audit.saw(page, rows, job.order, following)
        problem = following.problem or guard.problem(page, rows, following)
        done = following.done or not following.requests
        coming = () if done or problem else following.requests
        window.expect(number + 1, coming, certain=following.certain)
        if not following.drop:
            yield DecodedPage(number, page, payload, rows, last=done and not problem)
        if problem:
            raise PagingError(problem, path=page.request.path.partition("?")[0], page=number)
        number += 1
    return plan


def _again(
    window: Window,
    plan: Plan,
    decode: Callable[[Page], Any],
    select: Callable[[Any], Sequence[Any]],
    audit: DriftAudit,
) -> Iterator[DecodedPage]:
    """Read torn pages again, until they fit or the audit gives up."""
    head = 0
    while torn := audit.next_round():
        requests = [fact.request for fact in torn]
        for at, fact in enumerate(torn):
            window.expect(head + at, requests[at:])
            job = window.take(head + at)
            page = replace(job.numbered(), number=fact.number)
            payload = decode(page)
            rows = select(payload)
            audit.saw(page, rows, job.order, plan.after(page, payload, rows))
            yield DecodedPage(fact.number, page, payload, rows, again=True)
        head += len(torn)
    audit.finish()
