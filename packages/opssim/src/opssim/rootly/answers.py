"""The answers of the API: JSON:API documents, errors, and the two that are neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.responses import Response

from opssim.core.limits import Allowance
from opssim.core.store import JsonObject, encode

MEDIA_TYPE = "application/vnd.api+json"
NOT_FOUND = "Not found or unauthorized"

#: What Cloudflare shows to a client without a User-Agent.
_EDGE_PAGE = b"""<!DOCTYPE html>
<html lang="en-US">
<head><title>Access denied | api.rootly.com used Cloudflare to restrict access</title></head>
<body><h1>Error 1010</h1><h2>Access denied</h2>
<p>The owner of this website has banned your access based on your browser's signature.</p>
</body></html>
"""


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, title: str, detail: str | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail


def refused(refusal: RefusedError) -> Response:
    """Return the JSON:API document of an error; its status is a string."""
    error = {
        "title": refusal.title,
        "status": str(refusal.status),
        "code": None,
        "detail": refusal.detail,
    }
    return Response(encode({"errors": [error]}), refusal.status, media_type=MEDIA_TYPE)


def turned_away() -> Response:
    """Return the page of HTML that the edge answers with, before the API sees anything."""
    return Response(_EDGE_PAGE, 403, {"CF-RAY": "8f2c0e1d2a3b4c5d-ZRH"}, media_type="text/html")


def too_many() -> Response:
    """Return the answer over the rate limit: not JSON:API, and without a Retry-After."""
    body = b'{"error":"Rate limit exceeded. Try again later."}'
    return Response(body, 429, media_type="application/json")


def limit_headers(allowance: Allowance, window: float) -> dict[str, str]:
    """Return the headers that tell of the rate limit; Reset is in UTC epoch seconds."""
    limit = allowance.limit
    return {
        "X-RateLimit-Limit": f"{limit}, {limit};window={window:g}",
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Used": str(allowance.used),
        "X-RateLimit-Reset": str(allowance.reset),
    }


def document(
    bodies: Iterable[bytes], included: Iterable[bytes] | None, extra: Mapping[str, JsonObject]
) -> Response:
    """Return a list: rows that are encoded already, between what else the list answers."""
    parts = [b'{"data":[', b",".join(bodies), b"]"]
    for name, value in extra.items():
        parts += [b',"', name.encode(), b'":', encode(value)]
    if included is not None:
        parts += [b',"included":[', b",".join(included), b"]"]
    parts.append(b"}")
    return Response(b"".join(parts), media_type=MEDIA_TYPE)


def single(body: bytes, included: Iterable[bytes]) -> Response:
    """Return one row."""
    parts = (b'{"data":', body, b',"included":[', b",".join(included), b"]}")
    return Response(b"".join(parts), media_type=MEDIA_TYPE)
