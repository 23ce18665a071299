from __future__ import annotations

import string
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restarrow.errors import ConfigurationError
from restarrow.http import urls

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
_VALUES = _SCALARS | st.lists(_SCALARS) | st.tuples(_SCALARS, _SCALARS)
_NAMES = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["filter[x]", "page[number]", "a b", "ids[]", "é", "a&b=c"]
)
#: Printable ASCII, without what ends a path or what `urlsplit` takes out.
_PATHS = st.text(
    "".join(sorted(set(string.printable) - set("?#\t\n\r\x0b\x0c\\"))) + "é日%", max_size=30
).filter(lambda path: "./" not in f"{path}/" and "//" not in f"/{path}")
_QUERIES = st.text(
    "".join(sorted(set(string.printable) - set("#\t\n\r\x0b\x0c"))) + "é%", max_size=30
)


def _by_requests(url: str, params: Any) -> str:
    prepared = requests.Request("GET", url, params=params).prepare().url
    assert prepared is not None
    return prepared


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"a": [1, None, "x y"]}, "a=1&a=x+y"),
        ({"b": None}, ""),
        ({"c": True, "d": False}, "c=True&d=False"),
        ({"page[number]": 2}, "page%5Bnumber%5D=2"),
        ({"e": "é&="}, "e=%C3%A9%26%3D"),
        ({"f": 1.5, "g": (), "h": ""}, "f=1.5&h="),
        ({"i": b"ab c"}, "i=ab+c"),
        ({"k": "~-_.!*()'"}, "k=~-_.%21%2A%28%29%27"),
        ({5: 6}, "5=6"),
        ({"n": {"x": 1, "y": 2}}, "n=x&n=y"),
        ({"o": [[1, 2], 3]}, "o=1&o=2&o=3"),
        ({"p": "2024-01-01T00:00:00+02:00"}, "p=2024-01-01T00%3A00%3A00%2B02%3A00"),
        ({"q": "100%"}, "q=100%25"),
        ({"r": "a%20b"}, "r=a%2520b"),
        ([("s", 1), ("s", 2)], "s=1&s=2"),
    ],
)
def test_params_are_written_as_requests_writes_them(params: Any, query: str) -> None:
    assert urls.encode_params(params) == query
    assert _by_requests("http://h/p", params) == urls.write_url("http://h/p", params)


@settings(deadline=None)
@given(st.dictionaries(_NAMES, _VALUES))
def test_any_params_are_written_as_requests_writes_them(params: dict[str, Any]) -> None:
    assert urls.write_url("http://h/p", params) == _by_requests("http://h/p", params)


@settings(deadline=None)
@given(_PATHS, _QUERIES, st.dictionaries(_NAMES, _VALUES, max_size=2))
@example("", "", {})
@example("", "?", {})
@example("", "a=1??", {})
@example("%%0a", "%zz%2f", {})
def test_any_url_is_written_as_requests_writes_it(
    path: str, query: str, params: dict[str, Any]
) -> None:
    url = f"http://h/{path}?{query}"
    ours = urls.write_url(url, params)
    assert ours == _by_requests(url, params)


@settings(deadline=None)
@given(_PATHS, _QUERIES, st.dictionaries(_NAMES, _VALUES, max_size=2))
def test_httpx_sends_a_url_as_it_was_written(path: str, query: str, params: dict[str, Any]) -> None:
    written = urls.write_url(f"http://h/{path}?{query}", params)
    parts = urlsplit(written)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    assert httpx.URL(written).raw_path.decode().rstrip("?") == target.rstrip("?")


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "http://H:80/x",
        "http://h/a b%20c/é[%]",
        "http://h/a%2fb/%7Euser/%41",
        "http://h/p?x=1&y=[a]",
        "http://h/p?cursor=a%2Bb==&q=%",
        "http://h/p?",
    ],
)
def test_urls_with_escapes_of_their_own(url: str) -> None:
    assert urls.write_url(url, {"a": 1}) == _by_requests(url, {"a": 1})


def test_neither_user_information_nor_fragment_is_sent() -> None:
    assert urls.write_url("https://u:p@h/x#part", {"a": 1}) == "https://h/x?a=1"
    assert urls.userinfo("https://u:p@h/x") == ("u", "p")
    assert urls.userinfo("https://h/x") is None


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("http://h/v1", "items", "http://h/v1/items"),
        ("http://h/v1/", "/items", "http://h/v1/items"),
        ("http://h/v1/", "", "http://h/v1/"),
        ("http://h/v1", "http://h/next?page=2", "http://h/next?page=2"),
        ("http://h/v1", "HTTPS://other/x", "HTTPS://other/x"),
        ("http://h", "//other/x", "http://h/other/x"),
        ("http://h", "@other/x", "http://h/@other/x"),
        ("http://h", "?a=1", "http://h/?a=1"),
    ],
)
def test_paths_are_below_the_base_url(base: str, path: str, joined: str) -> None:
    assert urls.join(base, path) == joined


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h/a", "HTTP://H:80/b?c"),
        ("https://h", "https://h:443"),
        ("https://h.", "https://h"),
        ("https://u:p@h", "https://h"),
    ],
)
def test_the_same_origin_written_in_two_ways(one: str, other: str) -> None:
    assert urls.origin_of(one) == urls.origin_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h", "https://h"),
        ("http://h", "http://h:8080"),
        ("http://h", "http://www.h"),
        ("http://h", "http://h@evil"),
        ("http://localhost", "http://127.0.0.1"),
    ],
)
def test_different_origins(one: str, other: str) -> None:
    assert urls.origin_of(one) != urls.origin_of(other)


@pytest.mark.parametrize(
    "url",
    [
        *("", "h/x", "ftp://h", "http://", "http:///x", "http://h:port", "http://h\\@evil/", "//h"),
        # programs read another host or port in these than we would
        *(
            "http://[::1]8080",
            "http://[::1]x",
            "http://x[::1]",
            "http://[v1.x]",
            "http://h<",
            "http://h^",
        ),
        *("http://u:p@[::1]8080", "http://[::1]:80:80", "http://h:80:80", "http://h{", 'http://h"'),
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        urls.origin_of(url)


def test_origins_are_shown_without_the_usual_port() -> None:
    assert str(urls.origin_of("https://h:443/x")) == "https://h"
    assert str(urls.origin_of("http://[::1]:8000/x")) == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:secret@h/p?key=secret#secret", "https://h/p"),
        ("https://h?key=secret", "https://h"),
        ("https://h/@me/x", "https://h/@me/x"),
        ("u:secret@h", "h"),
        ("https://u:secret@h/https://x/", "https://h/https://x/"),
        ("https://u:secret@h/https://v:secret@x/", "https://h/https://x/"),
        ("https://h/to/https:/u:secret@x/", "https://h/to/https:/x/"),
        ("https://h/to//u:secret@x/", "https://h/to//x/"),
        ("https://h/to/https%3A%2F%2Fu%3asecret%40x/y", "https://h/to/https%3A%2F%2Fx/y"),
        ("https://h/?next=https://u:secret@x/", "https://h/"),
        ("https://u:secret#rest@h/", "https://u"),
        ("https://u:secret/rest@h/", "https://u"),
        ("https://[::1]:80/x", "https://[::1]:80/x"),
        ("https://h:80/x:y", "https://h:80/x:y"),
    ],
)
def test_what_a_message_shows_of_a_url(url: str, shown: str) -> None:
    assert urls.shown(url) == shown


@settings(deadline=None)
@given(st.text())
def test_showing_never_fails_and_never_shows_a_query(text: str) -> None:
    assert "?" not in urls.shown(text)
