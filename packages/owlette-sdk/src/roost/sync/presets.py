"""`presets` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from roost._portal import Portal
from roost.resources.presets import PresetKind, Presets

__all__ = ["PresetKindSync", "PresetsSync"]


class PresetKindSync:
    """Presets of one kind, as plain objects: their fields depend on the kind."""

    def __init__(self, group: PresetKind, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[dict[str, Any]]:
        """Return all of them.

        For the rest, see `PresetKind.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, preset_id: str) -> dict[str, Any]:
        """Return one.

        For the rest, see `PresetKind.get`.
        """
        return self._portal.run(self._group.get(preset_id))

    def create(
        self, preset: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Make one, and return its id.

        For the rest, see `PresetKind.create`.
        """
        return self._portal.run(self._group.create(preset, idempotency_key=idempotency_key))

    def update(
        self, preset_id: str, changes: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Change the fields that are given.

        For the rest, see `PresetKind.update`.
        """
        return self._portal.run(
            self._group.update(preset_id, changes, idempotency_key=idempotency_key)
        )

    def delete(self, preset_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete one.

        For the rest, see `PresetKind.delete`.
        """
        return self._portal.run(self._group.delete(preset_id, idempotency_key=idempotency_key))


class PresetsSync:
    """Presets of one site."""

    def __init__(self, group: Presets, portal: Portal) -> None:
        self._group = group
        self._portal = portal
        self.schedule: PresetKindSync = PresetKindSync(group.schedule, portal)
        self.reboot: PresetKindSync = PresetKindSync(group.reboot, portal)
        self.deployment_template: PresetKindSync = PresetKindSync(group.deployment_template, portal)
        self.distribution: PresetKindSync = PresetKindSync(group.distribution, portal)
