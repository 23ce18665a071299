"""The adapter in `examples/tracing.py`, with OpenTelemetry's own SDK."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from roost import RetryPolicy, Roost, RoostTransportError
from roost.testing import RecordedTransport, answer, refusal

EXAMPLE = Path(__file__).parents[1] / "examples" / "tracing.py"
TOKEN = "owk_test_of_tracing"


@pytest.fixture
def tracing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tracing", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exported: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(exported))
    return made


async def _get(provider: TracerProvider, tracing: ModuleType, *answers: object) -> None:
    tracer = provider.get_tracer("roost")
    transport = RecordedTransport(*answers)  # type: ignore[arg-type]
    async with Roost(
        token=TOKEN,
        transport=transport,
        retry=RetryPolicy(max_attempts=2, base_delay_s=0),
        **tracing.traced(tracer),
    ) as client:
        with tracer.start_as_current_span("nightly"):
            await client.sites.get("site-1")


def test_a_request_is_a_span_under_the_callers(
    tracing: ModuleType, provider: TracerProvider, exported: InMemorySpanExporter
) -> None:
    found = answer({"id": "site-1", "name": "Lobby"}, headers={"X-Request-Id": "req-7"})
    asyncio.run(_get(provider, tracing, found))
    request, caller = exported.get_finished_spans()
    assert request.name == "GET"
    assert request.kind is SpanKind.CLIENT
    assert request.parent == caller.get_span_context()
    assert request.status.status_code is StatusCode.UNSET
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "url.full": "https://owlette.app/api/sites/site-1",
        "server.address": "owlette.app",
        "http.response.status_code": 200,
        "roost.request_id": "req-7",
    }
    assert request.start_time is not None
    assert request.end_time is not None
    assert 0 <= request.end_time - request.start_time < 60e9


def test_attempts_are_spans_and_waits_are_events(
    tracing: ModuleType, provider: TracerProvider, exported: InMemorySpanExporter
) -> None:
    asyncio.run(_get(provider, tracing, refusal(503), answer({"id": "site-1"})))
    first, second, caller = exported.get_finished_spans()
    assert first.status.status_code is StatusCode.ERROR
    assert (first.attributes or {})["error.type"] == "503"
    assert (second.attributes or {})["http.request.resend_count"] == 1
    (event,) = caller.events
    assert event.name == "roost.retry"
    assert dict(event.attributes or {}) == {"roost.wait_s": 0.0, "roost.attempt": 1}


def test_no_answer_is_an_error_and_the_key_is_nowhere(
    tracing: ModuleType, provider: TracerProvider, exported: InMemorySpanExporter
) -> None:
    cut = httpx.ConnectError(f"no route for {TOKEN}")
    with pytest.raises(RoostTransportError):
        asyncio.run(_get(provider, tracing, cut))
    spans = exported.get_finished_spans()
    assert [(span.attributes or {}).get("error.type") for span in spans[:-1]] == ["no answer"] * 2
    assert TOKEN not in "".join(span.to_json() for span in spans[:-1])
