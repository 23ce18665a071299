"""How true to the real Owlette a simulated one is, and how forgiving."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwletteHabits:
    """What can be switched.

    Attributes:
        lenient_ids: take ids of any length up to 128, as the examples of the SDK's page have
            them; Owlette wants 8 to 64 characters for most.
        keys_by_key: let an API key manage keys, for which Owlette wants a session.
        loopback_webhooks: deliver webhooks to this machine over plain HTTP, which Owlette refuses.
        stuck_rollouts: keep two holes of Owlette's rollouts: one of a single machine never ends,
            and one whose canaries succeeded by 75 to 90 % goes neither on nor back.
        ui_stream: answer chats as Owlette answers API keys, in server-sent events; else in prefixed
            lines, as its documentation has it.
        verify_chunks: refuse chunks whose bytes do not have their hash; real storage takes them.
        limit_rates: count requests, and refuse those beyond Owlette's limits.
        limit_per_hour: requests an hour that each API key has for the routes that count them.
    """

    lenient_ids: bool = True
    keys_by_key: bool = True
    loopback_webhooks: bool = True
    stuck_rollouts: bool = False
    ui_stream: bool = True
    verify_chunks: bool = True
    limit_rates: bool = True
    limit_per_hour: int = 300

    @classmethod
    def strict(cls) -> OwletteHabits:
        """Return those of the real Owlette."""
        return cls(
            lenient_ids=False,
            keys_by_key=False,
            loopback_webhooks=False,
            stuck_rollouts=True,
            verify_chunks=False,
        )
