"""Webhooks: who is told of what, what was sent, and with which secret it is signed."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import time
import uuid
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject, encode
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler, Nothing
from opssim.owlette.grammar import new_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.posting import Posted, post
from opssim.owlette.problems import Problem, invalid, not_found
from opssim.owlette.roosts import GRACE
from opssim.owlette.telling import EVENTS, queue, sign

_PAGES: Final = Paging()
_PORTS: Final = frozenset({None, 80, 443, 8080, 8443})
_LONGEST_URL: Final = 2048
_GRACE_HOURS: Final = 24
_KEPT: Final = timedelta(days=30)

Url = Annotated[str, Meta(min_length=1, max_length=_LONGEST_URL)]
Events = Annotated[list[str], Meta(min_length=1)]


class Subscription(Body):
    """Who is to be told of what."""

    url: Url
    events: Events
    description: str | UnsetType | None = UNSET


class SubscriptionPatch(Body):
    """What to change of a webhook."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    paused: bool | UnsetType = UNSET


class Probe(Body):
    """What to send where."""

    url: Url
    event: str
    payload: dict[str, Any] | UnsetType | None = UNSET
    signing_secret: Annotated[str, Meta(min_length=32)] | UnsetType = UNSET


def show_all(call: Call) -> Answer:
    """List the webhooks of a site."""
    rows = [
        _row(webhook)
        for webhook in call.world.database.documents(call.place("webhooks"))
        if webhook["deletedAt"] is None
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["id"])
    return Answer({"webhooks": page, **tokens})


def show(call: Call) -> Answer:
    """Return a webhook."""
    return Answer(_row(_webhook(call)))


def _row(webhook: JsonObject) -> JsonObject:
    names = (
        "id url events description createdAt updatedAt paused lastDeliveryAt lastDeliveryStatus "
        "failureCount"
    )
    row = {name: webhook[name] for name in names.split()}
    if row["description"] is None:
        del row["description"]
    return row


def subscribe(call: Call) -> Answer:
    """Let a URL be told of events."""
    body: Subscription = call.body
    _see_events(body.events)
    _see_url(call, body.url)
    now = call.world.stamp()
    webhook: JsonObject = {
        "id": new_id("wh_"),
        "siteId": call.site_id,
        "url": body.url,
        "events": list(dict.fromkeys(body.events)),
        "description": body.description or None,
        "paused": False,
        "createdAt": now,
        "updatedAt": now,
        "lastDeliveryAt": None,
        "lastDeliveryStatus": None,
        "failureCount": 0,
        "deletedAt": None,
        "signingSecret": _new_secret(),
    }
    _save(call, webhook)
    call.audit("webhook_mutated", webhook["id"], verb="create")
    names = ("id", "siteId", "url", "events", "paused", "createdAt", "signingSecret")
    answer = {name: webhook[name] for name in names}
    if webhook["description"] is not None:
        answer["description"] = webhook["description"]
    return Answer(answer, 201)


def patch(call: Call) -> Answer:
    """Change a webhook."""
    webhook = _webhook(call)
    given = call.body.given()
    if not given:
        raise invalid({"body": ["needs url, events, description or paused"]})
    if "events" in given:
        _see_events(given["events"])
    if "url" in given:
        _see_url(call, given["url"])
    webhook |= given
    webhook["updatedAt"] = call.world.stamp()
    _save(call, webhook)
    call.audit("webhook_mutated", webhook["id"], verb="update")
    return Answer(_row(webhook))


def remove(call: Call) -> Answer:
    """Delete a webhook; to repeat it does no harm."""
    webhook = _webhook(call, deleted=True)
    webhook["deletedAt"] = call.world.stamp()
    _save(call, webhook)
    call.audit("webhook_mutated", webhook["id"], verb="delete")
    return Answer(
        {
            "id": webhook["id"],
            "siteId": call.site_id,
            "softDeleted": True,
            "tombstoneExpiresAt": call.world.stamp(GRACE),
        }
    )


def rotate(call: Call) -> Answer:
    """Sign with a new secret from now on."""
    webhook = _webhook(call)
    webhook["signingSecret"] = _new_secret()
    webhook["updatedAt"] = call.world.stamp()
    _save(call, webhook)
    call.audit("webhook_mutated", webhook["id"], verb="rotate_secret")
    return Answer(
        {
            "id": webhook["id"],
            "siteId": call.site_id,
            "signingSecret": webhook["signingSecret"],
            "previousSecretValidUntil": call.world.stamp(timedelta(hours=_GRACE_HOURS)),
            "gracePeriodHours": _GRACE_HOURS,
            "rotatedAt": call.world.stamp(),
        }
    )


def show_deliveries(call: Call) -> Answer:
    """List what was sent to a webhook in the last 30 days, the latest first."""
    _webhook(call)
    names = "id event state attempt lastStatus lastError createdAt completedAt nextAttemptAt"
    oldest = call.world.stamp(-_KEPT)
    rows = [
        {name: delivery[name] for name in names.split()}
        for delivery in call.world.database.documents(_deliveries(call), newest_first=True)
        if delivery["createdAt"] >= oldest
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["id"])
    return Answer({"deliveries": page, **tokens})


def show_delivery(call: Call) -> Answer:
    """Return what was sent once, and what came back."""
    _webhook(call)
    delivery = _delivery(call)
    return Answer({name: value for name, value in delivery.items() if name != "toldAs"})


