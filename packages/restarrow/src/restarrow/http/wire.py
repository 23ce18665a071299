"""The wire: sends one request once. The only module that knows httpx.

How it works. One `httpx.Client` is shared by all threads. Its transport adds the credentials just
before a request leaves, so that neither httpx's own log nor the requests that its exceptions hold
ever have them. Bodies are read in parts, decompressed within bounds, and given up when they
become too large. The sockets are known, so that closing wakes threads that are blocked in them.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakSet

import httpx

from restarrow.errors import ConfigurationError
from restarrow.http.auth import Credentials
from restarrow.http.body import Inflater, UnreadableError, too_large
from restarrow.http.urls import encode_params
from restarrow.types import Headers

#: As much of a refusing answer is read.
_EXCERPT: Final = 65_536
_CREDENTIALS: Final = "restarrow.credentials"
#: Seconds that an idle connection is kept; servers end theirs after 5 seconds or more.
_IDLE: Final = 15.0
_CONNECTED: Final = ("connect_tcp.complete", "start_tls.complete")


class LostError(Exception):
    """No answer. `cut` if a connection was lost that had been there."""

    def __init__(self, what: str, *, cut: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cut = cut


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions:
    """How to connect.

    Attributes:
        timeout: seconds to wait for a connection, and for each part of an answer.
        body_seconds: seconds within which a whole body must have arrived.
        max_body: bytes that a body may have, after decompression.
        connections: how many connections may be open at a time.
        verify: whether to check certificates, or the file of those to trust, or a context.
        trust_env: whether the environment may name proxies and trusted certificates. It never
            names credentials: those of a proxy go to the proxy, and .netrc is not read.
    """

    timeout: float = 60.0
    body_seconds: float = 600.0
    max_body: int = 256 * 1024 * 1024
    connections: int = 64
    verify: bool | str | ssl.SSLContext = True
    trust_env: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to be sent.

    Attributes:
        method: the HTTP method.
        url: the whole URL, as it is to be written, without credentials.
        headers: all headers but those of the credentials.
        content: the body.
        credentials: what is added when it is sent.
        wanted: the statuses beside 2xx whose body is wanted whole.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None
    credentials: Credentials | None = field(default=None, repr=False)
    wanted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. The body of a refusal may be cut short."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)


class Wire:
    """Sends requests, from any thread, until it is closed."""

    def __init__(self, options: WireOptions) -> None:
        self._options = options
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._client = httpx.Client(
            transport=_SigningTransport(options),
            timeout=httpx.Timeout(options.timeout),
            follow_redirects=False,
            trust_env=False,
        )
        self._client.headers.clear()

    def send(self, call: Call) -> Answer:
        """Send a request once.

        Raises:
            LostError: there was no answer.
            UnreadableError: there was one whose body cannot be read.
            ConfigurationError: the request cannot be written down as HTTP.
        """
        failure: Exception
        # nothing is raised inside a handler: httpx's exceptions hold the request, and what is
        # raised there would hold them
        try:
            return self._send(call)
        except httpx.TimeoutException as error:
            failure = LostError(f"no answer within {self._options.timeout:g} seconds{_why(error)}")
        except (httpx.LocalProtocolError, httpx.InvalidURL, httpx.UnsupportedProtocol):
            # its message could quote a header
            failure = ConfigurationError("the request has a URL or a header that HTTP cannot carry")
        except httpx.TransportError as error:
            cut = not isinstance(error, httpx.ConnectError | httpx.ProxyError)
            failure = LostError(_lost(error, cut=cut), cut=cut)
        except (OSError, RuntimeError):
            if not self._closed:
                raise
            failure = LostError("the client was closed")
        raise failure

    def close(self) -> None:
        """Close all connections, and wake the threads that are blocked in them."""
        with self._lock:
            self._closed = True
            sockets = list(self._sockets)
        for each in sockets:
            _wake(each)
        with suppress(RuntimeError, OSError):
            self._client.close()

    def _send(self, call: Call) -> Answer:
        request = self._client.build_request(
            call.method,
            call.url,
            headers=dict(call.headers),
            content=call.content,
            extensions={_CREDENTIALS: call.credentials, "trace": self._trace},
        )
        response = self._client.send(request, stream=True)
        try:
            headers = Headers(response.headers.multi_items())
            status = response.status_code
            if 200 <= status <= 299 or status in call.wanted:
                body = self._whole(response, headers)
            else:
                body = self._excerpt(response, headers)
            return Answer(status, headers, body)
        finally:
            response.close()

    def _whole(self, response: httpx.Response, headers: Headers) -> bytes:
        limit = self._options.max_body
        told = headers.get("content-length", "")
        if told.isdecimal() and int(told) > limit:
            raise UnreadableError(too_large(limit, told), "too large")
        inflater = Inflater(headers.get("content-encoding", ""), limit)
        self._fill(inflater, response, told)
        return inflater.body()

    def _excerpt(self, response: httpx.Response, headers: Headers) -> bytes:
        """Read the beginning of a refusal, as far as that works."""
        try:
            inflater = Inflater(headers.get("content-encoding", ""), _EXCERPT)
        except UnreadableError:
            return b""
        with suppress(UnreadableError, LostError):
            self._fill(inflater, response, "")
        return inflater.so_far()[:_EXCERPT]

    def _fill(self, inflater: Inflater, response: httpx.Response, told: str) -> None:
        deadline = time.monotonic() + self._options.body_seconds
        failure: Exception
        try:
            for part in response.iter_raw():
                inflater.take(part)
                if time.monotonic() > deadline:
                    seconds = self._options.body_seconds
                    what = f"the body is not complete after {seconds:g} seconds"
                    failure = LostError(f"{what}: ask for smaller pages")
                    break
            else:
                return
        except httpx.TimeoutException:
            what = f"the body stopped for {self._options.timeout:g} seconds"
            failure = LostError(f"{what}, after {response.num_bytes_downloaded:,} bytes")
        except (httpx.RemoteProtocolError, httpx.NetworkError):
            received = response.num_bytes_downloaded
            of = f" of {int(told):,}" if told.isdecimal() else ""
            what = f"ends after {received:,}{of} bytes: the connection was cut"
            failure = UnreadableError(what, "truncated", received)
        raise failure

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Remember the sockets that connections are made of."""
        if not event.endswith(_CONNECTED):
            return
        opened = info["return_value"].get_extra_info("socket")
        if isinstance(opened, socket.socket):
            with self._lock:
                self._sockets.add(opened)
                closed = self._closed
            if closed:
                _wake(opened)


