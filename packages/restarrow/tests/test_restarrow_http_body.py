from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import BodyError
from restarrow.http.body import (
    Inflater,
    UnreadableError,
    charset_of,
    check_type,
    decode_json,
    to_utf8,
)
from restarrow.types import Headers, Page, Request

_LIMIT = 10_000_000


def _raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


_COMPRESSIONS: dict[str, Any] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "": bytes,
    "identity": bytes,
}


def _inflated(parts: list[bytes], encoding: str, limit: int = _LIMIT) -> bytes:
    inflater = Inflater(encoding, limit)
    for part in parts:
        inflater.take(part)
    return inflater.body()


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@settings(deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 400), st.sampled_from(sorted(_COMPRESSIONS)))
def test_a_body_comes_out_as_it_went_in(body: bytes, size: int, encoding: str) -> None:
    assert _inflated(_cut(_COMPRESSIONS[encoding](body), size), encoding) == body


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 400))
def test_deflate_without_its_head(body: bytes, size: int) -> None:
    packed = _raw_deflate(body)
    if packed[0] & 0x0F != 8:  # the rest cannot be told from a zlib stream by its first byte
        assert _inflated(_cut(packed, size), "deflate") == body


def test_gzip_in_several_members_and_padding() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0"
    assert _inflated([packed], "gzip") == b"one two"
    assert _inflated(_cut(packed, 7), "gzip") == b"one two"


@pytest.mark.parametrize("between", [b"", b"\0\0"])
def test_a_gzip_member_is_not_lost_wherever_the_wire_cuts_it(between: bytes) -> None:
    first, second = gzip.compress(b"one ", mtime=0), gzip.compress(b"two", mtime=0)
    packed = first + between + second
    for cut in range(len(packed)):
        assert _inflated([packed[:cut], packed[cut:]], "gzip") == b"one two"
    for end in range(len(first + between) + 1, len(packed)):
        for cut in range(end):
            with pytest.raises(UnreadableError, match="middle") as caught:
                _inflated([packed[:cut], packed[cut:end]], "gzip")
            assert caught.value.reason == "truncated"  # which is asked for again


def test_what_is_behind_gzip_and_is_none_is_left_out_wherever_the_wire_cuts_it() -> None:
    packed = gzip.compress(b"one") + b"xx" + gzip.compress(b"two")
    for cut in range(len(packed)):
        assert _inflated([packed[:cut], packed[cut:]], "gzip") == b"one"


def test_an_empty_body_is_empty_whatever_it_claims() -> None:
    assert _inflated([], "gzip") == b""
    assert _inflated([b""], "gzip") == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_the_limit_is_the_size_after_decompression(encoding: str) -> None:
    body = b"x" * 1000
    packed = _COMPRESSIONS[encoding](body)
    assert _inflated([packed], encoding, 1000) == body
    with pytest.raises(UnreadableError, match="more than 999 bytes") as caught:
        _inflated([packed], encoding, 999)
    assert caught.value.reason == "too large"


def test_a_bomb_is_stopped_at_the_limit() -> None:
    stream = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    bomb = b"".join(stream.compress(zeros) for _ in range(512)) + stream.flush()
    assert len(bomb) < 1 << 20
    inflater = Inflater("gzip", 1 << 20)
    with pytest.raises(UnreadableError, match="max_body"):
        inflater.take(bomb)
    assert inflater.size == (1 << 20) + 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_stream_that_ends_too_early_is_truncated(encoding: str) -> None:
    packed = _COMPRESSIONS[encoding](b"0123456789" * 100)
    with pytest.raises(UnreadableError, match="middle") as caught:
        _inflated([packed[:-6]], encoding)
    assert caught.value.reason == "truncated"


def test_what_is_not_compressed_as_it_claims() -> None:
    with pytest.raises(UnreadableError, match="gzip") as caught:
        _inflated([b'{"plain": true}'], "gzip")
    assert caught.value.reason == "bad encoding"
    with pytest.raises(UnreadableError, match="'br'"):
        Inflater("br", _LIMIT)


def test_what_there_is_can_be_had_in_spite_of_all() -> None:
    inflater = Inflater("", 4)
    with pytest.raises(UnreadableError):
        inflater.take(b"012345")
    assert inflater.so_far()[:4] == b"0123"


_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    'application/json; charset="UTF-8"',
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16",
    "application/vnd.api+json",
    "application/vnd.api+json; charset=latin-1",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html; charset=windows-1252",
    "",
]


