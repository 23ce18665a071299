"""Read an answer's body in steps, decompressed within bounds."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import requests

from opsnest.errors import AnswerError, ConfigurationError
from restarrow.dlt.limits import max_body
from restarrow.errors import ConfigurationError as SettingError

__all__ = ["read_whole"]

#: As much is decompressed at a time.
_STEP: Final = 64 * 1024
#: As much of a refusing answer is read.
_REFUSAL: Final = 1024 * 1024


def read_whole(response: requests.Response, source: str) -> requests.Response:
    """Read the body of an answer that was asked for as a stream, and return the answer.

    What a refusal says beyond its first megabyte is left unread.

    Args:
        response: the answer.
        source: the dlt source or action group, for messages.

    Raises:
        AnswerError: it has more bytes, after decompression, than `restarrow.max_body` allows.
        ConfigurationError: that setting makes no sense.
        requests.RequestException: the connection broke, or the body cannot be decompressed.
    """
    inside: Any = response
    if inside.raw is None or inside._content is not False:  # of an adapter that reads no sockets
        return response
    try:
        body = _read(response, source, _most(source))
    except BaseException:
        response.close()
        raise
    inside._content = body
    inside._content_consumed = True
    return response


def _most(source: str) -> int:
    try:
        return max_body()
    except SettingError as error:
        message = f"{source}: {error}"
    raise ConfigurationError(message)


def _read(response: requests.Response, source: str, most: int) -> bytes:
    is_refusal = response.status_code >= 400
    told = response.headers.get("Content-Length", "")
    if not is_refusal and told.isdecimal() and int(told) > most:
        raise _too_large(response, source, most, f"{int(told):,} bytes")
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(_STEP):
        parts.append(part)
        size += len(part)
        if is_refusal and size >= _REFUSAL:
            response.close()
            break
        if not is_refusal and size > most:
            raise _too_large(response, source, most, f"more than {most:,} bytes")
    return b"".join(parts)


def _too_large(response: requests.Response, source: str, most: int, size: str) -> AnswerError:
    encoding = response.headers.get("Content-Encoding")
    return AnswerError(
        source=source,
        resource="",
        method=response.request.method or "GET",
        path=urlsplit(response.url).path,
        problem=f"the answer has {size}{', decompressed' if encoding else ''}",
        advice=f"No page is that large: ask whoever runs the API. If this one is, allow it with "
        f"RESTARROW__MAX_BODY (now {most:,}, at most {2**30:,}); it takes ten times that memory.",
        status=response.status_code,
    )
