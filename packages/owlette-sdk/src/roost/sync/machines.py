"""`machines` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from roost._portal import Portal
from roost.resources.machines import (
    CommandState,
    CommandType,
    DeletedScreenshots,
    MachineDeployment,
    MachineDetail,
    Machines,
    MachineSummary,
    SentCommand,
)

__all__ = ["MachinesSync"]


class MachinesSync:
    """Machines of sites: `client.machines`."""

    def __init__(self, group: Machines, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self, site_id: str) -> builtins.list[MachineSummary]:
        """Return all machines of a site.

        For the rest, see `Machines.list`.
        """
        return self._portal.run(self._group.list(site_id))

    def get(self, site_id: str, machine_id: str) -> MachineDetail:
        """Return one machine.

        For the rest, see `Machines.get`.
        """
        return self._portal.run(self._group.get(site_id, machine_id))

    def deployments(self, site_id: str, machine_id: str) -> builtins.list[MachineDeployment]:
        """Return how far a machine has come with each of its roosts.

        For the rest, see `Machines.deployments`.
        """
        return self._portal.run(self._group.deployments(site_id, machine_id))

    def dispatch_command(
        self,
        site_id: str,
        machine_id: str,
        type: CommandType,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> SentCommand:
        """Tell a machine to do something; `get_command` tells what came of it.

        For the rest, see `Machines.dispatch_command`.
        """
        return self._portal.run(
            self._group.dispatch_command(
                site_id,
                machine_id,
                type,
                params,
                timeout_seconds=timeout_seconds,
                idempotency_key=idempotency_key,
            )
        )

    def get_command(self, site_id: str, machine_id: str, command_id: str) -> CommandState:
        """Return how far a command has come.

        For the rest, see `Machines.get_command`.
        """
        return self._portal.run(self._group.get_command(site_id, machine_id, command_id))

    def wait_for_command(
        self, site_id: str, machine_id: str, command_id: str, *, timeout_seconds: float = 60.0
    ) -> CommandState:
        """Return a command once it is completed.

        For the rest, see `Machines.wait_for_command`.
        """
        return self._portal.run(
            self._group.wait_for_command(
                site_id, machine_id, command_id, timeout_seconds=timeout_seconds
            )
        )

    def capture_screenshot(
        self,
        site_id: str,
        machine_id: str,
        *,
        monitor: Literal["all", "primary"] | int = "all",
        timeout_seconds: float = 60.0,
        download_to: str | Path | None = None,
        idempotency_key: str | None = None,
    ) -> bytes:
        """Return a picture of what a machine shows, as PNG or JPEG.

        For the rest, see `Machines.capture_screenshot`.
        """
        return self._portal.run(
            self._group.capture_screenshot(
                site_id,
                machine_id,
                monitor=monitor,
                timeout_seconds=timeout_seconds,
                download_to=download_to,
                idempotency_key=idempotency_key,
            )
        )

    def delete_screenshots(
        self, site_id: str, machine_id: str, *, idempotency_key: str | None = None
    ) -> DeletedScreenshots:
        """Delete all pictures of a machine that are kept.

        For the rest, see `Machines.delete_screenshots`.
        """
        return self._portal.run(
            self._group.delete_screenshots(site_id, machine_id, idempotency_key=idempotency_key)
        )