def _by_requests(body: bytes, kind: str) -> Any:
    answer = requests.Response()
    answer.status_code = 200
    answer._content = body
    answer.headers["content-type"] = kind
    answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
    return answer.json()


@pytest.mark.parametrize("kind", _TYPES)
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le"])
def test_texts_are_read_as_requests_reads_them(kind: str, charset: str) -> None:
    body = '{"name": "Zoë ü", "n": [1, 2]}'.encode(charset)
    if charset == "latin-1" and charset_of(kind) is None:
        with pytest.raises(UnreadableError, match="byte 12, and its content type tells no charset"):
            to_utf8(body, kind)
        return
    page = _page(to_utf8(body, kind))
    try:
        expected = _by_requests(body, kind)
    except requests.JSONDecodeError:
        with pytest.raises(BodyError):
            decode_json(page)
        return
    assert decode_json(page) == expected


@pytest.mark.parametrize(
    "body",
    [
        '"\\ud800"',
        "[1e400, -1e400]",
        "123456789012345678901",
        "-0",
        "-0.0",
        "1E5",
        '{"a":1,"a":2}',
        '"\x7f"',
    ],
)
def test_what_strict_decoders_refuse_is_read_as_requests_reads_it(body: str) -> None:
    ours, theirs = decode_json(_page(body.encode())), _by_requests(body.encode(), "")
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("body", ["NaN", "[1, Infinity]", '{"a": -Infinity}', '"\x00"', "01", "1."])
def test_what_requests_refuses_is_refused(body: str) -> None:
    with pytest.raises(requests.JSONDecodeError):
        _by_requests(body.encode(), "application/json")
    with pytest.raises(BodyError, match="not JSON"):
        decode_json(_page(body.encode()))


def test_invalid_bytes_become_the_replacement_character_if_the_charset_is_told() -> None:
    body, kind = b'{"name": "a\xff"}', "application/json"
    ours = decode_json(_page(to_utf8(body, kind)))
    assert ours == {"name": "a\ufffd"} == _by_requests(body, kind)


def test_an_unknown_charset_is_named() -> None:
    with pytest.raises(UnreadableError, match="'klingon'"):
        to_utf8(b"{}", "application/json; charset=klingon")


@settings(deadline=None)
@given(st.text())
def test_reading_a_content_type_never_fails(kind: str) -> None:
    charset_of(kind)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "text/html; charset=utf-8"),
        (b"\r\n <html>", "application/json"),
        (b"<?xml version='1.0'?>", ""),
    ],
)
def test_html_is_refused_with_its_type_and_beginning(body: bytes, kind: str) -> None:
    with pytest.raises(UnreadableError, match="not JSON") as caught:
        check_type(body, kind)
    assert caught.value.reason == "wrong content type"
    assert (kind.partition(";")[0] or "no content type") in caught.value.what
    assert body.decode().strip()[:6] in caught.value.what


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "", "application/octet-stream"])
def test_json_under_a_wrong_name_is_let_through(kind: str) -> None:
    check_type(b'  {"a": "<html>"}', kind)
    check_type(b"", kind)


@pytest.mark.parametrize(
    ("body", "offset"),
    [(b'{"a": }', 6), (b"", 0), (b'{"a": 1} x', 9), ('["é" x]'.encode(), 6), (b"Started", 0)],
)
def test_what_is_not_json_is_told_with_page_and_offset(body: bytes, offset: int) -> None:
    with pytest.raises(BodyError, match="page 3") as caught:
        decode_json(_page(body, number=3))
    assert (caught.value.reason, caught.value.offset) == ("not JSON", offset)
    assert "GET /v1/items" in str(caught.value)


@pytest.mark.parametrize("body", [b"[%s]" % (b"1" * 5000), b'{"a": -%s}' % (b"9" * 5000)])
def test_a_number_that_python_does_not_read(body: bytes) -> None:
    with pytest.raises(BodyError, match="an integer has more than 4,300 digits") as caught:
        decode_json(_page(body, number=3))
    assert caught.value.reason == "not JSON"


def test_nesting_without_end() -> None:
    with pytest.raises(BodyError, match="deep"):
        decode_json(_page(b"[" * 200_000))


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_json_is_decoded_as_by_the_standard_library(value: Any) -> None:
    body = json.dumps(value).encode()
    assert decode_json(_page(body)) == json.loads(body)


def _page(body: bytes, number: int = 0) -> Page:
    request = Request("GET", "/items", {"key": "secret"})
    return Page(number, request, "https://api.example.com/v1/items", 200, Headers(), body)
