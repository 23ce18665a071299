"""What goes out: the headers and the body of a request. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from restarrow.errors import ConfigurationError
from restarrow.http import urls
from restarrow.types import Request

#: The headers that every request has, unless others of the same name are given.
DEFAULT_HEADERS: Final[Mapping[str, str]] = {
    "User-Agent": "restarrow",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
}
#: What the names of headers have in them that hold credentials.
_TELLING: Final = ("auth", "key", "token", "secret", "cookie", "password")


def merge_headers(*several: Mapping[str, Any]) -> dict[str, str]:
    """Merge headers; later ones replace earlier ones of the same name in any case."""
    merged: dict[str, tuple[str, str]] = {}
    for headers in several:
        for name, value in headers.items():
            if value is None:
                merged.pop(name.lower(), None)
            else:
                merged[name.lower()] = (name, str(value))
    return dict(merged.values())


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse what HTTP cannot carry, naming the header but not its value.

    Raises:
        ConfigurationError: a value has a line break, or characters beyond ASCII.
    """
    for name, value in headers.items():
        if not (value.isascii() and value.replace("\t", " ").isprintable()):
            msg = f"the header {name} has characters that HTTP cannot carry, or a line break"
            raise ConfigurationError(msg)


def write_body(request: Request) -> tuple[bytes | None, str | None]:
    """Return the body of a request and its content type, as `requests` makes them."""
    data = request.data
    if isinstance(data, bytes):
        return data, None
    if isinstance(data, str):
        return data.encode(), None
    if data:
        form = urls.encode_params(cast("Mapping[str, Any]", data))
        return form.encode(), "application/x-www-form-urlencoded"
    if request.json is not None:
        return json.dumps(request.json, allow_nan=False).encode(), "application/json"
    return None, None


def secrets_among(headers: Mapping[str, str]) -> frozenset[str]:
    """Return the values of headers whose names tell that they are credentials, to be hidden."""
    found: set[str] = set()
    for name, value in headers.items():
        if any(word in name.lower() for word in _TELLING):
            found |= {str(value), str(value).rpartition(" ")[2]}
    return frozenset(found)