class _SigningTransport(httpx.BaseTransport):
    """Adds the credentials to a request, and sends it over the way that its host needs."""

    def __init__(self, options: WireOptions) -> None:
        self._options = options
        self._verify = _verify(options)
        self._lock = threading.Lock()
        self._ways: dict[tuple[str, str], httpx.HTTPTransport] = {}
        self._by_proxy: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        credentials: Credentials | None = request.extensions.get(_CREDENTIALS)
        if credentials is not None:
            request = _signed(request, credentials)
        return self._way(request.url).handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in list(self._by_proxy.values()):
            transport.close()

    def _way(self, url: httpx.URL) -> httpx.HTTPTransport:
        key = (url.scheme, url.host)
        with self._lock:
            if key not in self._ways:
                proxy = _proxy(*key) if self._options.trust_env else None
                if proxy not in self._by_proxy:
                    self._by_proxy[proxy] = self._transport(proxy)
                self._ways[key] = self._by_proxy[proxy]
            return self._ways[key]

    def _transport(self, proxy: str | None) -> httpx.HTTPTransport:
        most = self._options.connections
        try:
            return httpx.HTTPTransport(
                verify=self._verify,
                trust_env=False,
                proxy=proxy,
                limits=httpx.Limits(
                    max_connections=most, max_keepalive_connections=most, keepalive_expiry=_IDLE
                ),
            )
        except (ValueError, ImportError):
            pass  # the message would quote the proxy with its credentials
        msg = "the proxy that the environment names cannot be used: SOCKS needs httpx[socks]"
        raise ConfigurationError(msg)


def _signed(request: httpx.Request, credentials: Credentials) -> httpx.Request:
    headers = request.headers.copy()
    headers.update(credentials.headers)
    url = request.url
    if credentials.params:
        more = encode_params(credentials.params).encode()
        url = url.copy_with(query=b"&".join(part for part in (url.query, more) if part))
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
    )


def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _verify(options: WireOptions) -> ssl.SSLContext:
    """Return the context that checks certificates, with those that the environment trusts."""
    verify = options.verify
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is True and options.trust_env:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            verify = os.environ.get(name) or verify
            if isinstance(verify, str):
                break
    if isinstance(verify, str):
        try:
            folder = os.path.isdir(verify)  # noqa: PTH112 - a plain name from the environment
            return ssl.create_default_context(
                cafile=None if folder else verify, capath=verify if folder else None
            )
        except OSError as error:
            msg = f"the certificates in {verify} cannot be read: {error.strerror or error}"
            raise ConfigurationError(msg) from error
    return httpx.create_ssl_context(verify=verify, trust_env=options.trust_env)


def _wake(each: socket.socket) -> None:
    """Shut a socket down, which ends a read that another thread is blocked in."""
    with suppress(OSError):
        socket.socket.shutdown(each, socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    names: dict[type[Exception], str] = {
        httpx.ConnectTimeout: " (connecting)",
        httpx.PoolTimeout: " (all connections were busy)",
    }
    return names.get(type(error), "")


def _lost(error: Exception, *, cut: bool) -> str:
    detail = str(error).rstrip(".") or type(error).__name__
    if cut:
        return f"the connection was cut ({detail})"
    return f"no connection ({detail}): check the URL, the network and the proxy"
