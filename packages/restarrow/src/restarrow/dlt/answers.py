"""Decode an answer's JSON once, and quickly: dlt decodes it anew each time it looks at it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from requests import Response

from restarrow.errors import BodyError, Where
from restarrow.http.body import too_deep
from restarrow.memory import collect_rarely

__all__ = ["decode_json", "decode_once"]

_UTF_8 = frozenset({"utf-8", "utf8"})


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
    asked = response.request
    where = Where(asked.method or "GET", urlsplit(asked.url or "").path)
    raise BodyError(what, where, reason="too deep")


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
