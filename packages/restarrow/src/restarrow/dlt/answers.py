"""Answers of requests: read within bounds, and decoded once, where dlt does so at each look."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from requests import Response

from restarrow.errors import BodyError, Where
from restarrow.http.body import too_deep, too_large
from restarrow.memory import collect_rarely

__all__ = ["decode_json", "decode_once", "read_whole"]

_UTF_8 = frozenset({"utf-8", "utf8"})
#: Bytes that are decompressed at a time.
_STEP: Final = 64 * 1024
#: As many bytes of a refusing answer are read.
_REFUSAL: Final = 1024 * 1024


def read_whole(response: Response, most: int) -> None:
    """Read the body of an answer that was asked for as a stream.

    What a refusal says beyond its first megabyte is left unread.

    Args:
        response: the answer.
        most: bytes that it may have, after decompression.

    Raises:
        BodyError: it has more.
        requests.RequestException: the connection broke, or the body cannot be decompressed.
    """
    inside: Any = response
    if inside.raw is None or inside._content is not False:  # it was read, or comes from no socket
        return
    try:
        body = _read(response, most)
    except BaseException:
        response.close()
        raise
    inside._content = body
    inside._content_consumed = True


def _read(response: Response, most: int) -> bytes:
    is_refusal = response.status_code >= 400
    told = response.headers.get("Content-Length", "")[:19]  # more digits than any size has
    if not is_refusal and told.isdecimal() and int(told) > most:
        raise BodyError(too_large(most, told), _where(response), reason="too large")
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(_STEP):
        parts.append(part)
        size += len(part)
        if is_refusal and size >= _REFUSAL:
            response.close()
            break
        if not is_refusal and size > most:
            raise BodyError(too_large(most), _where(response), reason="too large", offset=most)
    return b"".join(parts)


def _where(response: Response) -> Where:
    asked = response.request
    return Where(asked.method or "GET", urlsplit(asked.url or "").path)


def decode_json(response: Response) -> Any:
    """Decode the JSON of an answer to the same values as `response.json()`.

    Raises:
        ValueError: it is no JSON.
        BodyError: it is nested too deeply.
    """
    if response.encoding is None or response.encoding.lower() in _UTF_8:
        try:
            with collect_rarely():
                return msgspec.json.decode(response.content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # requests takes more: a byte order mark, lone surrogates, numbers beyond bounds
    try:
        return response.json()
    except RecursionError:
        what = too_deep(response.content)
    raise BodyError(what, _where(response), reason="too deep")


def decode_once(response: Response) -> None:
    """Let `response.json()` decode at the first call and remember.

    Whoever has replaced it before, such as a response action, keeps the word.
    """
    if "json" in response.__dict__:
        return
    kept: list[Any] = []

    def json(**options: Any) -> Any:
        if options:
            return Response.json(response, **options)
        if not kept:
            del response.__dict__["json"]
            try:
                kept.append(decode_json(response))
            finally:
                response.__dict__["json"] = json
        return kept[0]

    response.__dict__["json"] = json
