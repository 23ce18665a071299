"""URLs: the origin that is checked is the one that is asked, and no password is shown."""

from __future__ import annotations

import re

import httpx
import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from fuzz.taking import Taker
from opsnest.answers import _bare  # pyright: ignore[reportPrivateUsage]
from opsnest.errors import ConfigurationError as AddressError
from opsnest.http import _origin  # pyright: ignore[reportPrivateUsage]
from restarrow.errors import ConfigurationError
from restarrow.http.urls import Origin, origin_of, path_of, shown, userinfo, write_url
from roost._hooks import shown_url

ALLOWED = (ConfigurationError, AddressError, requests.RequestException, LocationParseError)

PASSWORD = "pla4nted"
_ZONE = re.compile("%[^]]*]")
_PORTS = {"http": 80, "https": 443}


def one(data: bytes) -> None:
    """Read a URL in all the ways in which the project and its libraries do."""
    taker = Taker(data)
    planted = taker.byte() % 2 == 0
    text = taker.text()
    text = text.replace("@", f"u:{PASSWORD}@", 3) if planted else f"http://{text}"
    for hide in (shown, shown_url, path_of_absolute, _bare):
        assert not _shows_password(text, hide(text)), text
    try:
        origin = origin_of(text)
    except ALLOWED:
        origin = None
    if origin is not None:
        _check_httpx(text, origin)
        userinfo(text)
    _check_requests(text)


def path_of_absolute(url: str) -> str:
    """Return the path of a URL, as messages have it."""
    try:
        return path_of(url)
    except ValueError:
        return ""


def _shows_password(text: str, told: str) -> bool:
    """Tell whether a password is shown, in a URL in which it stands where passwords do."""
    return f"://u:{PASSWORD}@" in text and f"://u:{PASSWORD}@" in told


def _check_httpx(text: str, origin: Origin) -> None:
    try:
        url = httpx.URL(write_url(text, {}))
        host = url.raw_host.decode()
    except (httpx.InvalidURL, UnicodeError):
        return  # nothing is asked
    if origin.host.isascii():
        assert (url.scheme, host.rstrip(".")) == (origin.scheme, origin.host), text
    port = url.port if url.port is not None else _PORTS[url.scheme]
    assert port == origin.port, text


def _check_requests(text: str) -> None:
    try:
        told = _origin(text, "a source")
    except ALLOWED:
        return
    prepared = requests.Request("GET", text).prepare().url or ""
    asked = parse_url(prepared)  # as urllib3 connects
    port = asked.port if asked.port is not None else _PORTS.get(asked.scheme or "", 0)
    usual = port == _PORTS.get(asked.scheme or "")
    expected = f"{asked.scheme}://{asked.host}{'' if usual else f':{port}'}"
    # a zone of an address is written in two ways, and so are the letters of what is no usual name
    assert _ZONE.sub("]", told).lower() == _ZONE.sub("]", expected).lower(), text
