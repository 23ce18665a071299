"""What to read, written as for dlt's REST source: as far as that makes sense without dlt.

A configuration is a dictionary with `client` (`base_url`, `headers`, `auth`, `paginator`) and
`resources`, each a path, or a dictionary with `name`, `endpoint` (`path`, `method`, `params`,
`json`, `data`, `headers`, `paginator`, `data_selector`) and `max_table_nesting`. What these mean is
what they mean in dlt. Loads that go on where the last one ended, resources that feed others and
functions that change rows need dlt: `restarrow.dlt` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from restarrow.errors import ConfigurationError
from restarrow.http.auth import ApiKeyAuth, Auth, BasicAuth, BearerAuth, OAuth2Auth
from restarrow.paging.configure import make_plan
from restarrow.paging.plans import Plan
from restarrow.types import Request

__all__ = ["Listing", "read_auth", "read_listings"]

_CLIENT: Final = {"base_url", "headers", "auth", "paginator"}
_RESOURCE: Final = {"name", "endpoint", "max_table_nesting"}
_ENDPOINT: Final = {
    "path",
    "method",
    "params",
    "json",
    "data",
    "headers",
    "paginator",
    "data_selector",
}
#: Arguments of paginators that are paths in an answer.
_PATHS: Final = ("total_path", "has_more_path", "cursor_path", "next_url_path")
#: The paths that paginators look at without being told.
_DEFAULT_PATHS: Final = {
    "cursor": "cursors.next",
    "json_link": "next",
    "offset": "total",
    "page_number": "total",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One list to read.

    Attributes:
        name: the name of its table, as it was given.
        plan: the pages.
        selector: where the rows are; None to find out.
        looked_at: the paths in an answer that the plan looks at.
        max_nesting: how deep objects and lists are taken apart.
    """

    name: str
    plan: Plan
    selector: str | None
    looked_at: tuple[str, ...]
    max_nesting: int


def read_listings(config: Mapping[str, Any]) -> list[Listing]:
    """Return what a configuration says is to be read.

    Raises:
        ConfigurationError: it makes no sense, or needs dlt.
    """
    _check("the configuration", config, {"client", "resources"})
    client = _mapping("client", config.get("client"))
    _check("client", client, _CLIENT)
    _headers("client", client)
    if not isinstance(client.get("base_url"), str):
        msg = "client needs a base_url, such as https://api.example.com/v1"
        raise ConfigurationError(msg)
    resources: Any = config.get("resources")
    if not isinstance(resources, list | tuple) or not resources:
        msg = "there are no resources to read"
        raise ConfigurationError(msg)
    listings = [_listing(each, client) for each in cast("Iterable[Any]", resources)]
    names = [listing.name for listing in listings]
    if double := next((name for name in names if names.count(name) > 1), None):
        msg = f"two resources have the name {double!r}"
        raise ConfigurationError(msg)
    return listings


def read_auth(auth: Any) -> Auth | None:
    """Return the credentials that a configuration gives: an `Auth`, or a dictionary as for dlt.

    Raises:
        ConfigurationError: there is no such kind, or it lacks something.
    """
    if auth is None or hasattr(auth, "credentials"):
        return cast("Auth | None", auth)
    given = dict(_mapping("auth", auth))
    kind = str(given.pop("type", "bearer"))
    if kind not in _AUTHS:
        msg = f"there is no auth of the type {kind!r}: choose one of {', '.join(_AUTHS)}"
        raise ConfigurationError(msg)
    try:
        return _AUTHS[kind](**given)
    except TypeError:
        msg = f"auth of the type {kind!r} takes other settings than {', '.join(given) or 'none'}"
    raise ConfigurationError(msg)


def _oauth2(
    access_token_url: str,
    client_id: str,
    client_secret: str,
    access_token_request_data: Mapping[str, Any] | None = None,
    default_token_expiration: float = 3600.0,
) -> Auth:
    return OAuth2Auth(
        access_token_url,
        client_id,
        client_secret,
        request_data=access_token_request_data,
        default_lifetime=default_token_expiration,
    )


