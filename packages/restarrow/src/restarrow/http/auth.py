"""Credentials: fixed ones, and tokens that a login gives and that end.

A token is obtained by one thread while the others wait, renewed before its lifetime ends and when
it is refused (401). A login that is refused is remembered, never repeated: repeating it locks
accounts. No `repr` shows a secret.
"""

from __future__ import annotations

import copy
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from restarrow.errors import (
    AuthenticationError,
    BodyError,
    ClosedError,
    ConfigurationError,
    FetchError,
    StatusError,
    TransportError,
)
from restarrow.http.body import decode_json, where_of
from restarrow.http.retry import is_passing
from restarrow.types import Page, Request

#: A token is renewed when this share of its lifetime is left, but at most `_MOST_EARLY` seconds.
_EARLY = 0.1
_MOST_EARLY = 60.0
#: So many tokens in a row, refused before any was accepted, show that the login is no good.
_FRUITLESS = 2

Exchange = Callable[[Request], Page]
"""Sends a login and returns the answer; raises a FetchError, as `Client.fetch` does."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is added to one request.

    Attributes:
        headers: headers, which replace those of the same name.
        params: parameters, which go behind the query string.
        generation: which token they are from, counted by those that are renewed.
    """

    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    params: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    generation: int = 0


class Auth(Protocol):
    """What a client needs to know about credentials. May be shared by threads and clients."""

    def credentials(self, exchange: Exchange) -> Credentials:
        """Return what to add to the next request, after a login if one is due."""
        ...

    def refused(self, used: Credentials, exchange: Exchange) -> bool:
        """Say that the answer was 401. Return whether to send again, with new credentials."""
        ...

    def accepted(self, used: Credentials) -> None:
        """Say that credentials were good."""
        ...

    def secrets(self) -> frozenset[str]:
        """Return what must never be shown."""
        ...


class _Fixed:
    """Credentials that are given, and stay."""

    def __init__(self, credentials: Credentials, *secrets: str) -> None:
        self._credentials = credentials
        self._secrets = frozenset(secret for secret in secrets if secret)

    def credentials(self, exchange: Exchange) -> Credentials:
        return self._credentials

    def refused(self, used: Credentials, exchange: Exchange) -> bool:
        return False

    def accepted(self, used: Credentials) -> None:
        pass

    def secrets(self) -> frozenset[str]:
        return self._secrets


class BearerAuth(_Fixed):
    """A token that is given, in the header `Authorization: Bearer`."""

    def __init__(self, token: str) -> None:
        super().__init__(Credentials({"Authorization": f"Bearer {_given(token, 'token')}"}), token)


class ApiKeyAuth(_Fixed):
    """An API key in a header or in a parameter of the query string."""

    def __init__(
        self,
        api_key: str,
        *,
        name: str = "Authorization",
        location: Literal["header", "query", "param"] = "header",
    ) -> None:
        if location not in {"header", "query", "param"}:
            msg = f"an API key goes into the header or the query, not into {location!r}"
            raise ConfigurationError(msg)
        pair = {_given(name, "name"): _given(api_key, "api_key")}
        in_header = location == "header"
        super().__init__(
            Credentials(headers=pair) if in_header else Credentials(params=pair), api_key
        )


