"""What dlt's objects mean to the engine: paginators as plans, credentials, patience.

Only dlt's own classes are translated, never what is derived from them: a subclass may do anything.
Whatever is not translated is read by dlt's own client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client import auth as dlt_auth
from dlt.sources.helpers.rest_client import paginators as dlt_paginators
from jsonpath_ng import Child, Fields, Root
from requests.adapters import HTTPAdapter
from requests.utils import get_netrc_auth

from restarrow.dlt.limits import max_body
from restarrow.errors import ConfigurationError
from restarrow.http import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    Client,
    Governor,
    OAuth2Auth,
    RetryPolicy,
    WireOptions,
)
from restarrow.http.urls import is_absolute
from restarrow.paging import (
    AutoPlan,
    CursorPlan,
    HeaderCursorPlan,
    HeaderLinkPlan,
    JsonLinkPlan,
    OffsetPlan,
    PageNumberPlan,
    Plan,
    SinglePagePlan,
)
from restarrow.paging.paths import Path
from restarrow.types import Request

__all__ = ["Api", "ForeignError", "path_of", "plan_of", "read_api"]

_ORIGINAL_SEND: object = HTTPAdapter.send
_ORIGINAL_GET_ADAPTER: object = requests.Session.get_adapter


class ForeignError(Exception):
    """Something that is not dlt's own, and is left to its client.

    Attributes:
        reason: what it is.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Api:
    """An API as a resource asks it. Resources with equal ones share connections and pace.

    Attributes:
        base_url: what paths are below.
        headers: headers of every request.
        auth: the kind of credentials, and their parts.
        origins: other origins that may have the credentials.
        retry: how patient to be.
        timeout: seconds to wait for each part of an answer.
    """

    base_url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    auth: tuple[Any, ...] = field(repr=False)
    origins: frozenset[str]
    retry: RetryPolicy
    timeout: float

    def credentials(self) -> Auth | None:
        """Return the credentials, which hold the token of a login."""
        match self.auth:
            case ("bearer", token):
                return BearerAuth(token)
            case ("api_key", key, name, location):
                return ApiKeyAuth(key, name=name, location=location)
            case ("basic", username, password):
                return BasicAuth(username, password)
            case ("oauth2", url, client_id, secret, data, lifetime):
                return OAuth2Auth(
                    url, client_id, secret, request_data=dict(data), default_lifetime=lifetime
                )
            case _:
                return None

    def client(self, auth: Auth | None, governor: Governor) -> Client:
        """Open a client for this API."""
        return Client(
            self.base_url,
            headers=dict(self.headers),
            auth=auth,
            retry=self.retry,
            governor=governor,
            allowed_origins=self.origins,
            options=WireOptions(timeout=self.timeout, max_body=max_body()),
        )


def read_api(client: Any, path: str, headers: Any, origins: frozenset[str]) -> Api:
    """Return the API that a client of dlt's asks.

    Args:
        client: dlt's client, with a session of its own making.
        path: the path or URL that was configured.
        headers: headers of the endpoint.
        origins: other origins that may have the credentials.

    Raises:
        ForeignError: if something about it is not dlt's own.
    """
    _refuse_doubles()
    config: Any = client._config
    retry = RetryPolicy(
        attempts=config.request_max_attempts,
        limited_attempts=max(10, config.request_max_attempts),
        first_wait=_seconds(config.request_backoff_factor),
        max_wait=_seconds(config.request_max_retry_delay),
    )
    auth = _auth(client.auth)
    base_url = client.base_url or (path if is_absolute(path) else "")
    if auth == () and get_netrc_auth(base_url):
        msg = "credentials in .netrc"
        raise ForeignError(msg)
    every: dict[str, Any] = {"User-Agent": client.session.headers["User-Agent"]}
    every |= (client.headers or {}) | (headers or {})
    sent = auth[1:2] if auth[:1] in {("bearer",), ("api_key",)} else ()
    if not all(map(_is_plain, (*every.values(), *sent))):
        msg = "headers that are no plain text"
        raise ForeignError(msg)
    return Api(
        base_url,
        tuple((str(name), value) for name, value in every.items()),
        auth,
        origins,
        retry,
        _seconds(config.request_timeout),
    )


def plan_of(paginator: Any, request: Request, base_url: str) -> tuple[Plan, list[Path]]:
    """Return the plan that a paginator stands for, and the paths that it looks at.

    Raises:
        ForeignError: if it is not one of dlt's own.
    """
    kind = cast("type[object]", type(paginator))
    simple: dict[Any, Callable[[], Plan]] = {
        type(None): lambda: AutoPlan(request, base_url=base_url),
        dlt_paginators.SinglePagePaginator: lambda: SinglePagePlan(request),
        dlt_paginators.HeaderLinkPaginator: lambda: HeaderLinkPlan(
            request, paginator.links_next_key, base_url=base_url
        ),
        dlt_paginators.HeaderCursorPaginator: lambda: HeaderCursorPlan(
            request, paginator.cursor_key, paginator.cursor_param
        ),
    }
    if kind in simple:
        return simple[kind](), []
    try:
        if kind in {dlt_paginators.JSONLinkPaginator, dlt_paginators.JSONResponsePaginator}:
            path = path_of(paginator.next_url_path)
            return JsonLinkPlan(request, path, base_url=base_url), [path]
        if kind is dlt_paginators.JSONResponseCursorPaginator:
            return _cursor(paginator, request)
        if kind in {dlt_paginators.OffsetPaginator, dlt_paginators.PageNumberPaginator}:
            return _range(paginator, request)
    except ConfigurationError as error:
        raise ForeignError(str(error)) from error
    msg = f"a paginator of its own, {kind.__name__}"
    raise ForeignError(msg)


