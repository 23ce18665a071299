"""The event stream: it tells that it is there, which is all that Owlette's preview sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from opssim.core.store import JsonObject, encode
from opssim.owlette.endpoint import Answer, Call, Endpoint
from opssim.owlette.problems import invalid
from opssim.owlette.telling import EVENTS

_KEEPALIVE_S: Final = 15.0
_LONGEST_S: Final = 1800.0


def stream(call: Call) -> Answer:
    """Stream events until half an hour is over, or the client has seen enough."""
    asked = [each for each in call.query.get("events", "").split(",") if each]
    unknown = [each for each in asked if each not in EVENTS]
    if unknown:
        raise invalid({"query.events": [f"unknown: {', '.join(unknown)[:200]}"]})
    hello: JsonObject = {
        "siteId": call.site_id,
        "events": asked or sorted(EVENTS),
        "startedAt": call.world.stamp(),
        "keepaliveIntervalMs": int(_KEEPALIVE_S * 1000),
        "maxDurationMs": int(_LONGEST_S * 1000),
        "transportOnly": True,
    }
    headers = {"Cache-Control": "no-cache, no-transform"}
    frames = _frames(hello, call.site_id)
    return Answer(stream=frames, headers=headers, media_type="text/event-stream")


async def _frames(hello: JsonObject, site_id: str) -> AsyncIterator[bytes]:
    yield _frame("connected", hello)
    for _ in range(int(_LONGEST_S / _KEEPALIVE_S)):
        await asyncio.sleep(_KEEPALIVE_S)
        yield b": ping\n\n"
        yield _frame("keepalive", {"t": int(time.time() * 1000), "siteId": site_id})
    yield _frame("closing", {"reason": "max_duration_reached"})


def _frame(event: str, data: JsonObject) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + encode(data) + b"\n\n"


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/events/stream",
        handler=stream,
        does="Stream the events of a site",
        site="query",
        scope=("site", "read"),
        query={"events": {"type": "string"}},
        media_type="text/event-stream",
    ),
)
