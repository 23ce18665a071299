"""The client: fetches pages, patiently, and takes credentials nowhere but to the API.

It is the loop around the parts that each do one thing: `urls` writes the URL, `auth` has the
credentials, `governor` says when to send, `wire` sends once, `retry` decides whether to send
again, `body` reads the answer.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote_plus, urljoin

from restarrow.errors import (
    AuthenticationError,
    BodyError,
    ClosedError,
    ConfigurationError,
    FetchError,
    ForeignOriginError,
    RateLimitedError,
    StatusError,
    TransportError,
    Where,
)
from restarrow.http import urls
from restarrow.http.auth import Auth, BasicAuth, Credentials
from restarrow.http.body import UnreadableError, check_type, to_utf8
from restarrow.http.governor import Governor
from restarrow.http.limits import Allowance, read_allowance, read_wait
from restarrow.http.outgoing import (
    DEFAULT_HEADERS,
    check_headers,
    merge_headers,
    secrets_among,
    write_body,
)
from restarrow.http.retry import RetryPolicy, Tally, Trouble, next_wait
from restarrow.http.wire import Answer, Call, LostError, Wire, WireOptions
from restarrow.types import Page, Request

_log = logging.getLogger("restarrow.http")

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
#: How often one page may be sent again because its token was refused.
_MOST_RENEWALS: Final = 2
#: How many characters of a refusing answer a message shows, and an error holds.
_SHOWN, _HELD = 300, 2000
#: Shorter secrets are not looked for in texts: they would be found everywhere.
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """What a client has done so far.

    Attributes:
        requests: requests that were sent, logins and repetitions among them.
        retries: how many of them were repetitions.
        limited: how many were answered with 429.
        bytes: bytes of bodies, after decompression.
        waited: seconds that threads waited, for their turn or before a repetition, in all.
    """

    requests: int = 0
    retries: int = 0
    limited: int = 0
    bytes: int = 0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    """A page to fetch, and the way it has taken so far."""

    request: Request
    number: int
    url: str
    login: bool = False
    redirects: int = 0
    renewals: int = 0


@dataclass(frozen=True, slots=True)
class _Failed:
    """What one attempt came to; without `trouble`, trying again is no use."""

    error: FetchError
    trouble: Trouble | None = None


class Client:
    """Fetches pages of one API. Threads share it; leave it, or `close` it, when done.

    Args:
        base_url: what the paths of requests are below. Its origin is where credentials go.
        headers: headers of every request.
        auth: the credentials; those in the base URL, if there are none here.
        retry: how patient to be.
        governor: paces the requests; give the same one to all clients of a key.
        allowed_origins: other origins that are the same API, and may have its credentials.
        options: how to connect, and how large an answer may be.

    Example:
        with Client("https://api.example.com/v1", auth=BearerAuth(token)) as client:
            page = client.fetch(Request("GET", "/items", {"page": 1}))
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        retry: RetryPolicy | None = None,
        governor: Governor | None = None,
        allowed_origins: Iterable[str] = (),
        options: WireOptions | None = None,
    ) -> None:
        self._origins = [urls.origin_of(base_url), *map(urls.origin_of, allowed_origins)]
        self._base_url = base_url
        self._headers = dict(headers or {})
        given = urls.userinfo(base_url)
        self._auth = auth or (BasicAuth(*given) if given else None)
        self._retry = retry or RetryPolicy()
        self._own_secrets = secrets_among(self._headers)
        self.governor = governor or Governor(max_wait=self._retry.max_wait)
        self._wire = Wire(options or WireOptions())
        self._closed = threading.Event()
        self._counts = Counts()
        self._lock = threading.Lock()

    @property
    def counts(self) -> Counts:
        """What this client has done so far."""
        return self._counts

    def fetch(self, request: Request, number: int = 0) -> Page:
        """Fetch one page, as often as it takes.

        Args:
            request: what to ask for.
            number: which page of its list it is, for messages and for the order.

        Raises:
            FetchError: the page could not be had; which kind of error tells why.
            ConfigurationError: the request makes no sense.
        """
        url = urls.join(self._base_url, request.path)
        job = _Job(request, number, urls.write_url(url, request.params))
        if urls.origin_of(url) not in self._origins:
            raise ForeignOriginError(self._foreign(url, "this URL leads"), self._place(job))
        return self._run(job)

    def close(self) -> None:
        """Close the connections. Threads that wait or read end with a ClosedError."""
        self._closed.set()
        self._wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({urls.shown(self._base_url)!r})"

    def _run(self, job: _Job) -> Page:
        tally = Tally()
        while True:
            outcome = self._attempt(job)
            if isinstance(outcome, Page):
                return outcome
            if isinstance(outcome, _Job):
                job = outcome
                continue
            error, trouble = outcome.error, outcome.trouble
            tally = tally.counting(trouble or Trouble())
            wait = next_wait(self._retry, trouble, tally, random.random) if trouble else None
            if wait is None:
                raise error.after(tally.failed + tally.limited)
            _log.debug("%s; again in %.1f seconds", error, wait)
            self._count(retries=1)
            self._before_again(job, wait, trouble)

    def _before_again(self, job: _Job, wait: float, trouble: Trouble | None) -> None:
        """Wait, and after a 429 let all others wait too."""
        if trouble is not None and trouble.status == 429 and not job.login:
            self._count(limited=1)
            self.governor.pause(wait)  # served before the next attempt
            return
        self._wait(wait, job)
        self._count(waited=wait)

    def _attempt(self, job: _Job) -> Page | _Job | _Failed:
        """Send once. Errors are returned, not raised, so that none holds another's traceback."""
        if job.login:
            return self._sent(job, None)[0]
        self._count(waited=self.governor.enter(lambda seconds: self._wait(seconds, job)))
        allowance: Allowance | None = None
        try:
            used = None if self._auth is None else self._auth.credentials(self._log_in)
            outcome, allowance = self._sent(job, used)
        finally:
            self.governor.leave(allowance)
        return outcome

    def _sent(
        self, job: _Job, used: Credentials | None
    ) -> tuple[Page | _Job | _Failed, Allowance | None]:
        call = self._call(job, used)
        self._check_open(job)
        self._count(requests=1)
        try:
            answer = self._wire.send(call)
        except LostError as lost:
            return self._lost(job, lost), None
        except UnreadableError as unreadable:
            return self._unreadable(job, unreadable), None
        return self._judge(job, answer, used), read_allowance(answer.headers, time.time())

    def _judge(self, job: _Job, answer: Answer, used: Credentials | None) -> Page | _Job | _Failed:
        status = answer.status
        _log.debug("%s: %d, %d bytes", self._place(job), status, len(answer.body))
        if self._auth is not None and used is not None:
            if status != 401:
                self._auth.accepted(used)
            elif job.renewals < _MOST_RENEWALS and self._auth.refused(used, self._log_in):
                return replace(job, renewals=job.renewals + 1)
        if 200 <= status <= 299 or status in job.request.accept:
            return self._page(job, answer)
        if status in _REDIRECTS and "location" in answer.headers:
            return self._redirected(job, answer)
        return self._refused(job, answer)

    def _page(self, job: _Job, answer: Answer) -> Page | _Failed:
        kind = answer.headers.get("content-type", "")
        try:
            body = to_utf8(answer.body, kind)
            if answer.status not in job.request.accept:
                check_type(body, kind)
        except UnreadableError as unreadable:
            return self._unreadable(job, unreadable)
        self._count(received=len(body))
        url = urls.shown(job.url)
        return Page(job.number, job.request, url, answer.status, answer.headers, body)

    def _redirected(self, job: _Job, answer: Answer) -> _Job | _Failed:
        """Follow a redirect within the API, as `requests` does."""
        target = urljoin(job.url, answer.headers["location"])
        try:
            origin = urls.origin_of(target)
        except ConfigurationError:
            origin = None
        if origin not in self._origins and not (job.login and origin == urls.origin_of(job.url)):
            what = self._foreign(target, f"it redirects ({answer.status})")
            return _Failed(ForeignOriginError(what, self._place(job)))
        if job.redirects >= _MOST_REDIRECTS:
            what = f"redirected more than {_MOST_REDIRECTS} times: check the base URL"
            error = StatusError(what, self._place(job), status=answer.status)
            return _Failed(error)
        request = job.request
        method = request.method.upper()
        if (answer.status in {302, 303} and method != "HEAD") or (
            answer.status == 301 and method == "POST"
        ):
            request = replace(request, method="GET", json=None, data=None)
        url = urls.write_url(target, {})
        return replace(job, request=request, url=url, redirects=job.redirects + 1)

    def _refused(self, job: _Job, answer: Answer) -> _Failed:
        status, headers = answer.status, answer.headers
        limited = status == 429
        asked = read_wait(headers, time.time(), limited=limited)
        excerpt = self._scrubbed(answer.body.decode("utf-8", "replace"))[:_HELD]
        kept = {n: self._scrubbed(v) for n, v in headers.items() if "cookie" not in n}
        kind = StatusError
        if limited:
            kind = RateLimitedError
        elif status == 401 or (job.login and 400 <= status <= 499 and status not in {408, 425}):
            kind = AuthenticationError
        what = f"{_meaning(status, login=job.login)}{_quoted(excerpt)}"
        if asked is not None and asked > self._retry.max_wait:
            most = self._retry.max_wait
            what = f"{what}. It asks to wait {asked:.0f} seconds, more than max_wait ({most:g})"
        error = kind(what, self._place(job), status=status, excerpt=excerpt, headers=kept)
        if isinstance(error, RateLimitedError):
            error.wait = asked
        return _Failed(error, Trouble(status, asked))

    def _lost(self, job: _Job, lost: LostError) -> _Failed:
        if self._closed.is_set():
            return _Failed(_closed(self._place(job)))
        error = TransportError(self._scrubbed(lost.what), self._place(job))
        return _Failed(error, Trouble(cut=lost.cut))

    def _unreadable(self, job: _Job, found: UnreadableError) -> _Failed:
        if self._closed.is_set():
            return _Failed(_closed(self._place(job)))
        what = self._scrubbed(f"the body {found.what}")
        error = BodyError(what, self._place(job), reason=found.reason, offset=found.offset)
        return _Failed(error, Trouble(cut=True) if found.reason == "truncated" else None)

    def _log_in(self, request: Request) -> Page:
        """Send a login, which is configured and so may go to another origin than the API's."""
        url = urls.join(self._base_url, request.path)
        return self._run(_Job(request, 0, urls.write_url(url, request.params), login=True))

    def _call(self, job: _Job, used: Credentials | None) -> Call:
        request = job.request
        own = urls.origin_of(job.url) in self._origins
        content, kind = write_body(request)
        default = {} if kind is None else {"Content-Type": kind}
        headers = merge_headers(
            DEFAULT_HEADERS, default, self._headers if own else {}, request.headers
        )
        check_headers(headers)
        if used is not None:
            check_headers(used.headers)
        return Call(request.method.upper(), job.url, headers, content, used, request.accept)

    def _wait(self, seconds: float, job: _Job) -> None:
        """Wait, unless the client is closed meanwhile. Ctrl-C ends it at once."""
        self._closed.wait(seconds)
        self._check_open(job)

    def _check_open(self, job: _Job) -> None:
        if self._closed.is_set():
            raise _closed(self._place(job))

    def _count(
        self,
        *,
        requests: int = 0,
        retries: int = 0,
        limited: int = 0,
        received: int = 0,
        waited: float = 0.0,
    ) -> None:
        with self._lock:
            now = self._counts
            self._counts = Counts(
                now.requests + requests,
                now.retries + retries,
                now.limited + limited,
                now.bytes + received,
                now.waited + waited,
            )

    def _place(self, job: _Job) -> Where:
        path = self._scrubbed(urls.path_of(job.url))
        return Where(job.request.method.upper(), path, job.number)

    def _foreign(self, url: str, what: str) -> str:
        try:
            target = str(urls.origin_of(url))
        except ConfigurationError:
            target = "somewhere that is no http URL"
        own = self._origins[0]
        return (
            f"{what} to {target}, but the API is {own}, and its credentials go nowhere else: "
            "add it to allowed_origins if it is the same API, or correct the base URL"
        )

    def _scrubbed(self, text: str) -> str:
        """Take secrets out of a text that others wrote."""
        known = self._auth.secrets() if self._auth else frozenset[str]()
        for secret in sorted(known | self._own_secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***").replace(quote_plus(secret), "***")
        return text


def _meaning(status: int, *, login: bool) -> str:
    if login and 400 <= status <= 499:
        return f"the login was refused ({status}): check its credentials; it is not repeated"
    known = {
        401: "the credentials were refused (401): check the token or key",
        403: "not allowed (403): check what the token or key may read",
        404: "not found (404): check the base URL and the path",
        429: "too many requests (429)",
    }
    return known.get(status, f"answered with status {status}")


def _quoted(excerpt: str) -> str:
    text = " ".join(excerpt.split())
    return f": {text[:_SHOWN]}" if text else ""


def _closed(where: Where) -> ClosedError:
    return ClosedError("the client was closed", where)
