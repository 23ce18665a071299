"""Quotas: how much storage a site uses, now and on the days before."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Call, Endpoint
from opssim.owlette.world import World

_GIB: Final = 1024**3
LIMITS: Final = {"free": 5 * _GIB, "starter": 25 * _GIB, "pro": 100 * _GIB, "enterprise": None}
_ALARMS: Final = (1.0, 0.8, 0.5)
_PERIODS: Final = ("7d", "14d", "30d", "60d", "90d")
_MOST_ALARMS: Final = 20


def quota_of(world: World, site: JsonObject) -> JsonObject:
    """Return what a site uses and may use, in bytes."""
    site_id: str = site["id"]
    used = world.database.stored_bytes(f"project-content/{site_id}/")
    used += world.database.stored_bytes(f"project-manifests/{site_id}/")
    limit = LIMITS[site["quotaTier"]]
    fraction = used / limit if limit else None
    level = next((each for each in _ALARMS if (fraction or 0) >= each), 0)
    alarms = world.database.documents(f"sites/{site_id}/quota-alarms", newest_first=True)
    return {
        "siteId": site_id,
        "tier": site["quotaTier"],
        "usedBytes": used,
        "pendingBytes": 0,
        "committedBytes": used,
        "limitBytes": limit,
        "fractionUsed": fraction,
        "unlimited": limit is None,
        "lastAlarmLevel": level,
        "lastAlarmAt": alarms[0]["firedAt"] if alarms else None,
        "lastReconciledAt": world.stamp(),
        "alarms": alarms[:_MOST_ALARMS],
    }


def current(call: Call) -> Answer:
    """Return the quota of a site."""
    return Answer(quota_of(call.world, call.site))


def history(call: Call) -> Answer:
    """Return what a site used, day by day, the latest last."""
    period = call.query.get("period", "30d")
    days = int(period.removesuffix("d"))
    today = call.world.now().date()
    used = quota_of(call.world, call.site)["usedBytes"]
    daily: list[JsonObject] = []
    for ago in range(days - 1, -1, -1):
        date = today - timedelta(days=ago)
        rng = random.Random(f"{call.site_id}-{date}")  # a day that is over stays what it was
        daily.append(
            {
                "date": date.isoformat(),
                "storageBytesAvg": used if ago == 0 else rng.randrange(_GIB),
                "classAOps": rng.randrange(2000),
                "classBOps": rng.randrange(20_000),
                "egressBytes": rng.randrange(_GIB // 4),
            }
        )
    return Answer({"siteId": call.site_id, "period": period, "days": days, "daily": daily})


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/sites/{siteId}/quota",
        handler=current,
        does="Get the quota of a site",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="GET",
        path="/api/sites/{siteId}/quota/history",
        handler=history,
        does="Get what a site used, day by day",
        site="path",
        scope=("site", "read"),
        query={"period": {"type": "string", "enum": list(_PERIODS)}},
    ),
)
