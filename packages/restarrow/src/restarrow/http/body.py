"""Bodies: decompressed within bounds, brought to UTF-8, and decoded. Pure.

What counts is the size after decompression, and it is counted while decompressing: a few
kilobytes that would become gigabytes are stopped at the limit.

Texts are read as `requests` reads them, which dlt decodes with: a charset that is told counts,
`text/*` without one is Latin-1, anything else is UTF-8. Bytes that are not valid in the charset
that is told become U+FFFD. Where none is told, `requests` would guess; we refuse to.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
import zlib
from typing import Any, Final

import msgspec

from restarrow.errors import BodyError, BodyReason, Where
from restarrow.nesting import depth_of_json
from restarrow.types import Page
from restarrow.utf8 import is_utf8

_ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_BOM = codecs.BOM_UTF8
_HTML = re.compile(rb"\s*<", re.ASCII)
#: Recognises gzip and zlib by their heads.
_ANY_HEAD = zlib.MAX_WBITS | 32
_NO_HEAD = -zlib.MAX_WBITS
#: How a gzip member begins.
_GZIP = b"\x1f"


class UnreadableError(Exception):
    """A body that cannot be read: why, in words, and at which byte."""

    def __init__(self, what: str, reason: BodyReason, offset: int | None = None) -> None:
        super().__init__(what)
        self.reason: BodyReason = reason
        self.what = what
        self.offset = offset


class Inflater:
    """Takes a body in parts as they arrive, and holds it decompressed, up to a limit.

    Args:
        encoding: the `Content-Encoding`.
        limit: the most bytes that the body may have, after decompression.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower()
        self._limit = limit
        self._parts: list[bytes] = []
        self._stream = zlib.decompressobj(_ANY_HEAD) if self._compressed else None
        self._begun = False
        self._ended = False
        #: How many bytes there are so far, after decompression.
        self.size = 0
        if self._encoding not in _ENCODINGS:
            what = f"is compressed with {self._encoding[:40]!r}, which was not offered"
            raise UnreadableError(what, "bad encoding")

    def take(self, part: bytes) -> None:
        """Take the next bytes as they came over the wire.

        Raises:
            UnreadableError: there are too many, or they cannot be decompressed.
        """
        if self._stream is None:
            self._keep(part)
            return
        try:
            self._inflate(part)
        except zlib.error as error:
            what = f"cannot be decompressed as {self._encoding} ({error})"
            raise UnreadableError(what, "bad encoding", self.size) from None

    def body(self) -> bytes:
        """Return the whole body.

        Raises:
            UnreadableError: it ends in the middle of what is compressed.
        """
        if self._stream is not None and self._begun and not self._stream.eof:
            what = f"ends in the middle of its {self._encoding} stream"
            raise UnreadableError(what, "truncated", self.size)
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def so_far(self) -> bytes:
        """Return what there is, complete or not."""
        return b"".join(self._parts)

    @property
    def _compressed(self) -> bool:
        return self._encoding not in {"", "identity"}

    def _inflate(self, part: bytes) -> None:
        if not self._begun and self._encoding == "deflate" and part and part[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(_NO_HEAD)  # servers that leave out the zlib head
        self._begun = self._begun or bool(part)
        while part:
            assert self._stream is not None  # noqa: S101 - for the type checkers
            if self._stream.eof:  # one gzip member may follow another
                part = part.lstrip(b"\0")  # padding
                # its first byte tells: the second may come with the next part
                self._ended = self._ended or part[:1] not in {b"", _GZIP}
                if self._ended or not part:
                    return
                self._stream = zlib.decompressobj(_ANY_HEAD)
            self._keep(self._stream.decompress(part, self._limit - self.size + 1))
            part = self._stream.unconsumed_tail or self._stream.unused_data

    def _keep(self, part: bytes) -> None:
        self.size += len(part)
        self._parts.append(part)
        if self.size > self._limit:
            raise UnreadableError(too_large(self._limit), "too large", self._limit)


def too_large(limit: int, told: str = "") -> str:
    """Say that a body is larger than the limit, and what to do.

    Args:
        limit: the limit, in bytes.
        told: the size that its head tells.
    """
    size = (
        f"{int(told):,} bytes, where {limit:,} bytes are"
        if told
        else f"more than {limit:,} bytes, which is"
    )
    return (
        f"has {size} the limit: ask for smaller pages, or raise max_body "
        "(with dlt, restarrow.max_body)"
    )


def to_utf8(body: bytes, content_type: str) -> bytes:
    """Return a body in valid UTF-8 without a byte order mark, whatever its charset.

    Raises:
        UnreadableError: the charset is unknown, or none is told and it is not UTF-8.
    """
    charset = charset_of(content_type)
    if charset is not None and not _is_utf8(charset):
        return _recoded(body, charset)
    if charset is None and len(body) > 3:
        guess = json.detect_encoding(body)
        if not guess.startswith("utf-8"):
            return _recoded(body, guess)
    body = body.removeprefix(_BOM)
    if is_utf8(body):
        return body
    if charset is None:
        offset = _first_invalid(body)
        what = f"is not UTF-8 at byte {offset}, and its content type tells no charset"
        raise UnreadableError(what, "bad encoding", offset)
    return body.decode("utf-8", "replace").encode()


def _first_invalid(body: bytes) -> int:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(body)


def charset_of(content_type: str) -> str | None:
    """Return the charset of a body as `requests` sees it: None if nothing tells."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip("'\" ") or None
    if "text" in kind.lower():
        return "ISO-8859-1"
    return "utf-8" if "application/json" in kind.lower() else None


def check_type(body: bytes, content_type: str) -> None:
    """Refuse a page of HTML or XML, as proxies and login forms answer with status 200.

    JSON under a wrong name is let through: dlt reads it too.

    Raises:
        UnreadableError: the body begins as HTML and XML do, and as JSON cannot.
    """
    if _HTML.match(body):
        kind = content_type.partition(";")[0].strip()[:60] or "no content type"
        what = (
            f"is {kind} and begins with {_glance(body)}, not JSON: "
            "is the URL that of the API, and is no login page or proxy in between?"
        )
        raise UnreadableError(what, "wrong content type", 0)


def decode_json(page: Page) -> Any:
    """Decode the body of a page.

    Raises:
        BodyError: it is not JSON.
    """
    try:
        return msgspec.json.decode(page.body)
    except (msgspec.DecodeError, RecursionError):
        pass  # a lone surrogate, a number beyond all bounds: dlt's decoder takes them
    try:
        return json.loads(page.body.decode("utf-8", "replace"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message, offset = error.msg, len(error.doc[: error.pos].encode("utf-8", "replace"))
    except _ConstantError as error:
        message, offset = f"{error} is no number", max(0, page.body.find(str(error).encode()))
    except RecursionError:
        raise BodyError(too_deep(page.body), where_of(page), reason="too deep") from None
    except ValueError:  # an integer of more digits than Python makes one of
        most = sys.get_int_max_str_digits()
        found = re.search(rb"[0-9]{%d}" % (most + 1), page.body)
        message, offset = f"an integer has more than {most:,} digits", found.start() if found else 0
    what = f"the body is not JSON: {message} at byte {offset} of {len(page.body)}"
    raise BodyError(what, where_of(page), reason="not JSON", offset=offset)


def too_deep(body: bytes) -> str:
    """Say how deep a body is nested that cannot be decoded, and what to do."""
    levels = f"{depth_of_json(body):,} levels deep"
    return f"the body is nested {levels}, which no decoder takes: ask for less, or leave it out"


def where_of(page: Page) -> Where:
    """Return the request of a page, as errors tell it."""
    _, _, rest = page.url.partition("://")
    return Where(page.request.method.upper(), f"/{rest.partition('/')[2]}", page.number)


class _ConstantError(Exception):
    """A constant of JavaScript that JSON does not have."""


def _no_constant(name: str) -> Any:
    raise _ConstantError(name)


def _recoded(body: bytes, charset: str) -> bytes:
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        what = f"has the charset {charset[:40]!r}, which is unknown"
    else:
        # the second is the mark of UTF-8 in a charset that it was not written for
        return text.removeprefix("\ufeff").removeprefix("\xef\xbb\xbf").encode("utf-8", "replace")
    raise UnreadableError(what, "bad encoding", 0)


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in {"utf-8", "utf-8-sig"}
    except LookupError:
        return False


def _glance(body: bytes) -> str:
    return repr(body[:40].decode("utf-8", "replace").strip())
