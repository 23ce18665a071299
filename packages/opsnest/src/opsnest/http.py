"""The HTTP session of all sources and actions: patience, one origin, and the time limits.

`ApiSession` is a `requests.Session`, because that is what dlt's REST client takes. It adds four
things to it:

- **Patience.** 408, 425, 429, 5xx and broken connections are tried again. How long to wait comes
  from the answer where the answer says it (`Retry-After`, or the moment in `X-RateLimit-Reset`),
  and otherwise doubles from half a second.
- **One pace.** All sessions of a key share a governor: when the API says that few calls are left,
  they are spread over the time until there are more, and a 429 holds all of them back.
- **One origin.** A request to another host than the one configured is refused, and redirects are
  not followed, so that credentials only ever go where they were meant to go.
- **Hooks see the last answer only.** Checks that raise do not cut the patience short.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from importlib.metadata import version
from typing import Any, cast
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks, dispatch_hook  # pyright: ignore[reportUnknownVariableType]
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from opsnest.accounts import account_of
from opsnest.answers import what_it_said
from opsnest.bodies import read_whole
from opsnest.errors import ConfigurationError, RateLimitError, UnreachableError
from restarrow.http import Governor
from restarrow.http.limits import read_allowance
from restarrow.http.urls import path_of

__all__ = ["ApiSession", "Patience", "governor_of", "seconds_to_wait"]

log = logging.getLogger("opsnest")

#: Seconds to wait for a connection, and for each piece of an answer.
_TIMEOUT = (10.0, 60.0)
#: Statuses that pass by themselves. 501 and 505 do not.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: `X-RateLimit-Reset` below this is a number of seconds, above it a moment (2001-09-09).
_FIRST_EPOCH = 1_000_000_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Connections that are kept open.
_CONNECTIONS = 32
#: The governors by what their key and origin are hashed to.
_governors: WeakValueDictionary[str, Governor] = WeakValueDictionary()
_lock = threading.Lock()
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class Patience:
    """How often to try, and how long to wait, in seconds.

    Attributes:
        attempts: tries in all, for a host that has answered before.
        first_attempts: tries for a host that has never answered: its name may be wrong.
        longest_wait: no single wait is longer, whatever the answer says.
        sleep: what waits; tests replace it.
    """

    def __init__(
        self,
        *,
        attempts: int = 8,
        first_attempts: int = 3,
        longest_wait: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.attempts = attempts
        self.first_attempts = first_attempts
        self.longest_wait = longest_wait
        self.sleep = sleep
        self._skipped = 0.0

    def wait(self, seconds: float) -> None:
        """Wait for some seconds."""
        began = time.monotonic()
        self.sleep(seconds)
        self._skipped += max(0.0, seconds - (time.monotonic() - began))

    def clock(self) -> float:
        """Return seconds that go on while `sleep` says to have waited, even where it takes none."""
        return time.monotonic() + self._skipped


class ApiSession(requests.Session):
    """A session for one API, at one origin.

    Args:
        base_url: where the API is; its origin is the only one that is asked.
        source: the dlt source or action group, for messages.
        repeat_posts: whether a POST only reads, so that it can be tried again after any fault.
            A POST that writes is tried again only where the server cannot have seen it.
        patience: how often to try.
        key: what the API counts calls by, such as the token; sessions without any share nothing.

    Raises:
        ConfigurationError: `base_url` is not an http or https address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        source: str,
        repeat_posts: bool = True,
        patience: Patience | None = None,
        key: str = "",
    ) -> None:
        super().__init__()
        self.headers["User-Agent"] = f"opsnest/{version('opsnest')}"
        # with an auth of its own, requests does not look for one in ~/.netrc, which it would send
        # in place of the Authorization header
        self.auth = _as_it_is
        self.source = source
        self._origin = _origin(base_url, source)
        #: Whose answers it gets, for the page journal.
        self.account = account_of(self._origin, key)
        self._repeat_posts = repeat_posts
        self._patience = patience or Patience()
        clock = self._patience.clock
        self._governor = governor_of(self._origin, key, clock) if key else Governor(clock=clock)
        self._has_answered = False
        # several lists are read at once, each with several requests
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def __deepcopy__(self, memo: object) -> ApiSession:
        # dlt copies a configuration to validate it; connections and credentials are not for copying
        return self

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follow nothing, and do not even take apart what `Location` says."""
        del resp
        return None

    def send(self, request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        """Send a request until there is an answer that stays, then run its hooks.

        Raises:
            UnreachableError: there was no answer.
            RateLimitError: the API still limits after all tries.
        """
        self._refuse_other_origins(request)
        hooks, request.hooks = request.hooks, default_hooks()
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUT
        kwargs |= {"allow_redirects": False, "stream": True}
        patience = self._patience
        retrying = Retrying(
            sleep=patience.wait,
            stop=self._stop,
            wait=self._wait,
            retry=retry_if_result(lambda answer: answer.status_code in _PASSING)
            | retry_if_exception(lambda fault: isinstance(fault, _BROKEN)),
            before_sleep=self._tell,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            response: requests.Response = retrying(self._attempt, request, kwargs)
        except _BROKEN as fault:
            raise self._unreachable(request, fault) from fault
        finally:
            request.hooks = hooks
        if response.status_code == 429:
            raise self._limited(request, response)
        checked: Any = dispatch_hook("response", hooks, response, **kwargs)  # type: ignore[no-untyped-call]
        return cast(requests.Response, checked)

    def _attempt(
        self, request: requests.PreparedRequest, kwargs: dict[str, object]
    ) -> requests.Response:
        allowance = None
        self._governor.enter(self._patience.wait)
        try:
            response = read_whole(super().send(request, **kwargs), self.source)  # type: ignore[arg-type]
            allowance = read_allowance(response.headers, time.time())
        except (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ):
            self._has_answered = True  # although not in full
            raise
        finally:
            self._governor.leave(allowance)
        self._has_answered = True
        # JSON is UTF-8; without this, requests guesses the encoding from the whole body
        response.encoding = response.encoding or "utf-8"
        return response

    def _refuse_other_origins(self, request: requests.PreparedRequest) -> None:
        asked = _origin(request.url or "", self.source)
        if asked != self._origin:
            message = (
                f"{self.source}: the API pointed to another host ({asked}), which was not asked, "
                f"because credentials for {self._origin} must not go there.\n"
                "  If that host is right, make it the base URL of the source."
            )
            raise ConfigurationError(message)

    def _stop(self, state: RetryCallState) -> bool:
        request: requests.PreparedRequest = state.args[0]
        if request.method == "POST" and not self._repeat_posts and not _surely_unseen(state):
            return True
        patience = self._patience
        most = patience.attempts if self._has_answered else patience.first_attempts
        return state.attempt_number >= most

    def _wait(self, state: RetryCallState) -> float:
        answer = _answer(state)
        asked = seconds_to_wait(answer, time.time()) if answer is not None else None
        if asked is None:
            asked = 0.5 * 2.0 ** (state.attempt_number - 1) * random.uniform(0.75, 1.25)
        return min(asked, self._patience.longest_wait)

    def _tell(self, state: RetryCallState) -> None:
        request: requests.PreparedRequest = state.args[0]
        answer = _answer(state)
        seconds = state.next_action.sleep if state.next_action else 0.0
        if answer is not None and answer.status_code == 429:
            self._governor.pause(seconds)
        log.warning(
            "%s: %s %s %s; next try in %.1f s",
            self.source,
            request.method,
            path_of(request.url or ""),
            f"answered {answer.status_code}" if answer is not None else "got no answer",
            seconds,
        )

    def _unreachable(self, request: requests.PreparedRequest, fault: Exception) -> UnreachableError:
        host = self._origin
        if isinstance(fault, requests.exceptions.SSLError):
            problem, advice = (
                f"the certificate of {host} was not accepted",
                "Check the address, and the company proxy's certificate (REQUESTS_CA_BUNDLE).",
            )
        elif isinstance(fault, requests.Timeout) or _is_due_to(fault, ReadTimeoutError):
            problem, advice = (
                f"{host} did not answer in time",
                "Run it again later; what was loaded before stays.",
            )
        elif self._has_answered:
            problem, advice = (
                f"the connection to {host} broke and stayed broken",
                "Run it again; what was loaded before stays, and nothing is half-loaded.",
            )
        else:
            problem, advice = (
                f"{host} cannot be reached",
                "Check the address in the configuration, name servers, network and proxy settings.",
            )
        return UnreachableError(
            source=self.source,
            resource="",
            method=request.method or "GET",
            path=path_of(request.url or ""),
            problem=problem,
            advice=advice,
        )

    def _limited(
        self, request: requests.PreparedRequest, response: requests.Response
    ) -> RateLimitError:
        said = what_it_said(response)
        return RateLimitError(
            source=self.source,
            resource="",
            method=request.method or "GET",
            path=path_of(request.url or ""),
            problem=f"still over the rate limit after {self._patience.attempts} tries",
            advice="Something else uses this key too: use a key of its own, or run it later.",
            status=429,
            message=said.message,
            code=said.code,
        )


def governor_of(origin: str, key: str, clock: Callable[[], float] = time.monotonic) -> Governor:
    """Return the governor that all sessions of a key share, for as long as there are any."""
    name = blake2b(f"{origin} {key}".encode(), digest_size=16).hexdigest()
    with _lock:
        governor = _governors.get(name)
        if governor is None:
            governor = _governors[name] = Governor(clock=clock)
        return governor


def seconds_to_wait(answer: requests.Response, now: float) -> float | None:
    """Read from an answer how long to wait before the next try, or None where it does not say.

    `Retry-After` is in seconds or a date. `X-RateLimit-Reset` and `RateLimit-Reset` are, by API, a
    number of seconds or (Rootly) the moment in UTC epoch seconds: that is told by its size, and
    measured on the server's own clock where it sends its `Date`. It counts only with a 429.

    Args:
        answer: the answer that was refused or failed.
        now: the local time in epoch seconds, for servers that send no `Date`.
    """
    now = _epoch(answer.headers.get("Date")) or now
    retry_after = answer.headers.get("Retry-After", "")
    if (seconds := _number(retry_after)) is not None:
        return seconds
    if (moment := _epoch(retry_after)) is not None:
        return max(0.0, moment - now)
    if answer.status_code != 429:
        return None
    reset = answer.headers.get("X-RateLimit-Reset") or answer.headers.get("RateLimit-Reset") or ""
    value = _number(reset)
    if value is None:
        return None
    # one second more: the limit may be counted in whole seconds
    return max(0.0, value - now if value >= _FIRST_EPOCH else value) + 1.0


def _number(text: str) -> float | None:
    """Read a number of seconds; below zero or beyond all bounds is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def _epoch(date: str | None) -> float | None:
    """Read an HTTP date. They are in GMT, even where they do not say so."""
    if not date:
        return None
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _origin(url: str, source: str) -> str:
    """Return scheme, host and port of a URL, spelled in one way for all that mean the same."""
    try:
        prepared = requests.Request("GET", url).prepare().url or ""  # as it will be asked for
        parts = urlsplit(prepared)
        host, port = parts.hostname, parts.port
    except (requests.RequestException, ValueError):
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        shown = url.rpartition("@")[2].partition("?")[0]  # neither part before nor after is public
        message = (
            f"{source}: {shown!r} is not an address.\n"
            "  Give one like https://api.example.com in the configuration."
        )
        raise ConfigurationError(message)
    host = f"[{host}]" if ":" in host else host
    explicit = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{explicit}"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate with what the request has already."""
    return request


def _answer(state: RetryCallState) -> requests.Response | None:
    if state.outcome is None or state.outcome.failed:
        return None
    answer: requests.Response = state.outcome.result()
    return answer


def _surely_unseen(state: RetryCallState) -> bool:
    """Tell whether the server cannot have acted on the request of the last try."""
    if state.outcome is not None and state.outcome.failed:
        fault = state.outcome.exception()
        return isinstance(fault, requests.ConnectTimeout) or _is_due_to(fault, NewConnectionError)
    answer = _answer(state)
    return answer is not None and answer.status_code == 429


def _is_due_to(fault: BaseException | None, kind: type[Exception]) -> bool:
    """Tell whether an exception of requests stands for this one of urllib3."""
    inner = fault.args[0] if fault and fault.args else None
    return isinstance(inner, kind) or isinstance(getattr(inner, "reason", None), kind)
