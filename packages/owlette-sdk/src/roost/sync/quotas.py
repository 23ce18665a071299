"""`quotas` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from typing import Literal

from roost._portal import Portal
from roost.resources.quotas import QuotaHistory, Quotas, QuotaSnapshot

__all__ = ["QuotasSync"]


class QuotasSync:
    """Storage of sites: `client.quotas`."""

    def __init__(self, group: Quotas, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def current(self, site_id: str) -> QuotaSnapshot:
        """Return what a site uses now.

        For the rest, see `Quotas.current`.
        """
        return self._portal.run(self._group.current(site_id))

    def history(
        self, site_id: str, period: Literal["7d", "14d", "30d", "60d", "90d"] = "30d"
    ) -> QuotaHistory:
        """Return what a site has used, day by day.

        For the rest, see `Quotas.history`.
        """
        return self._portal.run(self._group.history(site_id, period))