class BasicAuth(_Fixed):
    """A user name and a password, in the header `Authorization: Basic`."""

    def __init__(self, username: str, password: str) -> None:
        pair = b64encode(f"{username}:{password}".encode()).decode()
        super().__init__(Credentials({"Authorization": f"Basic {pair}"}), password, pair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a login is sent, and how its token is shown.

    Attributes:
        request: what to send; its path may be a whole URL, of another origin too.
        token: the names that lead to the token in the answer.
        lifetime_at: the names that lead to the token's lifetime in the answer, in seconds.
        lifetime: the seconds that a token lives if the answer does not tell; None if it does
            not end.
        header: the header that the token is shown in.
        scheme: the word before the token in that header.
    """

    request: Request = field(repr=False)
    token: tuple[str, ...] = ("token",)
    lifetime_at: tuple[str, ...] = ()
    lifetime: float | None = None
    header: str = "Authorization"
    scheme: str = "Bearer"


class LoginAuth:
    """A token that a login gives, shared by all threads.

    Args:
        login: how to log in.
        secrets: what must never be shown, such as the password.
        clock: returns monotonic seconds.

    Attributes:
        logins: how many logins were sent and answered with a token.
    """

    def __init__(
        self,
        login: Login,
        *,
        secrets: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.logins = 0
        self._login = login
        self._secrets = secrets
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = float("inf")
        self._failed = 0
        self._failure: FetchError | None = None
        self._final: FetchError | None = None
        self._fruitless = 0

    def credentials(self, exchange: Exchange) -> Credentials:
        """Return the token, after a login if there is none, or if it is about to end.

        Raises:
            AuthenticationError: the login was refused, now or before.
            FetchError: the login could not be sent.
        """
        failed = self._failed
        with self._lock:
            self._raise_final()
            if self._token is None or self._clock() >= self._renew_at:
                self._obtain(exchange, failed)
            return self._shown()

    def refused(self, used: Credentials, exchange: Exchange) -> bool:
        """Renew the token, unless another thread has done so since it was used.

        Raises:
            AuthenticationError: the login was refused, or its tokens are.
            FetchError: the login could not be sent.
        """
        failed = self._failed
        with self._lock:
            self._raise_final()
            if used.generation != self.logins:
                return True
            self._fruitless += 1
            if self._fruitless > _FRUITLESS:
                return False
            self._obtain(exchange, failed)
            return True

    def accepted(self, used: Credentials) -> None:
        """Remember that a token of this login was good."""
        if self._fruitless and used.generation == self.logins:
            self._fruitless = 0

    def secrets(self) -> frozenset[str]:
        """Return the secrets of the login and the token."""
        return self._secrets | ({self._token} if self._token else frozenset[str]())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(logins={self.logins})"

    def _shown(self) -> Credentials:
        scheme = f"{self._login.scheme} " if self._login.scheme else ""
        return Credentials({self._login.header: f"{scheme}{self._token}"}, generation=self.logins)

    def _raise_final(self) -> None:
        if self._final is not None:
            raise _again(self._final)

    def _obtain(self, exchange: Exchange, failed: int) -> None:
        """Log in, or share the failure of a login that was tried while this thread waited."""
        if self._failure is not None and self._failed != failed:
            raise _again(self._failure)
        self._token, self._failure = None, None
        try:
            page = exchange(self._login.request)
            answer = decode_json(page)
        except FetchError as error:
            self._failed += 1
            if _is_passing(error):
                self._failure = _again(error)
            else:
                self._final = _again(error)
            raise
        self._take(page, answer)

    def _take(self, page: Page, answer: Any) -> None:
        token = _at(answer, self._login.token)
        if not isinstance(token, str) or not token:
            names = ".".join(self._login.token)
            what = f"the login was answered without {names!r}: check its URL and what it sends"
            self._final = AuthenticationError(what, where_of(page), status=page.status)
            raise _again(self._final)
        lifetime = _seconds(_at(answer, self._login.lifetime_at)) or self._login.lifetime
        self._token = token
        self.logins += 1
        self._renew_at = (
            float("inf")
            if lifetime is None
            else self._clock() + lifetime - min(_MOST_EARLY, _EARLY * lifetime)
        )


class OAuth2Auth(LoginAuth):
    """OAuth 2.0 with client credentials.

    Args:
        access_token_url: where tokens are given out; may be of another origin than the API.
        client_id: the id of this client.
        client_secret: its secret.
        request_data: more fields of the token request, such as a scope.
        default_lifetime: the seconds that a token lives if the answer does not tell.
    """

    def __init__(
        self,
        access_token_url: str,
        client_id: str,
        client_secret: str,
        *,
        request_data: Mapping[str, Any] | None = None,
        default_lifetime: float = 3600.0,
    ) -> None:
        data = {
            "client_id": _given(client_id, "client_id"),
            "client_secret": _given(client_secret, "client_secret"),
            "grant_type": "client_credentials",
            **(request_data or {}),
        }
        login = Login(
            request=Request("POST", _given(access_token_url, "access_token_url"), data=data),
            token=("access_token",),
            lifetime_at=("expires_in",),
            lifetime=default_lifetime,
        )
        super().__init__(login, secrets=frozenset({client_secret}))


def control_room_auth(
    username: str,
    *,
    api_key: str | None = None,
    password: str | None = None,
    path: str = "/v2/authentication",
    lifetime: float = 1200.0,
) -> LoginAuth:
    """Return the login of an Automation Anywhere Control Room, whose sessions last 20 minutes.

    It asks for several sessions at a time: without that, a login ends the user's other sessions.

    Raises:
        ConfigurationError: not exactly one of `api_key` and `password` is given.
    """
    if (api_key is None) == (password is None):
        msg = "a Control Room needs either api_key or password, and only one of them"
        raise ConfigurationError(msg)
    name, secret = ("password", password) if api_key is None else ("apiKey", api_key)
    given = _given(secret or "", name)
    body = {"username": _given(username, "username"), name: given, "multipleLogin": True}
    login = Login(
        request=Request("POST", path, json=body),
        token=("token",),
        lifetime_at=("ttlSeconds",),
        lifetime=lifetime,
        header="X-Authorization",
        scheme="",
    )
    return LoginAuth(login, secrets=frozenset({given}))


def _given(value: str, name: str) -> str:
    if not value:
        msg = f"{name} is empty: set it in the configuration or the secrets of the source"
        raise ConfigurationError(msg)
    return value


def _is_passing(error: FetchError) -> bool:
    """Tell whether a login that failed may be tried again by the next request."""
    if isinstance(error, BodyError):
        return error.reason == "truncated"
    if isinstance(error, StatusError):
        return is_passing(error.status)
    return isinstance(error, TransportError | ClosedError)


def _again(error: FetchError) -> FetchError:
    """Copy an error, so that threads which share it do not share its traceback."""
    return copy.copy(error)


def _at(answer: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if not isinstance(answer, dict):
            return None
        answer = cast("dict[str, Any]", answer).get(name)
    return answer if names else None


def _seconds(value: Any) -> float | None:
    """Read a lifetime: a number, or text that is one. Nought is no lifetime but "not told"."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < float("inf") else None
