"""The one module that knows httpx: requests to the API with the key, to signed URLs without it."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httpx

from roost._constants import MOST_BYTES
from roost._errors import RoostTransportError
from roost._hooks import redacted, shown_url
from roost._inflating import ENCODINGS, Inflater

__all__ = ["Answer", "FutileError", "NotSentError", "Sender", "Stream", "tls_context"]


@dataclass(slots=True)
class Answer:
    """A whole answer: status, headers by lower-case name, body, and seconds that it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    elapsed_s: float


class NotSentError(RoostTransportError):
    """There was no connection, so the server cannot have got the request."""


class FutileError(RoostTransportError):
    """The request itself is at fault, or the answer is beyond all bounds: it would fail again."""


class _WithoutSignatures(logging.Filter):
    """Takes the signatures out of what httpx logs: it tells every URL with its query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(map(_unsigned, record.args))
        return True


def _unsigned(value: object) -> object:
    is_signed = isinstance(value, httpx.URL) and b"sig" in value.query.lower()
    return shown_url(str(value)) if is_signed else value


logging.getLogger("httpx").addFilter(_WithoutSignatures())

#: What httpx refuses to send, whoever is at the other end.
_FUTILE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Sender:
    """An `httpx.AsyncClient` that has no credentials of its own: each request brings its headers.

    Args:
        transport: what all requests go through; None is httpx's own, which heeds the proxies of the
            environment.
        timeout_s: seconds that each step of a request may take.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=timeout_s,
            headers={"accept-encoding": ENCODINGS},
            follow_redirects=False,  # a redirect could take the key elsewhere
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        )
        self._timeout_s = timeout_s
        self.has_transport: bool = transport is not None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | AsyncIterable[bytes] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send a request and read the whole answer.

        Raises:
            RoostTransportError: there is none; `NotSentError` if the request cannot have arrived.
        """
        began = time.perf_counter()
        async with self._opened(method, url, headers, content, timeout_s, None) as response:
            body = await Stream(response, method, url, 0.0).read()
            seconds = time.perf_counter() - began
            return Answer(response.status_code, _lower(response.headers), body, seconds)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        timeout_s: float | None = None,
        silence_s: float | None = None,
    ) -> AsyncGenerator[Stream, None]:
        """Send a request, and give the answer before its body has come.

        Args:
            method: the request's method.
            url: where it goes.
            headers: all of its headers.
            content: its body.
            timeout_s: seconds that each step may take.
            silence_s: seconds that may pass without a byte of the body.

        Raises:
            RoostTransportError: there is no answer, or it breaks off.
        """
        began = time.perf_counter()
        async with self._opened(method, url, headers, content, timeout_s, silence_s) as response:
            yield Stream(response, method, url, time.perf_counter() - began)

    @asynccontextmanager
    async def _opened(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | AsyncIterable[bytes] | None,
        timeout_s: float | None,
        silence_s: float | None,
    ) -> AsyncGenerator[httpx.Response, None]:
        seconds = self._timeout_s if timeout_s is None else timeout_s
        timeout = httpx.Timeout(seconds, read=seconds if silence_s is None else silence_s)
        request = self._client.build_request(
            method, url, headers=dict(headers), content=content, timeout=timeout
        )
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            what = _what(error)
            raise NotSentError(what, method=method, url=shown_url(url)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error, method, url) from error
        try:
            yield response
        finally:
            await response.aclose()


class Stream:
    """An answer whose body is still coming.

    Attributes:
        status: its HTTP status.
        headers: its headers, by lower-case name.
        elapsed_s: seconds until it began.
    """

    def __init__(self, response: httpx.Response, method: str, url: str, elapsed_s: float) -> None:
        self._response = response
        self._method = method
        self._url = url
        self.elapsed_s = elapsed_s
        self.status = response.status_code
        self.headers = _lower(response.headers)

    async def read(self) -> bytes:
        """Return all of the body.

        Raises:
            RoostTransportError: it breaks off, or is larger than any answer of the API.
        """
        parts: list[bytes] = []
        size = 0
        async with aclosing(self.chunks()) as pieces:
            async for piece in pieces:
                parts.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    what = f"has more than {MOST_BYTES:,} bytes"
                    raise self._futile(what)
        return b"".join(parts)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, decompressed, in pieces of bounded size.

        Raises:
            RoostTransportError: it breaks off, or cannot be decompressed.
        """
        response = self._response
        # what a transport of the caller's had in one piece, httpx has decompressed already
        done = response.is_stream_consumed
        encoding = "" if done else response.headers.get("content-encoding", "")
        try:
            inflater = Inflater(encoding)
        except ValueError as error:
            raise self._futile(str(error)) from None
        raw = response.aiter_bytes() if done else response.aiter_raw()
        try:
            pieces = cast(AsyncGenerator[bytes, None], raw)
            async with aclosing(pieces):
                async for piece in pieces:
                    for part in inflater.feed(piece):
                        yield part
            inflater.close()
        except httpx.HTTPError as error:
            raise _failure(error, self._method, self._url) from error
        except ValueError as error:
            what = f"the body {error}"
            raise RoostTransportError(what, method=self._method, url=shown_url(self._url)) from None

    def _futile(self, what: str) -> FutileError:
        what = f"the body {what}"
        return FutileError(what, method=self._method, url=shown_url(self._url))


def tls_context() -> ssl.SSLContext:
    """Return what connections are proven with: the same authorities that httpx trusts."""
    return httpx.create_ssl_context()


def _failure(
    error: httpx.HTTPError | httpx.InvalidURL, method: str, url: str
) -> RoostTransportError:
    kind = FutileError if isinstance(error, _FUTILE) else RoostTransportError
    return kind(_what(error), method=method, url=shown_url(url))


def _what(error: Exception) -> str:
    kind = type(error).__name__
    return redacted(f"{kind}: {error}" if str(error) else kind)


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
