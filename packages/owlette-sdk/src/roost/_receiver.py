"""Webhooks on the receiving side: from a request to a typed event, once."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from roost._constants import DEFAULT_REPLAY_TOLERANCE_SECONDS
from roost._errors import WebhookSignatureError
from roost._model import Model
from roost.signature import Secret, verify_signature

__all__ = ["WebhookEvent", "WebhookReceiver"]


@dataclass(slots=True)
class WebhookEvent(Model):
    """Something that happened.

    Attributes:
        event: what, such as `version.published`.
        site_id: where.
        occurred_at: when (ISO 8601).
        data: the rest, whose members depend on the event.
        id: its name; None for events that have none.
        delivery_id: the name of this telling, which is the same when it is told again.
    """

    event: str
    site_id: str | None = None
    occurred_at: str | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None
    delivery_id: str | None = None


class _Headers(Protocol):
    """What frameworks keep headers in: not all of them are a `Mapping`."""

    def items(self) -> Iterable[tuple[str, str]]: ...


class WebhookReceiver:
    """Turns requests into events: verifies them, and drops what was told before.

    An event is told again until it was answered with 2xx. So that one which could not be dealt with
    is not dropped the next time, call `forget` for it before you answer with an error.

    Args:
        secret: the webhook's secret; the old one and the new one for a day after rotation.
        tolerance_seconds: how far the time of a signature may be off.
        remembered: how many deliveries are remembered, in this process. For several processes, keep
            `delivery_id` in the database.

    Example:
        receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"])

        event = receiver.receive(request.headers, body)
        if event is not None:
            ...
    """

    def __init__(
        self,
        secret: Secret,
        *,
        tolerance_seconds: float = DEFAULT_REPLAY_TOLERANCE_SECONDS,
        remembered: int = 10_000,
    ) -> None:
        self._secret = secret
        self._tolerance_seconds = tolerance_seconds
        self._remembered = remembered
        self._seen: OrderedDict[str, None] = OrderedDict()

    def receive(
        self, headers: _Headers, body: bytes | str, *, now: float | None = None
    ) -> WebhookEvent | None:
        """Return the event of a request; None if it was told before.

        Args:
            headers: the request's headers, in any case: a mapping, or your framework's own kind.
            body: the request's body, as it came.
            now: the time, in seconds since 1970; the clock's if None.

        Raises:
            WebhookSignatureError: the signature is not good: answer with 401.
            ValueError: the body is signed, but is no event: answer with 400.
        """
        told = {name.lower(): value for name, value in headers.items()}
        result = verify_signature(
            told.get("roost-signature"),
            body,
            self._secret,
            tolerance_seconds=self._tolerance_seconds,
            now=now,
        )
        if not result.ok:
            raise WebhookSignatureError(result.reason or "bad_signature")
        event = _read(body, told)
        if event.delivery_id is not None:
            if event.delivery_id in self._seen:
                self._seen.move_to_end(event.delivery_id)
                return None
            self._seen[event.delivery_id] = None
            while len(self._seen) > self._remembered:
                self._seen.popitem(last=False)
        return event

    def forget(self, event: WebhookEvent) -> None:
        """Let an event be received again, as it could not be dealt with."""
        if event.delivery_id is not None:
            self._seen.pop(event.delivery_id, None)


def _read(body: bytes | str, headers: Mapping[str, str]) -> WebhookEvent:
    try:
        payload: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = f"the body of the webhook is no JSON: {error}"
        raise ValueError(msg) from error
    if not isinstance(payload, dict):
        msg = "the body of the webhook is no JSON object"
        raise ValueError(msg)  # noqa: TRY004 - it is what was sent that is wrong, not the call
    event = WebhookEvent.from_json(payload)  # pyright: ignore[reportUnknownArgumentType]
    event.event = event.event or headers.get("roost-event", "")
    event.delivery_id = headers.get("roost-delivery") or event.id
    return event
