"""Webhooks: URLs that are told of events, and what became of each telling."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._resource import NOT_GIVEN, NotGiven, Resource, given

__all__ = [
    "CreatedWebhook",
    "DeliveryDetail",
    "DeliveryPage",
    "DeliveryRow",
    "ProbeResult",
    "RemovedWebhook",
    "RetriedDelivery",
    "RotatedSecret",
    "WebhookRow",
    "WebhookSubscription",
    "Webhooks",
]


@dataclass(slots=True)
class WebhookSubscription(Model):
    """A URL that is told of events. Times are ISO 8601, in UTC.

    Attributes:
        paused: whether nothing is sent for now.
        failure_count: failures since the last success.
    """

    id: str
    url: str
    events: list[str] = field(default_factory=list[str])
    description: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    paused: bool = False
    last_delivery_at: str | None = None
    last_delivery_status: str | None = None
    failure_count: int = 0
    site_id: str | None = None


class _Webhook(TypedDict):
    id: str
    url: str
    events: list[str]
    paused: bool
    createdAt: str


class WebhookRow(_Webhook, total=False):
    """A URL that is told of events. Times are ISO 8601, in UTC."""

    siteId: str
    description: str | None
    updatedAt: str
    lastDeliveryAt: str | None
    lastDeliveryStatus: str | None
    failureCount: int


class CreatedWebhook(WebhookRow):
    """A webhook that was just made: `signingSecret` is shown this once."""

    signingSecret: str


class RotatedSecret(TypedDict):
    """A new secret, which signs at once: accept the old one until `previousSecretValidUntil`."""

    id: str
    siteId: str
    signingSecret: str
    previousSecretValidUntil: str
    gracePeriodHours: int
    rotatedAt: str


class RemovedWebhook(TypedDict):
    """A webhook that was removed."""

    id: str
    siteId: str
    softDeleted: bool
    tombstoneExpiresAt: str


class DeliveryRow(TypedDict):
    """What became of one event: `state` is `pending`, `succeeded` or `failed`."""

    id: str
    event: str
    state: str
    attempt: int
    lastStatus: int | None
    lastError: str | None
    createdAt: str
    completedAt: str | None
    nextAttemptAt: str | None


class DeliveryPage(TypedDict):
    """Some deliveries, the latest first."""

    deliveries: list[DeliveryRow]
    next_page_token: str
    nextPageToken: str


class DeliveryDetail(DeliveryRow):
    """What became of one event, with what was sent and what came back."""

    webhookId: str
    siteId: str
    request: dict[str, Any]
    response: dict[str, Any] | None


class RetriedDelivery(TypedDict):
    """A delivery that is tried again."""

    id: str
    webhookId: str
    siteId: str
    retryOf: str
    state: str
    nextAttemptAt: str


class _Probe(TypedDict):
    status: int | None
    durationMs: int
    deliveryId: str
    event: str
    requestBody: str
    signature: str
    signingSecret: str


class ProbeResult(_Probe, total=False):
    """What came of a test: `status` is None if there was no answer, for `networkError`."""

    responseBody: str
    networkError: str


class Webhooks(Resource):
    """Webhooks of a site: `client.webhooks`."""

    async def subscribe(
        self,
        site_id: str,
        url: str,
        events: Sequence[str],
        description: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CreatedWebhook:
        """Let a URL be told of events.

        Args:
            site_id: the site.
            url: where to: https, on a usual port, at a public address.
            events: their names, such as `version.published`.
            description: what it is for.
            idempotency_key: one of the caller's.

        Raises:
            InvalidRequestError: an event is unknown, or the URL is refused (`private_ip`,
                `bad_scheme`, `bad_port`).
        """
        answer = await self._ask(
            api_path("webhooks"),
            method="POST",
            query={"siteId": site_id},
            body={"url": url, "events": _events(events), **given(description=description)},
            idempotency_key=idempotency_key,
        )
        created: CreatedWebhook = answer.data
        return created

    async def list(self, site_id: str) -> builtins.list[WebhookSubscription]:
        """Return all webhooks of a site."""
        return [each async for each in self._all(site_id)]

    async def _all(self, site_id: str) -> AsyncGenerator[WebhookSubscription, None]:
        async def page(token: str | None) -> tuple[builtins.list[WebhookSubscription], str | None]:
            answer = await self._ask(
                api_path("webhooks"), query={"siteId": site_id, "page_token": token}
            )
            rows = WebhookSubscription.list_of(answer.data, "webhooks", "items")
            return rows, next_token(answer.data)

        async for row in walk(page, None):
            yield row

    async def get(self, webhook_id: str, site_id: str) -> WebhookRow:
        """Return one webhook.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(api_path("webhooks", webhook_id), query={"siteId": site_id})
        row: WebhookRow = answer.data
        return row

    async def update(
        self,
        webhook_id: str,
        site_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | NotGiven | None = NOT_GIVEN,
        paused: bool | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookRow:
        """Change what is given, and leave the rest as it is.

        Args:
            webhook_id: the webhook.
            site_id: its site.
            url: where to.
            events: the names of all events that it is told of from now on.
            description: what it is for; None takes it away.
            paused: whether to send nothing for now.
            idempotency_key: one of the caller's.

        Raises:
            InvalidRequestError: nothing is given, or the URL or an event is refused.
        """
        body = given(url=url, events=None if events is None else _events(events), paused=paused)
        if not isinstance(description, NotGiven):
            body["description"] = description
        answer = await self._ask(
            api_path("webhooks", webhook_id),
            method="PATCH",
            query={"siteId": site_id},
            body=body,
            idempotency_key=idempotency_key,
        )
        row: WebhookRow = answer.data
        return row

    async def remove(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RemovedWebhook:
        """Remove a webhook."""
        answer = await self._ask(
            api_path("webhooks", webhook_id),
            method="DELETE",
            query={"siteId": site_id},
            idempotency_key=idempotency_key,
        )
        removed: RemovedWebhook = answer.data
        return removed

    async def rotate_secret(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RotatedSecret:
        """Let another secret sign from now on; the old one is not used any more.

        What was signed with the old one may still be under way: for a day, verify with both.
        """
        answer = await self._ask(
            api_path("webhooks", webhook_id, "rotate-secret"),
            method="POST",
            query={"siteId": site_id},
            body={},
            idempotency_key=idempotency_key,
        )
        rotated: RotatedSecret = answer.data
        return rotated

    async def deliveries(
        self,
        webhook_id: str,
        site_id: str,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """Return what became of the events of the last 30 days, page by page.

        Args:
            webhook_id: the webhook.
            site_id: its site.
            page_size: rows of a page, up to 100; 20 by default.
            page_token: where to begin: `next_page_token` of the page before.
        """
        answer = await self._ask(
            api_path("webhooks", webhook_id, "deliveries"),
            query={"siteId": site_id, **page_query(page_size, page_token, None)},
        )
        page: DeliveryPage = answer.data
        return page

    async def delivery(self, webhook_id: str, delivery_id: str, site_id: str) -> DeliveryDetail:
        """Return what was sent of one event, and what came back."""
        answer = await self._ask(
            api_path("webhooks", webhook_id, "deliveries", delivery_id), query={"siteId": site_id}
        )
        delivery: DeliveryDetail = answer.data
        return delivery

    async def retry_delivery(
        self,
        webhook_id: str,
        delivery_id: str,
        site_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> RetriedDelivery:
        """Let one event be sent again."""
        answer = await self._ask(
            api_path("webhooks", webhook_id, "deliveries", delivery_id, "retry"),
            method="POST",
            query={"siteId": site_id},
            body={},
            idempotency_key=idempotency_key,
        )
        retried: RetriedDelivery = answer.data
        return retried

    async def probe(
        self,
        site_id: str,
        event: str,
        *,
        url: str,
        payload: Mapping[str, Any] | None = None,
        signing_secret: str | None = None,
        idempotency_key: str | None = None,
    ) -> ProbeResult:
        """Let a test event be sent to a URL, and return what came of it.

        Args:
            site_id: the site.
            event: the name of the event.
            url: where to.
            payload: the event's data.
            signing_secret: what to sign it with, at least 32 characters; the server makes one up.
            idempotency_key: sent as it is; the server does not heed it here.
        """
        answer = await self._ask(
            api_path("webhooks", "probe"),
            method="POST",
            query={"siteId": site_id},
            body={
                "url": url,
                "event": event,
                **given(
                    payload=None if payload is None else dict(payload),
                    signingSecret=signing_secret,
                ),
            },
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        result: ProbeResult = answer.data
        return result


def _events(events: Sequence[str]) -> builtins.list[str]:
    if isinstance(events, str):
        msg = f"events are given as a list of names, not as one text: {events!r}"
        raise TypeError(msg)
    return [*events]
