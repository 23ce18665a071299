"""The one request that an action is, what to say when it fails, and waiting for what it started."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from opsnest.answers import check_answer
from opsnest.errors import AnswerError, ConfigurationError, SourceError, UnreachableError
from opsnest.http import ApiSession
from opsnest.json_values import is_object
from restarrow.http.urls import path_of

__all__ = [
    "Call",
    "ask",
    "check_wait",
    "explained",
    "given",
    "looks",
    "moment",
    "signing",
    "started",
    "text",
    "unexpected",
]

log = logging.getLogger("opsnest")

#: Seconds to wait for a connection.
_CONNECT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A kind of request: its name in messages, and what to do when it fails.

    Attributes:
        source: the dlt source of the platform.
        action: what was being done.
        denied: advice by status, for 401 and 403.
        refused: advice for what else the API refuses.
        failed: advice where nobody can tell from the answer whether it was done.
        sent_once: whether it is never repeated after the API failed.
    """

    source: str
    action: str
    denied: Mapping[int, str]
    refused: str
    failed: str
    sent_once: bool = False


def given(**settings: str | None) -> dict[str, str]:
    """Return the settings that the caller gave; dlt looks up the others."""
    return {name: value for name, value in settings.items() if value is not None}


def signing(headers: Mapping[str, str]) -> Callable[[requests.PreparedRequest], Any]:
    """Return what signs a session's requests with these headers.

    As the session's `auth`, it also keeps requests from adding credentials of a `.netrc` file.
    """

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(headers)
        return request

    return sign


def ask(
    session: ApiSession,
    method: str,
    url: str,
    call: Call,
    *,
    body: Mapping[str, Any] | None = None,
    timeout: float | None = None,
) -> dict[str, Any]:
    """Send a request and return the JSON object that it is answered with.

    Args:
        session: what to send with; it decides whether the request may be repeated.
        method: the HTTP method.
        url: the whole address.
        call: what the request is.
        body: what to send as JSON.
        timeout: seconds to wait for the answer, instead of those of the session.

    Raises:
        SourceError: there was no such answer.
    """
    with explained(call):
        response = session.request(
            method, url, json=body, timeout=(_CONNECT, timeout) if timeout else None
        )
        check_answer(response, source=call.source, resource=call.action, advice=call.denied)
    answer: object = response.json() if response.content else None
    if not is_object(answer):
        raise unexpected(call, method, url, "the answer is not a JSON object")
    return answer


def unexpected(call: Call, method: str, url: str, problem: str) -> AnswerError:
    """Make the error for an answer that lacks what was to be in it."""
    return AnswerError(
        source=call.source,
        resource=call.action,
        method=method,
        path=path_of(url),
        problem=problem,
        advice=call.failed,
    )


@contextmanager
def explained(call: Call) -> Generator[None]:
    """Complete the errors of the block, which speak of loading, with what is right for a call."""
    try:
        yield
    except SourceError as error:
        if error.resource in {"", call.action}:  # a login on the way has its own advice
            error.resource = call.action
            _advise(error, call)
        raise


def _advise(error: SourceError, call: Call) -> None:
    status, cause = error.status, error.__cause__
    if isinstance(error, UnreachableError):
        if not _never_sent(cause):
            error.advice = call.failed
            if not _timed_out(cause):
                error.problem = "the connection broke before the answer came"
    elif status is None or status < 300 or status == 408 or status >= 500:
        error.advice = call.failed
        if call.sent_once and status is not None and status >= 300:
            error.problem = "the API failed"
    elif status == 403:
        error.problem = "the credentials may not do this"
    elif status >= 400 and status not in {401, 429}:
        error.advice = call.refused


def _never_sent(fault: BaseException | None) -> bool:
    """Tell whether a request failed before there was a connection to send it on."""
    unconnected = (
        requests.ConnectTimeout,
        requests.exceptions.SSLError,
        requests.exceptions.ProxyError,
    )
    return isinstance(fault, unconnected) or isinstance(_behind(fault), NewConnectionError)


def _timed_out(fault: BaseException | None) -> bool:
    return isinstance(fault, requests.Timeout) or isinstance(_behind(fault), ReadTimeoutError)


def _behind(fault: BaseException | None) -> object:
    """Return the exception of urllib3 that one of requests stands for."""
    inner: object = fault.args[0] if fault is not None and fault.args else None
    return getattr(inner, "reason", None) or inner


def check_wait(source: str, timeout: float, poll_every: float) -> None:
    """Refuse a wait that cannot be done, before there is anything to wait for.

    Raises:
        ConfigurationError: a time is negative, or none at all lies between two looks.
    """
    if timeout >= 0 and poll_every > 0:
        return
    message = (
        f"{source}: timeout={timeout!r} and poll_every={poll_every!r} cannot be waited for.\n"
        "  Give seconds: `timeout` from 0, `poll_every` more than 0."
    )
    raise ConfigurationError(message)


def looks(timeout: float, poll_every: float) -> Iterator[None]:
    """Yield whenever it is time to look again: now, every so many seconds, and at the end."""
    deadline = time.monotonic() + timeout
    while True:
        yield
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(poll_every, left))


@contextmanager
def started(what: str, where: str) -> Generator[None]:
    """Say in whatever ends the wait too early that `what` goes on, and `where` to look it up."""
    try:
        yield
    except SourceError as error:
        error.advice = f"{error.advice}\n  It had been started: {what} goes on. {where}"
        raise
    except KeyboardInterrupt:
        log.warning("stopped waiting; %s goes on. %s", what, where)
        raise


def moment(value: object) -> datetime | None:
    """Read a time; None for one that has not come yet, which is null, empty or in 1970."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or found.year <= 1970:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def text(value: object) -> str | None:
    """Return a value as text, or None where there is none."""
    return None if value in (None, "") else str(value)
