"""Ask one API for pages, several at once, with answers checked before anybody sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from opsnest.answers import checker
from opsnest.errors import AnswerError
from opsnest.http import ApiSession
from opsnest.journal import Keeping, journal_of
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
            journal = journal_of(self.source) if keeping and not plain else None
            if (
                journal
                and (kept := journal.take(self._session.account, resource, request)) is not None
            ):
                look(kept)
                return _kept(request, number, kept)
            answer = self._fetch(request, number, check)
            bare = answer.body
            if keeping and not answer.refusal:
                bare = keeping.bare(answer.payload, bare)
            may_hold = look(bare)
            # what only looks like a secret is kept; what is one is asked for again
            if (
                journal
                and keeping
                and not answer.refusal
                and not (may_hold and keeping.holds(bare))
            ):
                journal.keep(self._session.account, resource, request, bare)
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


def _kept(request: Request, number: int, body: bytes) -> Answer:
    """Return an answer that an earlier run was given."""
    return Answer(
        number=number,
        request=request,
        url=request.path,
        status=200,
        headers=Headers(),
        body=body,
        payload=json.loads(body) if body else None,
    )


def _payload(page: Page) -> Any:
    return page.payload if isinstance(page, Answer) else None
