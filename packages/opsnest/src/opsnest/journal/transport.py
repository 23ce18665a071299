"""The page journal for what is read through an SDK: a transport of httpx that keeps its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import httpx

from opsnest.journal.journal import journal_of
from opsnest.journal.refusals import is_refusal
from opsnest.rows import DEEP
from opsnest.secret_scan import holds, mask
from restarrow.dlt.limits import max_body
from restarrow.http.body import Inflater, UnreadableError
from restarrow.nesting import depth_of
from restarrow.types import Request

__all__ = ["JournalTransport"]

_JSON: Final = {"Content-Type": "application/json"}


class JournalTransport(httpx.AsyncBaseTransport):
    """Takes answers from the journal of a load, and keeps those that come.

    Args:
        source: the dlt source, whose journal it is.
        resource: the resource that is read.
        bare: returns a decoded answer without what is known to be secret in it.
        account: whose answers they are, as `account_of` says it.
        keeps_secrets: whether rows are loaded with their secrets, so that no answer is held back.
    """

    def __init__(
        self,
        source: str,
        resource: str,
        bare: Callable[[Any], Any],
        *,
        account: str,
        keeps_secrets: bool = False,
    ) -> None:
        self._source = source
        self._resource = resource
        self._bare = bare
        self._account = account
        self._keeps_secrets = keeps_secrets
        # a client, as a transport alone would not heed the proxies of the environment
        self._client = httpx.AsyncClient(follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request.

        Raises:
            httpx.HTTPError: there is no answer.
        """
        journal = journal_of(self._source)
        if request.method != "GET" and not (journal and journal.replays):
            journal = None
        params = request.url.params
        values = {name: params.get_list(name) for name in params}
        asked = Request(request.method, request.url.path, values)
        if journal and (kept := journal.take(self._account, self._resource, asked)) is not None:
            status: object = kept.more.get("status", 200)
            known = status if isinstance(status, int) and 100 <= status <= 599 else 500
            return httpx.Response(known, headers=_JSON, content=kept.body)
        response = await self._client.send(request, stream=True)
        status = response.status_code
        if journal is None or not (status == 200 or is_refusal(status)):
            return response
        response = await _whole(response)
        bare = self._bare_of(response.content)
        if bare is not None:
            # what is refused now may be allowed when the load goes on
            more = {"status": status} if status != 200 else None
            if not self._keeps_secrets and holds(bare):
                bare, more = mask(bare), {"status": status}
            body = json.dumps(bare, separators=(",", ":")).encode()
            journal.keep(self._account, self._resource, asked, body, more)
        return response

    def _bare_of(self, body: bytes) -> Any:
        """Return what may be kept of an answer; None if it is no JSON, or too deep to look into."""
        try:
            payload = json.loads(body)
            return self._bare(payload) if depth_of(payload) <= DEEP else None
        except (ValueError, RecursionError):
            return None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _whole(response: httpx.Response) -> httpx.Response:
    """Return an answer whose body was read, and decompressed within bounds.

    Raises:
        httpx.DecodingError: it has too many bytes, or cannot be decompressed.
    """
    headers = response.headers.copy()
    try:
        inflater = Inflater(headers.pop("content-encoding", ""), max_body())
        async for part in response.aiter_raw():
            inflater.take(part)
        body = inflater.body()
    except UnreadableError as error:
        what = f"the body {error.what}"
        raise httpx.DecodingError(what, request=response.request) from None
    finally:
        await response.aclose()
    for name in ("content-length", "transfer-encoding"):
        headers.pop(name, None)
    return httpx.Response(
        response.status_code, headers=headers, content=body, request=response.request
    )
