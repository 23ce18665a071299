"""Bodies to and from signed URLs, by threads: several times the speed of an async client.

How it works. Each thread keeps a connection of the standard library's to each host, and sends the
pieces that it is given, without a copy. Ending all of it from outside shuts the sockets down, which
wakes the threads that wait on them. Nothing is sent but the headers that are given: the key has no
way here. Proxies are none of its business: where one is configured, it is not used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from roost._errors import RoostTransportError
from roost._hooks import redacted, shown_url
from roost._transport import Answer

__all__ = ["Body", "DirectSender", "is_proxied"]

#: Bytes of an answer that refuses, as far as they are read.
_MOST_OF_REFUSAL = 64 * 1024

_Connection = http.client.HTTPConnection


def is_proxied(url: str) -> bool:
    """Tell whether the environment has a proxy for a URL."""
    parts = urlsplit(url)
    proxies = getproxies()
    known = proxies.get(parts.scheme) or proxies.get("all")
    return bool(known) and not proxy_bypass(parts.hostname or "")


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent.

    Attributes:
        size: bytes.
        pieces: begins anew each time, and gives the bytes in pieces, each of which is to be sent
            within the timeout. If it fails in the middle, so does the request: the server gets
            less than it was promised.
    """

    size: int
    pieces: Callable[[], Iterable[memoryview]]


class DirectSender:
    """Sends requests to signed URLs from threads.

    Args:
        timeout_s: seconds that each step may take.
        context: makes the TLS context, when the first one is needed.
    """

    def __init__(self, timeout_s: float, context: Callable[[], ssl.SSLContext]) -> None:
        self._timeout_s = timeout_s
        self._make_context = context
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._own = threading.local()
        self._all: set[_Connection] = set()
        self._stopped = False

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        *,
        most: int = _MOST_OF_REFUSAL,
    ) -> Answer:
        """Send a request and read the answer.

        A connection that the server has closed in the meantime is made anew, once.

        Args:
            method: how.
            url: the signed URL.
            headers: all headers, beside `Host` and `Content-Length`.
            body: what is sent.
            most: bytes of the answer that are read; if there are more, it is cut off.

        Raises:
            RoostTransportError: no answer.
            Exception: what the body's pieces raise.
        """
        began = time.perf_counter()
        parts = urlsplit(url)
        try:
            connection, is_new = self._connection(parts)
            try:
                answer = self._sent(connection, method, parts, headers, body, most, began)
            except (ConnectionError, http.client.BadStatusLine):
                self._drop(parts, connection)
                if is_new or self._stopped:
                    raise
                connection, _ = self._connection(parts)
                answer = self._sent(connection, method, parts, headers, body, most, began)
        except (OSError, http.client.HTTPException) as error:
            self._drop_kept(parts)
            # what is wrong with a URL is told with the URL, whose query is a signature
            said = "" if isinstance(error, http.client.InvalidURL) else f": {error}"
            what = redacted(f"{type(error).__name__}{said}")
            raise RoostTransportError(what, method=method, url=shown_url(url)) from error
        except BaseException:
            self._drop_kept(parts)  # the body broke off: what is sent next would be taken for it
            raise
        return answer

    def stop(self) -> None:
        """End all requests at once. The sender is of no use any more."""
        with self._lock:
            self._stopped = True
            for connection in self._all:
                sock: socket.socket | None = connection.sock
                if sock is not None:
                    with suppress(OSError):
                        # not the method of an SSL socket: its thread may be using it still
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections, when no thread uses them any more."""
        self.stop()
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def _kept(self) -> dict[tuple[str, str], _Connection]:
        try:
            kept: dict[tuple[str, str], _Connection] = self._own.kept
        except AttributeError:
            kept = self._own.kept = {}
        return kept

    def _connection(self, parts: SplitResult) -> tuple[_Connection, bool]:
        """Return this thread's connection to a host, and whether it is new."""
        kept = self._kept()
        key = parts.scheme, parts.netloc
        if (found := kept.get(key)) is not None:
            return found, False
        host = parts.hostname or ""
        if parts.scheme == "https":
            made: _Connection = http.client.HTTPSConnection(
                host, parts.port, timeout=self._timeout_s, context=self._tls()
            )
        else:
            made = _Connection(host, parts.port, timeout=self._timeout_s)
        made.connect()
        with self._lock:
            if not self._stopped:
                self._all.add(made)
                kept[key] = made
                return made, True
        made.close()
        msg = "all transfers were ended"
        raise ConnectionAbortedError(msg)

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._make_context()
            return self._context

    def _drop(self, parts: SplitResult, connection: _Connection) -> None:
        self._kept().pop((parts.scheme, parts.netloc), None)
        with self._lock:  # so that nobody shuts a number down that is another socket's by then
            self._all.discard(connection)
            connection.close()

    def _drop_kept(self, parts: SplitResult) -> None:
        if (kept := self._kept().get((parts.scheme, parts.netloc))) is not None:
            self._drop(parts, kept)

    def _sent(
        self,
        connection: _Connection,
        method: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        body: Body | None,
        most: int,
        began: float,
    ) -> Answer:
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        sent = dict(headers)
        if body is not None:
            sent["content-length"] = str(body.size)
        pieces = body.pieces() if body is not None and body.size else None
        cut: ConnectionError | None = None
        try:
            connection.request(method, target, pieces, sent)
        except (BrokenPipeError, ConnectionResetError) as error:
            # who refuses a large body may answer and close before it has come: that answer counts
            cut = error
        if cut is not None and self._stopped:
            raise cut
        response = connection.getresponse()
        if cut is not None and response.status < 300:
            raise cut  # it has not got what it says that it has taken
        content = response.read(most)
        if response.length and len(content) < most:
            raise http.client.IncompleteRead(content, response.length)
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            content,
            time.perf_counter() - began,
        )
        if not response.isclosed() or response.will_close:
            self._drop(parts, connection)
        return answer
