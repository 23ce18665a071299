"""What callers can watch: plain records of requests, and of waits between them. A leaf."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["RequestDetails", "RetryDetails", "redacted", "shown_url"]

_SECRETS = re.compile(r"owk_[A-Za-z0-9_-]+|whsec_[A-Za-z0-9]+|(?<=[Bb]earer )[^\s\"',]+")
#: User and password, also those of a URL within a URL, be it escaped.
_USER = re.compile(
    r"((?::|%3a)(?:/|%2f)+|(?:/|%2f){2,})(?:(?!/|%2f).)*(?:@|%40)", re.IGNORECASE | re.DOTALL
)


@dataclass(slots=True)
class RequestDetails:
    """One request that was sent, and what came of it.

    Attributes:
        method: its method.
        url: where it went, without the query, which may be a signature.
        attempt: the how-manieth try of the call; the first is 1.
        elapsed_s: seconds until the answer had come, or the failure.
        status: the HTTP status; None if there was no answer.
        request_id: the name that the server gave it.
        error: what went wrong, where there was no answer.
    """

    method: str
    url: str
    attempt: int
    elapsed_s: float
    status: int | None = None
    request_id: str | None = None
    error: str | None = None


@dataclass(slots=True)
class RetryDetails:
    """A wait that is about to begin, after which a request is sent again.

    Attributes:
        method: the request's method.
        url: where it goes, without the query.
        attempt: the try that failed; the first is 1.
        wait_s: seconds that are waited now.
        status: the HTTP status of the failure; None if there was no answer.
        error: what went wrong.
    """

    method: str
    url: str
    attempt: int
    wait_s: float
    status: int | None
    error: str


def redacted(text: str) -> str:
    """Return a text without keys, signing secrets and bearer tokens."""
    return _SECRETS.sub("[secret]", text)


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without its query, user and password."""
    shown = url.partition("?")[0].partition("#")[0]
    if "@" in shown or "%40" in shown:  # most have no user, and each chunk of a push comes by here
        shown = _USER.sub(r"\1", shown)
    return redacted(shown)
