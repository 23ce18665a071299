"""Answers of the Control Room: JSON, and errors in the one form that it has for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from opssim.core.store import JsonObject, encode

Handler = Callable[[Request], Awaitable[Response]]

_decode = msgspec.json.Decoder().decode


class ApiError(Exception):
    """A request that the Control Room refuses: a status, and `code` and `message` for its body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> Response:
        """Return the answer; some of the API's 404s have a `message` and nothing else."""
        body: JsonObject = {"message": self.message}
        if self.code is not None:
            body = {"code": self.code, "details": "", "message": self.message}
        return json_response(body, self.status, self.headers)


def unauthorized() -> ApiError:
    """Make the refusal of a token that is missing, wrong, expired or revoked."""
    return ApiError(401, "Unauthorized", code=401)


def bad_request(message: str, code: str = "invalid.argument") -> ApiError:
    """Make the refusal of a request that cannot be understood."""
    return ApiError(400, message, code=code)


def not_found(what: str) -> ApiError:
    """Make the answer to a request for something that is not there."""
    return ApiError(404, f"{what} not found")


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an object, or with bytes that are JSON already."""
    content = body if isinstance(body, bytes) else encode(body)
    return Response(content, status, headers=headers, media_type="application/json")


def answering_errors(handler: Handler) -> Handler:
    """Turn the errors that a handler raises into answers."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except ApiError as error:
            return error.response()

    return handle


async def json_object(request: Request) -> JsonObject:
    """Read the request's body.

    Raises:
        ApiError: it is not a JSON object.
    """
    try:
        body = as_object(_decode(await request.body()))
    except msgspec.DecodeError:
        body = None
    if body is None:
        msg = "Invalid JSON"
        raise bad_request(msg, code="json.deserialization.exception")
    return body


def as_object(value: Any) -> JsonObject | None:
    """Return a value of decoded JSON if it is an object, else None."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: Any) -> Sequence[Any] | None:
    """Return a value of decoded JSON if it is a list, else None."""
    return cast("Sequence[Any]", value) if isinstance(value, list) else None


def as_strings(value: Any) -> Sequence[str] | None:
    """Return a value of decoded JSON if it is a list of strings, else None."""
    items = as_list(value)
    return items if items is not None and all(isinstance(item, str) for item in items) else None