_AUTHS: Final[Mapping[str, Callable[..., Auth]]] = {
    "bearer": BearerAuth,
    "api_key": ApiKeyAuth,
    "http_basic": BasicAuth,
    "oauth2_client_credentials": _oauth2,
}


def _listing(resource: Any, client: Mapping[str, Any]) -> Listing:
    given = (
        {"name": resource} if isinstance(resource, str) else dict(_mapping("resource", resource))
    )
    name = given.get("name")
    if not isinstance(name, str) or not name:
        msg = "a resource has no name"
        raise ConfigurationError(msg)
    where = f"resource {name!r}"
    _check(where, given, _RESOURCE)
    endpoint: Any = given.get("endpoint", name)
    endpoint = {"path": endpoint} if isinstance(endpoint, str) else _mapping(where, endpoint)
    _check(f"the endpoint of {where}", endpoint, _ENDPOINT)
    for key in ("path", "method", "data_selector"):
        if not isinstance(endpoint.get(key, ""), str):
            msg = f"{where}: {key} must be a text, not {type(endpoint[key]).__name__}"
            raise ConfigurationError(msg)
    if endpoint.get("params") is not None:
        _mapping(f"{where}: params", endpoint["params"])
    _headers(where, endpoint)
    path: str = endpoint.get("path", name)
    if "{" in path:
        msg = f"{where}: a path with placeholders needs restarrow.dlt"
        raise ConfigurationError(msg)
    request = Request(
        endpoint.get("method", "GET"),
        path,
        endpoint.get("params") or {},
        endpoint.get("json"),
        endpoint.get("data"),
        endpoint.get("headers") or {},
    )
    paginator = _paginator(where, endpoint.get("paginator", client.get("paginator")))
    plan = make_plan(paginator, request, base_url=client["base_url"])
    nesting = given.get("max_table_nesting")
    if nesting is not None and (type(nesting) is not int or nesting < 0):
        msg = f"{where}: max_table_nesting must be a number from 0 on, not {nesting!r}"
        raise ConfigurationError(msg)
    return Listing(
        name,
        plan,
        endpoint.get("data_selector"),
        tuple(_paths(paginator)),
        1000 if nesting is None else nesting,
    )


def _paginator(where: str, given: Any) -> str | Mapping[str, Any] | None:
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, Mapping):
        msg = f"{where}: paginator must be a name or a dictionary, not {given!r}"
        raise ConfigurationError(msg)
    return cast("Mapping[str, Any]", given)


def _paths(paginator: Any) -> Iterable[str]:
    given: Mapping[str, Any] = (
        cast("Mapping[str, Any]", paginator)
        if isinstance(paginator, Mapping)
        else {"type": paginator}
    )
    default = _DEFAULT_PATHS.get(str(given.get("type")))
    paths = [given[name] for name in _PATHS if given.get(name)]
    return [str(path) for path in (*paths, *([default] if default else []))]


def _mapping(what: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        msg = f"{what} must be a dictionary, not {type(value).__name__}"
        raise ConfigurationError(msg)
    return cast("Mapping[str, Any]", value)


def _headers(where: str, given: Mapping[str, Any]) -> None:
    headers = given.get("headers")
    if headers is None:
        return
    for name, value in _mapping(f"{where}: headers", headers).items():
        if not isinstance(value, str):
            msg = f"{where}: the header {name} must be a text, not {type(value).__name__}"
            raise ConfigurationError(msg)


def _check(what: str, given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(given.keys() - known):
        msg = (
            f"{what} has {unknown[0]!r}, which is not among {', '.join(sorted(known))}; "
            "what dlt knows beyond these, restarrow.dlt does"
        )
        raise ConfigurationError(msg)