def _cursor(paginator: Any, request: Request) -> tuple[Plan, list[Path]]:
    path, more = path_of(paginator.cursor_path), _path_or_none(paginator.has_more_path)
    plan = CursorPlan(
        request,
        path,
        paginator.cursor_param,
        paginator.cursor_body_path,
        stop_after_empty_page=paginator.stop_after_empty_page,
        has_more_path=more,
    )
    return plan, [path, *([more] if more else [])]


def _range(paginator: Any, request: Request) -> tuple[Plan, list[Path]]:
    total, more = _path_or_none(paginator.total_path), _path_or_none(paginator.has_more_path)
    looked_at = [path for path in (total, more) if path]
    if type(paginator) is dlt_paginators.PageNumberPaginator:
        plan: Plan = PageNumberPlan(
            request,
            paginator.base_index,
            paginator.initial_value,
            paginator.param_name,
            total,
            paginator.maximum_value,
            bool(paginator.stop_after_empty_page),
            has_more_path=more,
            page_body_path=paginator.param_body_path,
        )
        return plan, looked_at
    plan = OffsetPlan(
        request,
        paginator.limit,
        paginator.initial_value,
        paginator.param_name,
        paginator.limit_param,
        total,
        paginator.maximum_value,
        paginator.stop_after_empty_page,
        has_more_path=more,
        offset_body_path=paginator.param_body_path,
        limit_body_path=paginator.limit_body_path,
    )
    return plan, looked_at


def path_of(path: Any) -> Path:
    """Return a JSONPath, compiled or not, as names if it is no more than that; else a function."""
    compiled = jsonpath.compile_path(path)
    try:
        names = list(_names(compiled))
    except ForeignError:
        return lambda payload: jsonpath.find_values(compiled, payload)
    return "$" + "".join(f"['{name}']" for name in names)


def _path_or_none(path: Any) -> Path | None:
    return None if path is None else path_of(path)


def _names(path: Any) -> Iterator[str]:
    if isinstance(path, Child):
        parts: Any = path
        yield from _names(parts.left)
        yield from _names(parts.right)
        return
    if isinstance(path, Root):
        return
    fields: Any = path.fields if isinstance(path, Fields) else ()
    if len(fields) != 1 or fields[0] == "*" or "'" in fields[0] or "\\" in fields[0]:
        msg = "a JSONPath of more than names"
        raise ForeignError(msg)
    yield fields[0]


def _auth(auth: Any) -> tuple[Any, ...]:
    """Return credentials as data.

    Raises:
        ForeignError: if they are not of one of dlt's own kinds.
    """
    kind = cast("type[object]", type(auth))
    if auth is None:
        return ()
    if kind is dlt_auth.BearerTokenAuth and auth.token:
        return ("bearer", auth.token)
    if kind is dlt_auth.APIKeyAuth and auth.api_key and auth.location != "cookie":
        return ("api_key", auth.api_key, auth.name, auth.location)
    if kind is dlt_auth.HttpBasicAuth and isinstance(auth.username, str):
        return ("basic", auth.username, auth.password)
    if kind is dlt_auth.OAuth2ClientCredentials and _is_default_session(auth.session):
        data: Mapping[str, Any] = auth.access_token_request_data or {}
        if all(isinstance(value, str) for value in data.values()):
            fields = tuple(sorted(data.items()))
            lifetime = float(auth.default_token_expiration)
            return (
                "oauth2",
                auth.access_token_url,
                auth.client_id,
                auth.client_secret,
                fields,
                lifetime,
            )
    msg = f"credentials of its own, {kind.__name__}"
    raise ForeignError(msg)


def _is_default_session(session: Any) -> bool:
    from dlt.sources.helpers import requests as dlt_requests  # noqa: PLC0415 - as late as dlt does

    return session is dlt_requests.client.session


def _refuse_doubles() -> None:
    """Refuse to go past what tests put in the place of `requests`.

    Raises:
        ForeignError: if something has been put there.
    """
    if (
        requests.Session.get_adapter is not _ORIGINAL_GET_ADAPTER
        or HTTPAdapter.send is not _ORIGINAL_SEND
    ):
        msg = "requests is replaced by a double"
        raise ForeignError(msg)


def _is_plain(value: object) -> bool:
    """Tell whether requests sends a header as it is: it has rules of its own for anything else."""
    return isinstance(value, str) and value.isascii() and value == value.strip()


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