def retry(call: Call) -> Answer:
    """Send the same once more."""
    webhook, old = _webhook(call), _delivery(call)
    body: str = old["request"]["body"]
    new, told_as = new_id("dlv_", 28), old["toldAs"]
    again = queue(call.world, webhook, new, old["event"], body.encode(), told_as=told_as)
    return Answer(
        {
            "id": again["id"],
            "webhookId": webhook["id"],
            "siteId": call.site_id,
            "retryOf": old["id"],
            "state": "pending",
            "nextAttemptAt": again["nextAttemptAt"],
        },
        202,
    )


def probe(call: Call) -> Answer:
    """Send an event to a URL at once, and return what it answered."""
    body: Probe = call.body
    _see_events([body.event])
    _see_url(call, body.url)
    secret = _new_secret() if body.signing_secret is UNSET else body.signing_secret
    delivery_id = str(uuid.uuid4())
    envelope = {
        "data": body.payload or {},
        "event": body.event,
        "id": f"evt_probe_{secrets.token_hex(8)}",
        "occurredAt": call.world.stamp(),
        "siteId": call.site_id,
    }
    sent = encode(envelope)
    signature = sign(sent, secret, int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "roost-probe/1.0",
        "Roost-Event": body.event,
        "Roost-Delivery": delivery_id,
        "Roost-Signature": signature,
    }
    known = {
        "deliveryId": delivery_id,
        "event": body.event,
        "requestBody": sent.decode(),
        "signature": signature,
        "signingSecret": secret,
    }

    def finish() -> JsonObject:
        answer: Posted = post(body.url, sent, headers)
        told = {"networkError": answer.error} if answer.error else {"responseBody": answer.body}
        return {"status": answer.status, "durationMs": answer.milliseconds, **known, **told}

    return Answer(finish=finish)


def _webhook(call: Call, *, deleted: bool = False) -> JsonObject:
    webhook = call.world.database.get(call.place("webhooks"), call.path["webhookId"])
    if webhook is None or (webhook["deletedAt"] is not None and not deleted):
        raise not_found("webhook")
    return webhook


def _deliveries(call: Call) -> str:
    return call.place("webhooks", call.path["webhookId"], "deliveries")


def _delivery(call: Call) -> JsonObject:
    delivery = call.world.database.get(_deliveries(call), call.path["deliveryId"])
    if delivery is None:
        raise not_found("delivery")
    return delivery


def _save(call: Call, webhook: JsonObject) -> None:
    call.world.database.put(call.place("webhooks"), webhook["id"], webhook)


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(32)}"


def _see_events(events: list[str]) -> None:
    unknown = [each for each in events if each not in EVENTS]
    if unknown:
        raise invalid({"body.events": [f"unknown: {', '.join(unknown)[:200]}"]})


def _see_url(call: Call, url: str) -> None:
    """Refuse URLs that Owlette does not deliver to; this machine is, as a rule, let through."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise invalid({"body.url": ["must be a URL"]}) from error
    if not host or not host.isascii() or any(each.isspace() for each in url):
        raise invalid({"body.url": ["must be a URL"]})
    if call.world.habits.loopback_webhooks and host in {"127.0.0.1", "localhost"}:
        if parts.scheme not in {"http", "https"}:
            raise Problem(400, "bad_scheme", "the URL must be http or https")
        return
    if parts.scheme != "https":
        raise Problem(400, "bad_scheme", "the URL must be https")
    if port not in _PORTS:
        raise Problem(400, "bad_port", "the port must be 80, 443, 8080 or 8443")
    if _is_private(host):
        raise Problem(400, "private_ip", "the host must not be a private address")


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return socket.gethostname() == host or host.endswith((".local", ".internal", "localhost"))


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    writes = method != "GET"
    usual: dict[str, Any] = {
        "site": "query",
        "scope": ("site", "write" if writes else "read"),
        "capability": "WEBHOOK_MANAGE" if writes else None,
        "of_roosts": True,
    }
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


_BASE: Final = "/api/webhooks"
_ONE: Final = f"{_BASE}/{{webhookId}}"
_DELIVERY: Final = f"{_ONE}/deliveries/{{deliveryId}}"

ENDPOINTS: Final = (
    _endpoint("GET", _BASE, show_all, "List webhooks", paging=_PAGES),
    _endpoint(
        "POST",
        _BASE,
        subscribe,
        "Let a URL be told of events",
        body=Subscription,
        idempotency="optional",
        answers=(201,),
    ),
    _endpoint("POST", f"{_BASE}/probe", probe, "Send an event at once", body=Probe),
    _endpoint("GET", _ONE, show, "Get a webhook"),
    _endpoint(
        "PATCH",
        _ONE,
        patch,
        "Change a webhook",
        body=SubscriptionPatch,
        idempotency="optional",
    ),
    _endpoint("DELETE", _ONE, remove, "Delete a webhook"),
    _endpoint(
        "POST",
        f"{_ONE}/rotate-secret",
        rotate,
        "Sign with a new secret",
        body=Nothing,
        idempotency="optional",
    ),
    _endpoint("GET", f"{_ONE}/deliveries", show_deliveries, "List what was sent", paging=_PAGES),
    _endpoint("GET", _DELIVERY, show_delivery, "Get what was sent once"),
    _endpoint(
        "POST",
        f"{_DELIVERY}/retry",
        retry,
        "Send the same once more",
        body=Nothing,
        idempotency="optional",
        answers=(202,),
    ),
)
