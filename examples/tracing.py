"""Trace the requests of the SDK with OpenTelemetry: a span for each, an event for each wait.

    async with Roost(token=..., **traced(trace.get_tracer("roost"))) as client:
        ...

The names of the attributes are those of OpenTelemetry's conventions for HTTP clients.
"""

import time
from collections.abc import Callable
from typing import TypedDict
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from roost import RequestDetails, RetryDetails


class Hooks(TypedDict):
    """The arguments of `Roost` that watch it."""

    on_request: Callable[[RequestDetails], object]
    on_retry: Callable[[RetryDetails], object]


def traced(tracer: Tracer) -> Hooks:
    """Return the hooks that tell a tracer of every request, under the span that is current."""

    def on_request(details: RequestDetails) -> None:
        ended = time.time_ns()
        span = tracer.start_span(
            details.method,
            kind=SpanKind.CLIENT,
            start_time=ended - round(details.elapsed_s * 1e9),
            attributes=_attributes(details),
        )
        if details.status is None or details.status >= 400:
            span.set_status(Status(StatusCode.ERROR, details.error))
        span.end(ended)

    def on_retry(details: RetryDetails) -> None:
        trace.get_current_span().add_event(
            "roost.retry",
            {"roost.wait_s": details.wait_s, "roost.attempt": details.attempt},
        )

    return {"on_request": on_request, "on_retry": on_retry}


def _attributes(details: RequestDetails) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "http.request.method": details.method,
        "url.full": details.url,
        "server.address": urlsplit(details.url).hostname or "",
    }
    if details.attempt > 1:
        attributes["http.request.resend_count"] = details.attempt - 1
    if details.status is not None:
        attributes["http.response.status_code"] = details.status
        if details.status >= 400:
            attributes["error.type"] = str(details.status)
    elif details.error is not None:
        attributes["error.type"] = "no answer"
    if details.request_id is not None:
        attributes["roost.request_id"] = details.request_id
    return attributes
