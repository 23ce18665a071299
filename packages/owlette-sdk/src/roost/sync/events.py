"""`events` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from roost._portal import Portal
from roost._streaming import ServerSentEvent
from roost.resources.events import Events

__all__ = ["EventsSync"]


class EventsSync:
    """The event stream of a site."""

    def __init__(self, group: Events, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def stream(
        self,
        site_id: str,
        events: Sequence[str] | None = None,
        *,
        reconnect: bool = True,
        keepalives: bool = False,
    ) -> Generator[ServerSentEvent, None, None]:
        """Yield events as they happen, until the loop is left.

        For the rest, see `Events.stream`.
        """
        return self._portal.iterate(
            self._group.stream(site_id, events, reconnect=reconnect, keepalives=keepalives)
        )
