"""Bodies: decompressed, brought to UTF-8, decoded; against zlib, json, and themselves cut anew."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from fuzz.taking import Taker
from restarrow.errors import RestarrowError
from restarrow.http.body import Inflater, UnreadableError, check_type, decode_json, to_utf8
from restarrow.paging import RowSelector
from restarrow.paging.detect import detect_rows
from restarrow.rows import RawRows, RowReader
from restarrow.types import Headers, Page, Request

ALLOWED = (UnreadableError, RestarrowError)

ENCODINGS = ("", "gzip", "deflate", "identity", "x-gzip", "br")
TYPES = (
    "application/json",
    "",
    "text/plain",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=nothing",
)
LIMIT = 100_000


def one(data: bytes) -> None:
    """Read a body as it came over the wire, and decode it."""
    taker = Taker(data)
    encoding, kind, size = taker.choice(ENCODINGS), taker.choice(TYPES), taker.byte() + 1
    how, at, bit = taker.byte() % 4, taker.below(1 << 16), taker.byte() % 8
    body = taker.rest()
    packed = body if how == 0 else _packed(encoding, body)
    wire = bytearray(packed)
    if how == 2 and packed:
        wire = wire[: at % len(packed)]
    elif how == 3 and packed:
        wire[at % len(wire)] ^= 1 << bit
    told = _inflated(encoding, [bytes(wire)])
    parts = [bytes(wire[begin : begin + size]) for begin in range(0, len(wire), size)]
    assert told == _inflated(encoding, parts)
    if how == 1 and encoding in {"gzip", "x-gzip", "deflate"} and len(body) <= LIMIT:
        assert told == body
    if how == 2 and encoding in {"gzip", "x-gzip"}:
        # what was cut off is told, but where a member ended
        whole = {0, len(gzip.compress(body[: len(body) // 2], mtime=0))}
        assert told == "truncated" or len(wire) in whole
    if isinstance(told, bytes):
        _decoded(told, kind)


def _packed(encoding: str, body: bytes) -> bytes:
    if encoding in {"gzip", "x-gzip"}:
        half = len(body) // 2  # two members, as servers send them that join what they had
        return gzip.compress(body[:half], mtime=0) + gzip.compress(body[half:], mtime=0)
    return zlib.compress(body) if encoding == "deflate" else body


def _inflated(encoding: str, parts: list[bytes]) -> bytes | str:
    """Return a body, or why it cannot be read."""
    try:
        inflater = Inflater(encoding, LIMIT)
        for part in parts:
            inflater.take(part)
        return inflater.body()
    except UnreadableError as error:
        return error.reason


def _decoded(raw: bytes, kind: str) -> None:
    try:
        body = to_utf8(raw, kind)
        check_type(body, kind)
    except ALLOWED:
        return
    text = body.decode()  # it is UTF-8
    page = Page(0, Request("GET", "/x"), "http://h/x", 200, Headers(), body)
    try:
        payload = decode_json(page)
    except ALLOWED:
        assert not _is_json(text), text
        return
    assert _is_json(text), text
    assert repr(payload) == repr(json.loads(text))
    _rows(page, payload)


def _is_json(text: str) -> bool:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    del value
    return True


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _rows(page: Page, payload: Any) -> None:
    """Rows that are left as bytes are those of the page that is decoded whole."""
    for selector in ("$", "data", "a.data", detect_rows(payload)):
        try:
            select = RowSelector(selector)
            expected = select(payload)
        except ALLOWED:
            continue
        reader = RowReader(selector)
        reader.decode(page)
        for _ in range(2):  # the second has the keys of the first
            found = reader.select(reader.decode(page))
            rows = (
                [json.loads(bytes(row)) for row in found] if isinstance(found, RawRows) else found
            )
            assert repr(rows) == repr(expected)
