"""What webhooks are told: events, as they are queued and signed."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from opssim.core.store import JsonObject, encode
from opssim.owlette.world import World

EVENTS: Final = frozenset(
    {
        "version.published",
        "version.rolled_back",
        "deployment.started",
        "deployment.completed",
        "deployment.failed",
        "machine.online",
        "machine.offline",
        "chunk.garbage_collected",
        "chunk.verify_failed",
        "quota.warning",
        "quota.exceeded",
        "api_key.used",
        "api_key.expired",
    }
)
QUEUE: Final = "webhook-queue"


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the header that proves who sent a body, and when."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def emit(world: World, event: str, site_id: str, data: JsonObject) -> None:
    """Queue an event for all who want to know of it, within the transaction that made it."""
    for webhook in world.database.documents(f"sites/{site_id}/webhooks"):
        is_wanted = event in webhook["events"] and not webhook["paused"]
        if is_wanted and webhook["deletedAt"] is None:
            body = {"event": event, "siteId": site_id, "occurredAt": world.stamp(), "data": data}
            text = encode({name: body[name] for name in sorted(body)})
            unique = hashlib.sha256(f"{event}|{site_id}|".encode() + text).hexdigest()[:32]
            queue(world, webhook, unique, event, text)


def queue(
    world: World,
    webhook: JsonObject,
    delivery_id: str,
    event: str,
    body: bytes,
    *,
    told_as: str | None = None,
) -> JsonObject:
    """Queue a delivery to one webhook, under the name of an earlier one if it is told again."""
    delivery: JsonObject = {
        "id": delivery_id,
        "event": event,
        "state": "pending",
        "attempt": 0,
        "lastStatus": None,
        "lastError": None,
        "createdAt": world.stamp(),
        "completedAt": None,
        "nextAttemptAt": world.stamp(),
        "webhookId": webhook["id"],
        "siteId": webhook["siteId"],
        "request": {"method": "POST", "url": webhook["url"], "headers": {}, "body": body.decode()},
        "response": None,
        "toldAs": told_as or delivery_id,
    }
    place = f"sites/{webhook['siteId']}/webhooks/{webhook['id']}/deliveries"
    world.database.put(place, delivery_id, delivery)
    due = {"place": place, "id": delivery_id}
    world.database.put(QUEUE, f"{webhook['id']}/{delivery_id}", due)
    return delivery
