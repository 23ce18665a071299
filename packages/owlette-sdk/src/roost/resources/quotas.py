"""Storage of a site: what is used, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from roost._model import Model
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = ["QuotaAlarm", "QuotaHistory", "QuotaHistoryDay", "QuotaSnapshot", "Quotas"]


@dataclass(slots=True)
class QuotaAlarm(Model):
    """A warning that was given: at which part of the limit, and when (ISO 8601)."""

    id: str
    threshold: float = 0.0
    fired_at: str | None = None


@dataclass(slots=True)
class QuotaSnapshot(Model):
    """What a site uses of its storage, in bytes.

    Attributes:
        pending_bytes: announced, but not uploaded yet.
        committed_bytes: both together.
        limit_bytes: None if there is no limit.
        fraction_used: from 0 to 1; None if there is no limit.
        last_alarm_level: 0, 0.5, 0.8 or 1.0.
    """

    site_id: str
    tier: str | None = None
    used_bytes: int = 0
    pending_bytes: int = 0
    committed_bytes: int = 0
    limit_bytes: int | None = None
    fraction_used: float | None = None
    unlimited: bool = False
    last_alarm_level: float = 0.0
    last_alarm_at: str | None = None
    last_reconciled_at: str | None = None
    alarms: list[QuotaAlarm] = field(default_factory=list[QuotaAlarm])


@dataclass(slots=True)
class QuotaHistoryDay(Model):
    """What was used on one day: bytes, and operations of the storage."""

    date: str
    storage_bytes_avg: int = 0
    class_a_ops: int = 0
    class_b_ops: int = 0
    egress_bytes: int = 0


class QuotaHistory(TypedDict):
    """What was used, day by day: `QuotaHistoryDay.list_of(history["daily"])` has names for it."""

    siteId: str
    period: str
    days: int
    daily: list[dict[str, Any]]


class Quotas(Resource):
    """Storage of sites: `client.quotas`."""

    async def current(self, site_id: str) -> QuotaSnapshot:
        """Return what a site uses now."""
        answer = await self._ask(api_path("sites", site_id, "quota"))
        return QuotaSnapshot.from_json(answer.data)

    async def history(
        self, site_id: str, period: Literal["7d", "14d", "30d", "60d", "90d"] = "30d"
    ) -> QuotaHistory:
        """Return what a site has used, day by day."""
        answer = await self._ask(
            api_path("sites", site_id, "quota", "history"), query={"period": period}
        )
        history: QuotaHistory = answer.data
        return history
