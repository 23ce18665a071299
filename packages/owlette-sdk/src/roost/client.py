"""The low-level client: one request of the API, with its headers, retries and errors."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from roost._constants import (
    DEFAULT_API_URL,
    DEFAULT_ROOST_VERSION,
    SDK_VERSION,
    Environment,
)
from roost._errors import RoostApiError, RoostTransportError, api_error
from roost._hooks import RequestDetails, RetryDetails, redacted, shown_url
from roost._retry import RetryPolicy, decide
from roost._transport import Answer, FutileError, NotSentError, Sender, Stream

__all__ = ["ApiResponse", "CallOptions", "RoostClient"]

log: logging.Logger = logging.getLogger("roost")

#: Seconds that an answer which is streamed may be silent: a model thinks before it speaks.
_SILENCE_S = 300.0
_MUTATING = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What holds for all calls that are made through `with_options`.

    Attributes:
        timeout: seconds that each step of a request may take.
        retry: how often calls are tried.
        headers: more headers.
        idempotency_key: the key of a call, where it does not bring its own.
    """

    timeout: float | None = None
    retry: RetryPolicy | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotency_key: str | None = None


QueryValue = str | int | float | bool | None
Query = Mapping[str, "QueryValue | list[str]"]


@dataclass(slots=True)
class ApiResponse:
    """What came back.

    Attributes:
        status: the HTTP status.
        data: the body: decoded if it is JSON, else a text; None if it is empty.
        headers: the headers, by lower-case name.
    """

    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict[str, str])


