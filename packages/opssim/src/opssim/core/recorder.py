"""The log of requests that a simulator has answered, without anybody's credentials."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Headers and query parameters whose values are nobody's business.
_CREDENTIALS = frozenset({"authorization", "x-authorization", "cookie", "token"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One answered request. `status` is 0 when the connection was closed without an answer."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int


class RequestLog:
    """The requests so far, oldest first. Safe to read while the server runs."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def __bool__(self) -> bool:
        return True

    def add(self, seen: Seen) -> None:
        """Note one request."""
        with self._lock:
            self._seen.append(seen)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._seen.clear()

    def all(self, path: str | None = None) -> list[Seen]:
        """Return the requests, or those to exactly this path."""
        with self._lock:
            return [seen for seen in self._seen if path is None or seen.path == path]

    def statuses(self, path: str | None = None) -> Counter[int]:
        """Count the answers by status."""
        return Counter(seen.status for seen in self.all(path))


class RecorderMiddleware:
    """Note every request with the status it was answered with."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted = False

        def note(status: int) -> None:
            nonlocal noted
            noted = True
            headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
            }
            query = dict(QueryParams(scope["query_string"]))
            for kept in (headers, query):
                for name in _CREDENTIALS & kept.keys():
                    kept[name] = "<not kept>"
            self._log.add(
                Seen(
                    method=scope["method"],
                    path=scope["path"],
                    query=query,
                    headers=headers,
                    status=status,
                )
            )

        async def send_noting(message: Message) -> None:
            # before the client can have the answer, so that it finds its request in the log
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            if not noted:
                note(0)
