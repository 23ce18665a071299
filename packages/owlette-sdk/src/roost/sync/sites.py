"""`sites` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from typing import Literal

from roost._portal import Portal
from roost.resources.sites import CreatedSite, DeletedSite, Site, Sites, UpdatedSite

__all__ = ["SitesSync"]


class SitesSync:
    """Sites that the key may see: `client.sites`."""

    def __init__(self, group: Sites, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> list[Site]:
        """Return all sites, sorted by name.

        For the rest, see `Sites.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, site_id: str) -> Site:
        """Return one site.

        For the rest, see `Sites.get`.
        """
        return self._portal.run(self._group.get(site_id))

    def create(
        self,
        site_id: str,
        *,
        name: str,
        timezone: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSite:
        """Make a site, which belongs to the user of the key.

        For the rest, see `Sites.create`.
        """
        return self._portal.run(
            self._group.create(
                site_id, name=name, timezone=timezone, idempotency_key=idempotency_key
            )
        )

    def update(
        self,
        site_id: str,
        *,
        name: str | None = None,
        timezone: str | None = None,
        time_format: Literal["12h", "24h"] | None = None,
        idempotency_key: str | None = None,
    ) -> UpdatedSite:
        """Change what is given, and leave the rest as it is.

        For the rest, see `Sites.update`.
        """
        return self._portal.run(
            self._group.update(
                site_id,
                name=name,
                timezone=timezone,
                time_format=time_format,
                idempotency_key=idempotency_key,
            )
        )

    def delete(self, site_id: str, *, idempotency_key: str | None = None) -> DeletedSite:
        """Delete a site, with all that is in it.

        For the rest, see `Sites.delete`.
        """
        return self._portal.run(self._group.delete(site_id, idempotency_key=idempotency_key))
