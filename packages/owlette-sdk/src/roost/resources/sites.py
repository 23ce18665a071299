"""Sites: places with machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from roost._model import Model
from roost._paths import api_path
from roost.resources._resource import Resource, given

__all__ = ["CreatedSite", "DeletedSite", "Site", "Sites", "UpdatedSite"]


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


class CreatedSite(TypedDict):
    """A site that was made. `createdAt` is milliseconds since 1970."""

    siteId: str
    name: str
    timezone: str
    owner: str
    tier: str
    createdAt: int


class UpdatedSite(TypedDict):
    """A site, and which of its fields were changed."""

    siteId: str
    changed: bool
    updated: dict[str, Any]


class DeletedSite(TypedDict):
    """A site that is not there any more."""

    siteId: str
    deleted: bool


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

    async def create(
        self,
        site_id: str,
        *,
        name: str,
        timezone: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSite:
        """Make a site, which belongs to the user of the key.

        Args:
            site_id: its id.
            name: what it is called.
            timezone: as `Europe/Berlin`.
            idempotency_key: sent as it is; the server does not heed it here.

        Raises:
            ConflictError: there is one with this id (`site_already_exists`).
        """
        answer = await self._ask(
            api_path("sites"),
            method="POST",
            body={"siteId": site_id, "name": name, **given(timezone=timezone)},
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        created: CreatedSite = answer.data
        return created

    async def update(
        self,
        site_id: str,
        *,
        name: str | None = None,
        timezone: str | None = None,
        time_format: Literal["12h", "24h"] | None = None,
        idempotency_key: str | None = None,
    ) -> UpdatedSite:
        """Change what is given, and leave the rest as it is.

        Args:
            site_id: the site.
            name: what it is called.
            timezone: as `Europe/Berlin`.
            time_format: how times are shown.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            ValueError: nothing is given.
        """
        body = given(name=name, timezone=timezone, timeFormat=time_format)
        if not body:
            msg = "sites.update requires at least one field to change"
            raise ValueError(msg)
        answer = await self._ask(
            api_path("sites", site_id),
            method="PATCH",
            body=body,
            idempotency_key=idempotency_key,
        )
        updated: UpdatedSite = answer.data
        return updated

    async def delete(self, site_id: str, *, idempotency_key: str | None = None) -> DeletedSite:
        """Delete a site, with all that is in it."""
        answer = await self._ask(
            api_path("sites", site_id), method="DELETE", idempotency_key=idempotency_key
        )
        deleted: DeletedSite = answer.data
        return deleted
