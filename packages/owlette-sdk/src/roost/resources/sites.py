"""Sites: places with machines."""

from __future__ import annotations

from dataclasses import dataclass

from roost._model import Model
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = ["Site", "Sites"]


@dataclass(slots=True)
class Site(Model):
    """A site. Times are ISO 8601, in UTC."""

    id: str
    name: str | None = None
    plan: str | None = None
    timezone: str | None = None
    owner: str | None = None
    created_at: str | None = None
    tier: str | None = None


class Sites(Resource):
    """Sites that the key may see: `client.sites`."""

    async def list(self) -> list[Site]:
        """Return all sites, sorted by name."""
        return Site.list_of((await self._ask(api_path("sites"))).data, "sites", "items")

    async def get(self, site_id: str) -> Site:
        """Return one site.

        Raises:
            NotFoundError: it is not there, or not for this key.
        """
        return Site.from_json((await self._ask(api_path("sites", site_id))).data)
