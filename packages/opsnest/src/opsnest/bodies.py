"""Read an answer's body in steps, decompressed within bounds."""

from __future__ import annotations

import requests

from opsnest.errors import AnswerError, ConfigurationError
from restarrow.dlt import answers
from restarrow.dlt.limits import max_body
from restarrow.errors import BodyError
from restarrow.errors import ConfigurationError as SettingError

__all__ = ["read_whole"]


def read_whole(response: requests.Response, source: str) -> requests.Response:
    """Read the body of an answer that was asked for as a stream, and return the answer.

    Args:
        response: the answer.
        source: the dlt source or action group, for messages.

    Raises:
        AnswerError: it has more bytes, after decompression, than `restarrow.max_body` allows.
        ConfigurationError: that setting makes no sense.
        requests.RequestException: the connection broke, or the body cannot be decompressed.
    """
    try:
        most = max_body()
        answers.read_whole(response, most)
    except SettingError as error:
        response.close()
        message = f"{source}: {error}"
        raise ConfigurationError(message) from None
    except BodyError as error:
        encoding = response.headers.get("Content-Encoding")
        raise AnswerError(
            source=source,
            resource="",
            method=error.method,
            path=error.path,
            problem=f"the answer {error.what.partition(':')[0]}"
            f"{', decompressed' if encoding else ''}",
            advice="No page is that large: ask whoever runs the API. If this one is, allow it with "
            f"RESTARROW__MAX_BODY (at most {2**30:,}); it takes ten times that memory.",
            status=response.status_code,
        ) from None
    return response