class RoostClient:
    """Sends requests to the API. `Roost` has one as `http`, for what has no method of its own.

    Args:
        token: the API key.
        api_url: where the API is.
        roost_version: the date of the API that is asked for.
        environment: what the key is for; for the log only.
        retry: how often calls are tried.
        transport: what all requests go through.
        timeout: seconds that each step of a request may take.
        on_request: called with the details of each request that was sent.
        on_retry: called before each wait for another attempt.

    Raises:
        ValueError: the token is empty, or `api_url` is no URL.
    """

    def __init__(
        self,
        *,
        token: str,
        api_url: str = DEFAULT_API_URL,
        roost_version: str = DEFAULT_ROOST_VERSION,
        environment: Environment | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 30.0,
        on_request: Callable[[RequestDetails], object] | None = None,
        on_retry: Callable[[RetryDetails], object] | None = None,
    ) -> None:
        self._token = _checked(token)
        self._api_url = api_url.rstrip("/")
        if urlsplit(self._api_url).scheme not in {"http", "https"} or not urlsplit(api_url).netloc:
            msg = f"api_url is no URL such as {DEFAULT_API_URL}: {shown_url(api_url)!r}"
            raise ValueError(msg)
        self._roost_version = roost_version
        self._retry = retry or RetryPolicy()
        self._sender = Sender(transport, timeout)
        self._timeout = timeout
        self._options = CallOptions()
        self._on_request = on_request
        self._on_retry = on_retry
        if environment and token.startswith("owk_") and not token.startswith(f"owk_{environment}_"):
            log.warning("the key does not begin with owk_%s_, as environment says", environment)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(api_url={shown_url(self._api_url)!r})"

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self._api_url

    @property
    def retry(self) -> RetryPolicy:
        """How often calls are tried."""
        return self._options.retry or self._retry

    @property
    def timeout(self) -> float:
        """Seconds that each step of a request may take."""
        return self._timeout if self._options.timeout is None else self._options.timeout

    @property
    def has_transport(self) -> bool:
        """Whether all requests go through a transport of the caller's."""
        return self._sender.has_transport

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()

    def with_options(self, options: CallOptions) -> RoostClient:
        """Return a client with options of its own, which shares the connections of this one."""
        made = copy(self)
        made._options = options
        return made

    async def request(
        self,
        path: str,
        *,
        method: str = "GET",
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        no_retry: bool = False,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        repeatable: bool = True,
        key_prefix: str = "py-sdk-",
    ) -> ApiResponse:
        """Send a request, again if need be, and return what came back.

        Args:
            path: where to, such as `/api/sites`; each part percent-encoded.
            method: how.
            query: what is asked for: None is left out, true and false are lower-case.
            body: what is sent, as JSON; bytes are JSON already.
            idempotency_key: the `Idempotency-Key` of the call; None makes one for methods that
                change something, and "" sends none. It is the same in all attempts.
            headers: more headers, which win over those of the client.
            no_retry: whether to try only once.
            timeout: seconds that each step may take, if not as the client's.
            retry: how often to try, if not as the client.
            repeatable: whether the server notices if it gets the same call twice. If not, only what
                it has certainly not acted on is sent again.
            key_prefix: what the key that is made begins with.

        Raises:
            RoostApiError: an answer of 3xx, 4xx or 5xx.
            RoostTransportError: no answer.
        """
        method = method.upper()
        url = self._url(path, query)
        sent, content = self._prepared(method, headers, body, idempotency_key, key_prefix)
        policy = retry or self.retry
        if no_retry:
            policy = RetryPolicy(max_attempts=1)
        timeout = self._options.timeout if timeout is None else timeout
        attempt = 1
        while True:
            failure: RoostApiError | RoostTransportError
            try:
                answer = await self._sender.send(method, url, sent, content, timeout_s=timeout)
            except RoostTransportError as error:
                self.note(RequestDetails(method, shown_url(url), attempt, 0, error=str(error)))
                if isinstance(error, FutileError):
                    raise
                was_sent = not isinstance(error, NotSentError)
                verdict = decide(
                    policy, attempt, status=None, repeatable=repeatable, was_sent=was_sent
                )
                failure = error
            else:
                self.note(_details(method, url, attempt, answer))
                if 200 <= answer.status < 300:
                    return ApiResponse(answer.status, _decoded(answer.body), answer.headers)
                refusal = _refusal(method, url, answer.status, answer.headers, answer.body)
                verdict = decide(
                    policy,
                    attempt,
                    status=answer.status,
                    headers=answer.headers,
                    problem=refusal.problem,
                    repeatable=repeatable,
                )
                refusal.retry_after = verdict.told_s
                failure = refusal
            if verdict.wait_s is None:
                raise failure
            await self._wait(method, url, attempt, verdict.wait_s, failure)
            attempt += 1

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        method: str = "GET",
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        silence_s: float = _SILENCE_S,
        key_prefix: str = "py-sdk-",
    ) -> AsyncGenerator[Stream, None]:
        """Send a request, once, and give the answer while its body comes.

        Args:
            path: as for `request`.
            method: as for `request`.
            query: as for `request`.
            body: as for `request`.
            idempotency_key: as for `request`.
            headers: as for `request`.
            silence_s: seconds that may pass without a byte.
            key_prefix: as for `request`.

        Raises:
            RoostApiError: an answer of 3xx, 4xx or 5xx.
            RoostTransportError: no answer, or one that breaks off.
        """
        method = method.upper()
        url = self._url(path, query)
        sent, content = self._prepared(method, headers, body, idempotency_key, key_prefix)
        async with self._sender.stream(method, url, sent, content, silence_s=silence_s) as answer:
            told = answer.headers.get("x-request-id")
            self.note(
                RequestDetails(method, shown_url(url), 1, answer.elapsed_s, answer.status, told)
            )
            if not 200 <= answer.status < 300:
                text = await answer.read()
                raise _refusal(method, url, answer.status, answer.headers, text)
            yield answer

    async def signed(
        self,
        method: str,
        url: str,
        *,
        content: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Answer:
        """Send a request to a signed URL of the storage: without the key, without our headers.

        The answer is given as it is, whatever its status.

        Args:
            method: how.
            url: the signed URL.
            content: what is sent.
            headers: all headers that are sent, beside those of httpx.
            timeout: seconds that each step may take, if not as the client's.
            transport: what the request goes through, if not what all others do.

        Raises:
            RoostTransportError: no answer.
        """
        sender = self._sender if transport is None else Sender(transport, self._timeout)
        try:
            answer = await sender.send(method, url, headers or {}, content, timeout_s=timeout)
        except RoostTransportError as error:
            self.note(RequestDetails(method, shown_url(url), 1, 0, error=str(error)))
            raise
        self.note(_details(method, url, 1, answer))
        return answer

    def _url(self, path: str, query: Query | None) -> str:
        if "://" in path:
            msg = f"only paths of {shown_url(self._api_url)} get the key, not {shown_url(path)}"
            raise ValueError(msg)
        asked = encoded(query or {})
        separator = "&" if "?" in path else "?"
        slash = "" if path.startswith("/") else "/"
        return f"{self._api_url}{slash}{path}{separator + asked if asked else ''}"

    def _prepared(
        self,
        method: str,
        more: Mapping[str, str] | None,
        body: Any,
        key: str | None,
        prefix: str,
    ) -> tuple[dict[str, str], bytes | None]:
        """Return the headers and the content of a request."""
        headers = {
            "authorization": f"Bearer {self._token}",
            "roost-version": self._roost_version,
            "user-agent": f"owlette-sdk-python/{SDK_VERSION}",
            "accept": "application/json",
        }
        key = self._options.idempotency_key if key is None else key
        if method in _MUTATING and key != "":
            headers["idempotency-key"] = key if key is not None else f"{prefix}{uuid.uuid4()}"
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else _encoded_json(body)
            headers["content-type"] = "application/json"
        given = {**self._options.headers, **(more or {})}
        return headers | {name.lower(): value for name, value in given.items()}, content

    async def _wait(
        self, method: str, url: str, attempt: int, wait_s: float, failure: Exception
    ) -> None:
        status = failure.status if isinstance(failure, RoostApiError) else None
        details = RetryDetails(
            method, shown_url(url), attempt, wait_s, status, redacted(str(failure))
        )
        log.info("%s %s: %s; trying again in %.1f s", method, details.url, details.error, wait_s)
        if self._on_retry is not None:
            self._on_retry(details)
        await asyncio.sleep(wait_s)

    def note(self, details: RequestDetails) -> None:
        """Tell the log and `on_request` of a request."""
        log.debug("%s %s: %s", details.method, details.url, details.status or details.error)
        if self._on_request is not None:
            self._on_request(details)


def _encoded_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def encoded(query: Query) -> str:
    """Return a query string: without what is None, with true and false in lower case."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                text = str(each).lower() if isinstance(each, bool) else str(each)
                pairs.append((name, text))
    return urlencode(pairs)


def _checked(token: object) -> str:
    if not isinstance(token, str) or not token.strip():
        msg = "token is empty: give the API key, which begins with owk_"
        raise ValueError(msg)
    if not token.isascii() or not token.isprintable() or " " in token:
        msg = "token has characters that no API key has: was it copied whole, without blanks?"
        raise ValueError(msg)
    return token


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _refusal(
    method: str, url: str, status: int, headers: Mapping[str, str], body: bytes
) -> RoostApiError:
    data = _decoded(body)
    problem: dict[str, Any] = data if isinstance(data, dict) else {"detail": _excerpt(data)}  # pyright: ignore[reportUnknownVariableType]
    if 300 <= status < 400:
        where = shown_url(headers.get("location", "somewhere else"))
        problem = {"detail": f"the API has moved to {where}: if that is right, give it as api_url"}
    return api_error(status, problem, method=method, url=shown_url(url), headers=headers)


def _excerpt(data: object) -> str | None:
    return None if data is None else redacted(str(data))[:2000]


def _details(method: str, url: str, attempt: int, answer: Answer) -> RequestDetails:
    request_id = answer.headers.get("x-request-id")
    return RequestDetails(
        method, shown_url(url), attempt, answer.elapsed_s, answer.status, request_id
    )
