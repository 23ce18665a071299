"""Ask one API for pages, several at once, with answers checked before anybody sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from opsnest.answers import checker
from opsnest.errors import AnswerError, ReplayError, SourceError
from opsnest.http import ApiSession
from opsnest.journal import Keeping, Kept, journal_of
from opsnest.journal.refusals import error_told, is_refusal, told
from restarrow.errors import PagingError
from restarrow.paging import DecodedPage, Plan, WindowPolicy, read_pages
from restarrow.types import Headers, Page, Request

__all__ = ["Answer", "Api"]

#: Requests of one list at once. Lists are read beside each other, so there may be more in all.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Answer(Page):
    """A page and what is in it.

    Attributes:
        payload: its decoded JSON.
        refusal: the error that it is, where the request accepts it.
    """

    payload: Any = field(default=None, repr=False)
    refusal: AnswerError | None = None


class Api:
    """One API, with a key.

    Args:
        session: what to ask with; it has the credentials.
        base_url: what paths are below.
        source: the dlt source, for messages.
        advice: what to do next, by status, for messages.
    """

    def __init__(
        self, session: ApiSession, base_url: str, *, source: str, advice: Mapping[int, str]
    ) -> None:
        self.source = source
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._advice = advice

    def pages(
        self,
        plan: Plan,
        *,
        resource: str,
        rows: Callable[[Any], list[Any]],
        holds: Sequence[str] = (),
        plain: bool = False,
        keeping: Keeping | None = None,
        look: Callable[[bytes], bool] = lambda _: False,
    ) -> Iterator[DecodedPage]:
        """Yield the pages that a plan leads through, in their order.

        Args:
            plan: the plan.
            resource: the resource that it is for, for messages.
            rows: finds the rows in an answer.
            holds: names of which an answer has one, or it is none of this API.
            plain: whether an answer may be text instead of JSON.
            keeping: takes out of answers what may not be kept; without, none is kept.
            look: looks at each answer, and tells whether it may hold a secret.

        Raises:
            SourceError: an answer is an error, or not what it should be.
        """
        check = checker(self.source, resource, self._advice, holds=holds, plain=plain)

        def fetch(request: Request, number: int) -> Page:
            pages = journal_of(self.source)
            if pages and not pages.replays and (plain or not keeping):
                pages = None
            if pages and (kept := pages.take(self._session.account, resource, request)):
                look(kept.body)
                return _kept(request, number, kept)
            try:
                answer = self._fetch(request, number, check)
            except SourceError as error:
                if pages and is_refusal(error.status):
                    pages.keep(self._session.account, resource, request, b"", told(error))
                raise
            bare = answer.body
            if keeping and not answer.refusal:
                bare = keeping.bare(answer.payload, bare)
            may_hold = look(bare)
            if pages and keeping:
                for body, more in _worth_keeping(answer, bare, keeping, may_hold=may_hold):
                    pages.keep(self._session.account, resource, request, body, more)
            return answer

        try:
            yield from read_pages(
                fetch,
                plan,
                decode=_payload,
                select=rows,
                policy=WindowPolicy(most=_AT_ONCE, initial=_AT_ONCE, speculate=False),
            )
        except PagingError as error:
            raise AnswerError(
                source=self.source,
                resource=resource,
                method=plan.first().method,
                path=error.path or "",
                problem=str(error),
                advice="The API has changed, or something caches its answers: please report it "
                "with this message.",
            ) from error

    def _fetch(
        self, request: Request, number: int, check: Callable[[requests.Response], None]
    ) -> Answer:
        response = self._session.request(
            request.method,
            f"{self._base_url}/{request.path.lstrip('/')}",
            params=dict(request.params),
            json=request.json,
            headers=dict(request.headers),
        )
        refusal: AnswerError | None = None
        try:
            check(response)
        except AnswerError as error:
            if response.status_code not in request.accept:
                raise
            refusal = error
        return Answer(
            number=number,
            request=request,
            url=response.url.partition("?")[0],
            status=response.status_code,
            headers=Headers(response.headers),
            body=response.content,
            payload=response.json() if response.content and not refusal else None,
            refusal=refusal,
        )


def _worth_keeping(
    answer: Answer, bare: bytes, keeping: Keeping, *, may_hold: bool
) -> Iterator[tuple[bytes, Mapping[str, Any] | None]]:
    """Yield what is to be kept of an answer, and what else is known of it."""
    if answer.refusal:
        yield b"", told(answer.refusal)
    # what only looks like a secret is kept; what is one is asked for again
    elif not (may_hold and keeping.holds(bare)):
        yield bare, None
    elif not keeping.holds(masked := keeping.masked(bare)):
        yield masked, {}


def _kept(request: Request, number: int, kept: Kept) -> Answer:
    """Return an answer that an earlier run was given.

    Raises:
        SourceError: it was refused.
        ReplayError: it is no JSON, or a refusal that we do not know.
    """
    error = error_told(kept.more) if kept.more else None
    if error and error.status not in request.accept:
        raise error
    try:
        payload: Any = json.loads(kept.body) if kept.body else None
    except (ValueError, RecursionError) as fault:
        message = (
            f"the page journal has an answer to {request.method} {request.path} that is no JSON.\n"
            "  Load it from the API instead: opsnest load."
        )
        raise ReplayError(message) from fault
    return Answer(
        number=number,
        request=request,
        url=request.path,
        status=200,
        headers=Headers(),
        body=kept.body,
        payload=payload,
        refusal=error if isinstance(error, AnswerError) else None,
    )


def _payload(page: Page) -> Any:
    return page.payload if isinstance(page, Answer) else None
