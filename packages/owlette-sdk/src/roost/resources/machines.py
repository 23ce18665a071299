"""Machines of a site: how they are, what runs on them, and what they are told to do."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

from roost._errors import RoostError, api_error
from roost._model import Model
from roost._paths import api_path
from roost.resources._resource import Resource, inner

__all__ = [
    "CommandState",
    "CommandStatus",
    "CommandType",
    "DeletedScreenshots",
    "MachineDeployment",
    "MachineDetail",
    "MachineRoost",
    "MachineSummary",
    "Machines",
    "SentCommand",
]

#: What a machine can be told. The server may know more: any text is sent as it is.
CommandType = (
    Literal[
        "reboot_machine",
        "shutdown_machine",
        "cancel_reboot",
        "dismiss_reboot_pending",
        "capture_screenshot",
        "start_live_view",
        "stop_live_view",
        "restart_process",
        "start_process",
        "stop_process",
        "kill_process",
        "set_launch_mode",
        "apply_display_topology",
        "ack_display_topology",
        "enumerate_display_modes",
        "test_display_apply",
        "mcp_tool_call",
        "update_owlette",
    ]
    | str
)
#: How far a command has come.
CommandStatus = Literal["pending", "queued", "in_progress", "completed", "failed"] | str

#: Seconds between two looks at a command.
_PACE_S = 1.5


@dataclass(slots=True)
class MachineRoost(Model):
    """A roost that a machine has."""

    roost_id: str
    name: str | None = None
    current_version_id: str | None = None
    version_counter: int | None = None


@dataclass(slots=True)
class MachineSummary(Model):
    """A machine in a list. Times are ISO 8601, in UTC."""

    id: str
    name: str | None = None
    online: bool = False
    last_heartbeat: str | None = None
    agent_version: str | None = None
    os: str | None = None
    current_roosts: list[MachineRoost] = field(default_factory=list[MachineRoost])


@dataclass(slots=True)
class MachineDetail(Model):
    """A machine, with what it measures and what runs on it. Times are ISO 8601, in UTC."""

    id: str
    name: str | None = None
    online: bool = False
    last_heartbeat: str | None = None
    agent_version: str | None = None
    os: str | None = None
    current_roosts: list[MachineRoost] = field(default_factory=list[MachineRoost])
    site_id: str | None = None
    hostname: str | None = None
    metrics: dict[str, Any] | None = None
    processes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(slots=True)
class MachineDeployment(Model):
    """How far a machine has come with a roost. Times are ISO 8601, in UTC."""

    roost_id: str
    name: str | None = None
    current_version_id: str | None = None
    previous_version_id: str | None = None
    extract_path: str | None = None
    reported_version_id: str | None = None
    reported_status: str | None = None
    reported_at: str | None = None
    version_counter: int | None = None


class SentCommand(TypedDict):
    """A command that was sent: `status` is a `CommandStatus`."""

    commandId: str
    status: str


class CommandState(SentCommand, total=False):
    """How far a command has come, and what came of it. Times are ISO 8601, in UTC."""

    result: dict[str, Any]
    error: str
    createdAt: str
    updatedAt: str


class DeletedScreenshots(TypedDict):
    """How many pictures were deleted."""

    success: bool
    deleted: int


class Machines(Resource):
    """Machines of sites: `client.machines`."""

    async def list(self, site_id: str) -> builtins.list[MachineSummary]:
        """Return all machines of a site."""
        answer = await self._ask(api_path("sites", site_id, "machines"))
        return MachineSummary.list_of(answer.data, "machines", "items")

    async def get(self, site_id: str, machine_id: str) -> MachineDetail:
        """Return one machine.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(api_path("sites", site_id, "machines", machine_id))
        return MachineDetail.from_json(answer.data)

    async def deployments(self, site_id: str, machine_id: str) -> builtins.list[MachineDeployment]:
        """Return how far a machine has come with each of its roosts."""
        answer = await self._ask(api_path("sites", site_id, "machines", machine_id, "deployments"))
        return MachineDeployment.list_of(answer.data, "deployments", "items")

    async def dispatch_command(
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

        Args:
            site_id: the site.
            machine_id: the machine.
            type: what to do.
            params: what the command needs to know.
            timeout_seconds: seconds that the machine may take, up to 600; 60 by default.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            MachineOfflineError: the machine is not connected.
            InvalidRequestError: there is no such command (`unsupported_command_type`).
        """
        body: dict[str, Any] = {"type": type, "params": dict(params or {})}
        if timeout_seconds is not None:
            body["timeout_seconds"] = timeout_seconds
        answer = await self._ask(
            api_path("sites", site_id, "machines", machine_id, "commands"),
            method="POST",
            body=body,
            idempotency_key=idempotency_key,
        )
        sent: SentCommand = inner(answer.data)
        return sent

    async def get_command(self, site_id: str, machine_id: str, command_id: str) -> CommandState:
        """Return how far a command has come.

        The server drops results that are texts: only objects come back.
        """
        answer = await self._ask(
            api_path("sites", site_id, "machines", machine_id, "commands", command_id)
        )
        state: CommandState = inner(answer.data)
        return state

    async def wait_for_command(
        self, site_id: str, machine_id: str, command_id: str, *, timeout_seconds: float = 60.0
    ) -> CommandState:
        """Return a command once it is completed.

        Args:
            site_id: the site.
            machine_id: the machine.
            command_id: the command.
            timeout_seconds: how long to wait.

        Raises:
            TimeoutError: it is not completed by then; it may be later.
            RuntimeError: the machine says that it failed.
        """
        until = time.monotonic() + timeout_seconds
        while True:
            state = await self.get_command(site_id, machine_id, command_id)
            if state.get("status") == "completed":
                return state
            if state.get("status") in {"failed", "error", "cancelled"}:
                msg = str(state.get("error") or f"the command {state.get('status')}")
                raise RuntimeError(msg)
            left = until - time.monotonic()
            if left <= 0:
                msg = f"the command {command_id} is {state.get('status')} after {timeout_seconds} s"
                raise TimeoutError(msg)
            await asyncio.sleep(min(_PACE_S, left))

    async def capture_screenshot(
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

        Args:
            site_id: the site.
            machine_id: the machine.
            monitor: which screen.
            timeout_seconds: how long to wait for the picture.
            download_to: a file to write it to as well.
            idempotency_key: one of the caller's.

        Raises:
            MachineOfflineError: the machine is not connected.
            TimeoutError: there is no picture by then.
            RuntimeError: the machine says that it failed.
        """
        sent = await self.dispatch_command(
            site_id,
            machine_id,
            "capture_screenshot",
            {"monitor": monitor},
            idempotency_key=idempotency_key,
        )
        state = await self.wait_for_command(
            site_id, machine_id, sent["commandId"], timeout_seconds=timeout_seconds
        )
        url = (state.get("result") or {}).get("screenshot_url")
        if not isinstance(url, str) or not url:
            msg = "the command is completed, but has no screenshot_url"
            raise RoostError(msg)
        picture = await self._http.signed("GET", url)
        if not 200 <= picture.status < 300:
            problem = {"detail": f"the storage refused the picture: HTTP {picture.status}"}
            raise api_error(picture.status, problem, method="GET", url=url.partition("?")[0])
        if download_to is not None:
            await asyncio.to_thread(Path(download_to).write_bytes, picture.body)
        return picture.body

    async def delete_screenshots(
        self, site_id: str, machine_id: str, *, idempotency_key: str | None = None
    ) -> DeletedScreenshots:
        """Delete all pictures of a machine that are kept."""
        answer = await self._ask(
            api_path("sites", site_id, "machines", machine_id, "screenshots"),
            method="DELETE",
            idempotency_key=idempotency_key,
        )
        deleted: DeletedScreenshots = answer.data
        return deleted
