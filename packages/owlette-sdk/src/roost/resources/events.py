"""What happens on a site, as it happens: `client.events`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from roost._errors import RoostTransportError, ServerError
from roost._paths import api_path
from roost._streaming import EventParser, ServerSentEvent
from roost.resources._resource import Resource

__all__ = ["Events"]

#: Seconds without a byte after which the connection is taken for dead: the server sends one in 15.
_SILENCE_S = 45.0
#: Seconds before the first attempt to connect again, and the longest of such waits, which double.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
#: Seconds that are waited even if the server asks for none.
_SHORTEST_WAIT_S = 0.1


class Events(Resource):
    """The event stream of a site."""

    async def stream(
        self,
        site_id: str,
        events: Sequence[str] | None = None,
        *,
        reconnect: bool = True,
        keepalives: bool = False,
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Yield events as they happen, until the loop is left.

        The server closes each connection after half an hour; another one is opened then, and when
        one breaks. What happens in between is not sent again.

        Args:
            site_id: the site.
            events: the names of the events that are wanted; all if None.
            reconnect: whether to connect again.
            keepalives: whether to yield the server's signs of life as well.

        Raises:
            RoostApiError: the server refuses, other than by 5xx.
            RoostTransportError: the connection breaks, and is not to be opened again.
        """
        first_s = wait_s = _FIRST_WAIT_S
        while True:
            try:
                async for event in self._once(site_id, events):
                    if event.retry_ms is not None:  # holds from then on
                        first_s = max(event.retry_ms / 1000, _SHORTEST_WAIT_S)
                    wait_s = first_s
                    if keepalives or event.event not in {"keepalive", "closing"}:
                        yield event
            except (RoostTransportError, ServerError):
                if not reconnect:
                    raise
            if not reconnect:
                return
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _once(
        self, site_id: str, events: Sequence[str] | None
    ) -> AsyncGenerator[ServerSentEvent, None]:
        parser = EventParser()
        async with self._http.stream(
            api_path("events", "stream"),
            query={"siteId": site_id, "events": ",".join(events) if events else None},
            headers={"accept": "text/event-stream"},
            silence_s=_SILENCE_S,
        ) as answer:
            async for chunk in answer.chunks():
                for event in parser.feed(chunk):
                    yield event
