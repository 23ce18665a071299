"""Refusals, as problem documents (`application/problem+json`)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from opssim.core.store import encode

MEDIA_TYPE: Final = "application/problem+json; charset=utf-8"

#: The type of a problem, by the code that it has unless it has one of its own.
_TYPES: Final = {
    "validation_failed": (400, "validation failed"),
    "unauthorized": (401, "unauthorized"),
    "token_expired": (401, "token expired"),
    "quota_exceeded": (402, "storage quota exceeded"),
    "forbidden": (403, "forbidden"),
    "scope_insufficient": (403, "insufficient scope"),
    "not_found": (404, "not found"),
    "conflict": (409, "conflict"),
    "precondition_failed": (412, "precondition failed"),
    "payload_too_large": (413, "payload too large"),
    "rate_limited": (429, "rate limited"),
    "internal_error": (500, "internal error"),
    "service_unavailable": (503, "service unavailable"),
}
_KIND_OF_STATUS: Final = {
    400: "validation_failed",
    401: "unauthorized",
    402: "quota_exceeded",
    403: "forbidden",
    404: "not_found",
    405: "validation_failed",
    409: "conflict",
    410: "not_found",
    412: "precondition_failed",
    413: "payload_too_large",
    422: "validation_failed",
    423: "service_unavailable",
    429: "rate_limited",
    500: "internal_error",
    503: "service_unavailable",
}


class Problem(Exception):  # noqa: N818 - it is what the standard calls it
    """A refusal.

    Args:
        status: the HTTP status.
        code: what machines read.
        detail: what people read.
        title: the headline, if not that of the problem's type.
        headers: what the answer has beside the document.
        extra: more members of the document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title
        self.headers = dict(headers or {})
        self.extra = extra

    def response(self, path: str, *, plain: bool = False) -> Response:
        """Return the answer; a plain one tells neither type nor request."""
        kind = self.code if self.code in _TYPES else _KIND_OF_STATUS[self.status]
        request_id = str(uuid.uuid4())
        document: dict[str, Any] = {
            "type": "about:blank"
            if plain
            else f"https://owlette.app/problems/{kind.replace('_', '-')}",
            "title": self.title or _TYPES[kind][1],
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "docsUrl": f"https://owlette.app/docs/api/errors#{self.code}",
            **self.extra,
        }
        headers = dict(self.headers)
        if not plain:
            document["requestId"] = request_id
            headers["X-Request-Id"] = request_id
        return Response(encode(document), self.status, headers=headers, media_type=MEDIA_TYPE)


def invalid(errors: Mapping[str, Sequence[str]], *, code: str = "validation_failed") -> Problem:
    """Return the refusal of values: what is wrong, by the place where they stand."""
    places = ", ".join(errors)
    return Problem(400, code, f"invalid: {places}", errors={k: list(v) for k, v in errors.items()})


def not_found(what: str, code: str = "not_found") -> Problem:
    """Return the refusal of a thing that is not there."""
    return Problem(404, code, f"{what} not found")


def conflict(detail: str, code: str = "conflict", **extra: Any) -> Problem:
    """Return the refusal of what does not fit the state."""
    return Problem(409, code, detail, **extra)
