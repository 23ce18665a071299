"""URLs, written byte for byte as `requests` writes them, and told apart by origin. Pure.

An API may answer differently to `a=x+y` and `a=x%20y`, to a dropped and an empty parameter, or to
`True` and `true`. So the rules here are those of `requests`, which dlt sends with, whatever the
HTTP library underneath would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from restarrow.errors import ConfigurationError

_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "!$&'()*+,;=:@/~"
_QUERY_SAFE = _PATH_SAFE + "?"
_PORTS = {"http": 80, "https": 443}
#: Characters of a host that programs disagree about.
_ODD = re.compile(r"[\\\s\x00-\x20\x7f\"<>^`{|}]")
#: A host and a port. Of `[::1]8080` programs read one port or the other.
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+(?:%[\w.~%-]+)?\]|[^\[\]:]+)(?::[0-9]*)?")
#: User information, also that of a URL within a URL, be it escaped.
_USER = re.compile(
    r"(^|(?::|%3a)(?:/|%2f)+|(?:/|%2f){2,})(?:(?!/|%2f).)*(?:@|%40)", re.IGNORECASE | re.DOTALL
)
#: What stands in place of a port and is none: the rest of a password that has a `/`, `?` or `#`.
_NO_PORT = re.compile(
    r"([a-z][a-z0-9+.-]*://[^/:\[\]]*):(?![0-9]*(?:/|\Z)).*", re.IGNORECASE | re.DOTALL
)


class Origin(NamedTuple):
    """Where credentials may go: to the same scheme, host and port, and nowhere else."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute URL.

    Raises:
        ConfigurationError: it is not an absolute http or https URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    scheme, host = parts.scheme.lower(), parts.hostname
    is_odd = _ODD.search(parts.netloc) or not _HOST_AND_PORT.fullmatch(_without_user(parts.netloc))
    if scheme not in _PORTS or not host or is_odd:
        msg = f"{shown(url)!r} is no URL that can be asked: it must begin with https:// and a host"
        raise ConfigurationError(msg)
    return Origin(scheme, host.lower().rstrip("."), _PORTS[scheme] if port is None else port)


def is_absolute(path: str) -> bool:
    """Tell whether a request's path is a whole URL. What is not, is below the base URL."""
    return path.lstrip().lower().startswith(("http://", "https://"))


def join(base_url: str, path: str) -> str:
    """Append a path to the base URL, with one slash between them; a whole URL stays itself."""
    if is_absolute(path) or not base_url:
        return path
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}" if path else base_url


def encode_params(params: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """Write a query string or a form: lists repeat their name, None is left out."""
    items = cast(
        "Iterable[tuple[Any, Any]]", params.items() if isinstance(params, Mapping) else params
    )
    pairs = [
        (name, value) for name, values in items for value in _several(values) if value is not None
    ]
    return urlencode(pairs, doseq=True)


def write_url(url: str, params: Mapping[str, Any]) -> str:
    """Return an absolute URL as it is sent: escaped, with the parameters behind its own query.

    User information and fragment are left out: neither is ever sent.
    """
    parts = urlsplit(url.lstrip())
    query = _escaped(parts.query, _QUERY_SAFE)
    more = encode_params(params)
    both = f"{query}&{more}" if query and more else query or more
    netloc = _without_user(parts.netloc).lower()
    path = _escaped(parts.path, _PATH_SAFE) or "/"
    return urlunsplit((parts.scheme, netloc, path, both, ""))


def userinfo(url: str) -> tuple[str, str] | None:
    """Return the user name and password of a URL, if it has them, as written."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return parts.username or "", parts.password or ""


def shown(url: str) -> str:
    """Return what a message may show of a URL: no user information, query or fragment."""
    bare = _USER.sub(r"\1", re.split("[?#]", url, maxsplit=1)[0])
    return _NO_PORT.sub(r"\1", bare)


def path_of(url: str) -> str:
    """Return the path of an absolute URL, for messages."""
    return urlsplit(shown(url)).path or "/"


def _without_user(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _several(values: Any) -> Iterable[Any]:
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        return (values,)
    return cast("Iterable[Any]", values)


def _escaped(text: str, safe: str) -> str:
    """Escape what must be. Escapes that are there stay, if every `%` begins one."""
    if text.count("%") != len(_ESCAPE.findall(text)):
        # what would have been an escape comes out in capitals all the same
        text = _ESCAPE.sub(lambda escape: escape[0].upper(), text).replace("%", "%25")
    return quote(_ESCAPE.sub(_plainest, text), safe=safe + "%")


def _plainest(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()
