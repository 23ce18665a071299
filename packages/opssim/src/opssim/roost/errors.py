"""Refusals, in the one shape that Roost answers all of them in (ErrorResponseDto)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opssim.core.clock import Clock, iso_utc
from opssim.core.store import encode

#: Where the API lives on its host; its error messages leave it out.
PREFIX = "/api"


class RefusedError(Exception):
    """A request that is answered with an error.

    Attributes:
        code: the HTTP status.
        message: what the client is told.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refusal_response(request: Request, refusal: RefusedError, clock: Clock) -> Response:
    """Return the answer to a request that was refused."""
    body = {
        "code": refusal.code,
        "timestamp": iso_utc(clock.now()),
        "path": asked_path(request),
        "method": request.method,
        "message": refusal.message,
    }
    return Response(encode(body), refusal.code, media_type="application/json")


def asked_path(request: Request) -> str:
    """Return what was asked for as Roost names it: with the query string, without `/api`."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    path = raw.decode("latin-1").removeprefix(PREFIX) or "/"
    return f"{path}?{query.decode('latin-1')}" if query else path
