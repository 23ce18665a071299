"""What a site has ready to be used again: `client.presets(site_id)`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource

__all__ = ["PresetKind", "Presets"]


class PresetKind(Resource):
    """Presets of one kind, as plain objects: their fields depend on the kind."""

    __slots__ = ("_place",)

    def __init__(self, http: RoostClient, site_id: str, kind: str) -> None:
        super().__init__(http)
        self._place = ("sites", site_id, "presets", kind)

    async def list(self) -> builtins.list[dict[str, Any]]:
        """Return all of them."""
        answer = await self._ask(api_path(*self._place))
        rows: builtins.list[dict[str, Any]] = answer.data.get("items") or []
        return rows

    async def get(self, preset_id: str) -> dict[str, Any]:
        """Return one.

        Raises:
            NotFoundError: it is not there.
        """
        preset: dict[str, Any] = (await self._ask(api_path(*self._place, preset_id))).data
        return preset

    async def create(
        self, preset: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Make one, and return its id.

        Args:
            preset: its `name`, and the fields of its kind: `blocks` of a schedule, `entries` of a
                reboot, `installer_url` and its like of a deployment template.
            idempotency_key: one of the caller's.
        """
        answer = await self._ask(
            api_path(*self._place),
            method="POST",
            body=dict(preset),
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        created: dict[str, Any] = answer.data
        return created

    async def update(
        self, preset_id: str, changes: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Change the fields that are given.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(
            api_path(*self._place, preset_id),
            method="PATCH",
            body=dict(changes),
            idempotency_key=idempotency_key,
        )
        updated: dict[str, Any] = answer.data
        return updated

    async def delete(self, preset_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete one."""
        await self._http.request(
            api_path(*self._place, preset_id), method="DELETE", idempotency_key=idempotency_key
        )


class Presets(Resource):
    """Presets of one site.

    Attributes:
        schedule: when processes run.
        reboot: when machines reboot.
        deployment_template: installers, with how they are run.
        distribution: project files, with where they go.
    """

    __slots__ = ("deployment_template", "distribution", "reboot", "schedule")

    def __init__(self, http: RoostClient, site_id: str) -> None:
        super().__init__(http)
        self.schedule: PresetKind = PresetKind(http, site_id, "schedule")
        self.reboot: PresetKind = PresetKind(http, site_id, "reboot")
        self.deployment_template: PresetKind = PresetKind(http, site_id, "deployment-template")
        self.distribution: PresetKind = PresetKind(http, site_id, "distribution")
