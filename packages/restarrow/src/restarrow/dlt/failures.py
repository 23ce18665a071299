"""Errors of the engine as those of requests, which who uses dlt's REST source expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from requests.structures import CaseInsensitiveDict

from restarrow.errors import BodyError, FetchError, StatusError, TransportError

__all__ = ["as_requests_error"]

_UNREADABLE: Mapping[str, Callable[[str], Exception]] = {
    "truncated": ChunkedEncodingError,
    "bad encoding": ContentDecodingError,
    "not JSON": lambda message: requests.JSONDecodeError(message, "", 0),
    "wrong content type": lambda message: requests.JSONDecodeError(message, "", 0),
}


def as_requests_error(error: FetchError) -> Exception:
    """Return the error that requests would have raised, with the message of ours.

    Errors that requests does not know stay as they are.
    """
    message = str(error)
    if isinstance(error, StatusError):
        return requests.HTTPError(message, response=_response(error))
    if isinstance(error, TransportError):
        kind = requests.Timeout if "within" in error.what else requests.ConnectionError
        return kind(message)
    if isinstance(error, BodyError) and error.reason in _UNREADABLE:
        return _UNREADABLE[error.reason](message)
    return error


def _response(error: StatusError) -> requests.Response:
    """Return what can be looked at of an answer that refused."""
    response = requests.Response()
    response.status_code = error.status
    response.headers = CaseInsensitiveDict(error.headers)
    response._content = error.excerpt.encode()  # pyright: ignore[reportPrivateUsage]
    response.encoding = "utf-8"
    response.url = error.path
    return response
