"""`webhooks` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from roost._portal import Portal
from roost.resources._resource import NOT_GIVEN, NotGiven
from roost.resources.webhooks import (
    CreatedWebhook,
    DeliveryDetail,
    DeliveryPage,
    ProbeResult,
    RemovedWebhook,
    RetriedDelivery,
    RotatedSecret,
    WebhookRow,
    Webhooks,
    WebhookSubscription,
)

__all__ = ["WebhooksSync"]


class WebhooksSync:
    """Webhooks of a site: `client.webhooks`."""

    def __init__(self, group: Webhooks, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def subscribe(
        self,
        site_id: str,
        url: str,
        events: Sequence[str],
        description: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CreatedWebhook:
        """Let a URL be told of events.

        For the rest, see `Webhooks.subscribe`.
        """
        return self._portal.run(
            self._group.subscribe(
                site_id, url, events, description, idempotency_key=idempotency_key
            )
        )

    def list(self, site_id: str) -> builtins.list[WebhookSubscription]:
        """Return all webhooks of a site.

        For the rest, see `Webhooks.list`.
        """
        return self._portal.run(self._group.list(site_id))

    def get(self, webhook_id: str, site_id: str) -> WebhookRow:
        """Return one webhook.

        For the rest, see `Webhooks.get`.
        """
        return self._portal.run(self._group.get(webhook_id, site_id))

    def update(
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

        For the rest, see `Webhooks.update`.
        """
        return self._portal.run(
            self._group.update(
                webhook_id,
                site_id,
                url=url,
                events=events,
                description=description,
                paused=paused,
                idempotency_key=idempotency_key,
            )
        )

    def remove(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RemovedWebhook:
        """Remove a webhook.

        For the rest, see `Webhooks.remove`.
        """
        return self._portal.run(
            self._group.remove(webhook_id, site_id, idempotency_key=idempotency_key)
        )

    def rotate_secret(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RotatedSecret:
        """Let another secret sign from now on; the old one is not used any more.

        For the rest, see `Webhooks.rotate_secret`.
        """
        return self._portal.run(
            self._group.rotate_secret(webhook_id, site_id, idempotency_key=idempotency_key)
        )

    def deliveries(
        self,
        webhook_id: str,
        site_id: str,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """Return what became of the events of the last 30 days, page by page.

        For the rest, see `Webhooks.deliveries`.
        """
        return self._portal.run(
            self._group.deliveries(webhook_id, site_id, page_size=page_size, page_token=page_token)
        )

    def delivery(self, webhook_id: str, delivery_id: str, site_id: str) -> DeliveryDetail:
        """Return what was sent of one event, and what came back.

        For the rest, see `Webhooks.delivery`.
        """
        return self._portal.run(self._group.delivery(webhook_id, delivery_id, site_id))

    def retry_delivery(
        self, webhook_id: str, delivery_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RetriedDelivery:
        """Let one event be sent again.

        For the rest, see `Webhooks.retry_delivery`.
        """
        return self._portal.run(
            self._group.retry_delivery(
                webhook_id, delivery_id, site_id, idempotency_key=idempotency_key
            )
        )

    def probe(
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

        For the rest, see `Webhooks.probe`.
        """
        return self._portal.run(
            self._group.probe(
                site_id,
                event,
                url=url,
                payload=payload,
                signing_secret=signing_secret,
                idempotency_key=idempotency_key,
            )
        )
