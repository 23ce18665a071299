"""For tests of code that uses this package: a transport that answers as it is told.

transport = RecordedTransport(answer({"sites": []}))
async with Roost(token="owk_test_x", transport=transport) as client:
    assert await client.sites.list() == []
assert transport.last.target == "/api/sites"
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx

__all__ = ["Asked", "Pieces", "RecordedTransport", "Reply", "answer", "refusal"]

#: What a request gets: an answer, a failure of the network, or what makes one of the request.
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass(slots=True)
class Asked:
    """A request as it was sent.

    Attributes:
        method: its method.
        target: its path and query, percent-encoded as they were.
        headers: its headers.
        body: its body: decoded if it is JSON, else bytes; None if it is empty.
        url: the whole URL.
    """

    method: str
    target: str
    headers: httpx.Headers
    body: Any
    url: httpx.URL


class RecordedTransport(httpx.AsyncBaseTransport):
    """Answers one request after the other, the last answer as often as need be.

    Args:
        replies: what requests get, in turn; `{}` if there are none.

    Attributes:
        asked: the requests so far.
        is_closed: whether the client has closed it.
    """

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies) or [answer({})]
        self.asked: list[Asked] = []
        self.is_closed: bool = False

    @property
    def last(self) -> Asked:
        """The latest request."""
        return self.asked[-1]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep a request, and answer it."""
        content = await request.aread()
        target = request.url.raw_path.decode()
        self.asked.append(
            Asked(request.method, target, request.headers, _body(content), request.url)
        )
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            return reply
        return reply(request)

    async def aclose(self) -> None:
        """Take note that nothing more will be asked."""
        self.is_closed = True


class Pieces(httpx.AsyncByteStream):
    """The body of an answer that comes in pieces, and may break.

    Args:
        pieces: what comes; an exception is raised in its place.

    Attributes:
        is_closed: whether the client has closed it.
    """

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.is_closed: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        """Take note that nothing more is wanted."""
        self.is_closed = True


def answer(
    data: Any = None, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """Return what makes answers of JSON; without a body if there are no data."""
    content = b"" if data is None else json.dumps(data).encode()
    return lambda _: httpx.Response(status, content=content, headers=headers)


def refusal(
    status: int, code: str | None = None, *, headers: dict[str, str] | None = None, **more: Any
) -> Callable[[httpx.Request], httpx.Response]:
    """Return what makes answers that refuse, with a problem document (RFC 7807).

    Args:
        status: the HTTP status.
        code: the stable name of what is wrong.
        headers: headers of the answer.
        more: more members of the problem, such as `detail` or `retryAfter`.
    """
    problem = {"title": f"HTTP {status}", "status": status, **more}
    if code is not None:
        problem["code"] = code
    every = {"content-type": "application/problem+json", **(headers or {})}
    return lambda _: httpx.Response(status, json=problem, headers=every)


def _body(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content
