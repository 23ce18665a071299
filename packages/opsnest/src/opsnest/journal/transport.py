"""The page journal for what is read through an SDK: a transport of httpx that keeps its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import httpx

from opsnest.journal.journal import journal_of
from opsnest.secret_scan import holds
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
        journal = journal_of(self._source) if request.method == "GET" else None
        params = request.url.params
        values = {name: params.get_list(name) for name in params}
        asked = Request(request.method, request.url.path, values)
        if journal and (kept := journal.take(self._account, self._resource, asked)) is not None:
            return httpx.Response(200, headers=_JSON, content=kept)
        response = await self._client.send(request, stream=True)
        if journal is None or response.status_code != 200:
            return response
        body = await response.aread()
        if (kept := self._worth_keeping(body)) is not None:
            journal.keep(self._account, self._resource, asked, kept)
        return response

    def _worth_keeping(self, body: bytes) -> bytes | None:
        """Return what is to be kept of an answer; None if that is nothing."""
        try:
            payload = self._bare(json.loads(body))
        except ValueError:  # it is no JSON: the SDK will say so
            return None
        if not self._keeps_secrets and holds(payload):
            return None
        return json.dumps(payload, separators=(",", ":")).encode()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
