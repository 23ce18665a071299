"""Commands: what machines are told to do, and how far they are."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.credentials import millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.machines import machine_of, machine_place
from opssim.owlette.problems import Problem, conflict, not_found

_VIEWS: Final = frozenset({"capture_screenshot", "start_live_view", "stop_live_view"})
COMMANDS: Final = _VIEWS | frozenset(
    {
        "reboot_machine",
        "shutdown_machine",
        "cancel_reboot",
        "dismiss_reboot_pending",
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
    }
)
_SCREENSHOT_MINUTES: Final = 60
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Command(Body, rename=str):
    """What a machine is to do."""

    type: str
    params: dict[str, Any] | None = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=600)] | UnsetType = UNSET


class Software(Body, rename=str):
    """Which program."""

    software_name: Annotated[str, Meta(min_length=1)]


def enqueue(call: Call, kind: str, params: JsonObject) -> Answer:
    """Send a command to the machine that the path names.

    Raises:
        Problem: 404, or 409 if it is offline.
    """
    machine = machine_of(call, "machine_not_found")
    if not machine["online"]:
        raise conflict(f"the machine {machine['id']} is offline", "machine_offline")
    stamp = _base36(millis(call.world.now()))
    suffix = "".join(secrets.choice(_DIGITS) for _ in range(8))
    now = call.world.stamp()
    command: JsonObject = {
        "commandId": f"cmd_{stamp}_{suffix}",
        "type": kind,
        "status": "pending",
        "createdAt": now,
        "updatedAt": now,
        "payload": params,
    }
    place = machine_place(call, "pending")
    call.world.database.put(place, command["commandId"], command)
    call.audit("machine_command_dispatched", machine["id"], type=kind)
    data = {"commandId": command["commandId"], "status": "pending"}
    return Answer({"ok": True, "data": data}, 202)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def dispatch(call: Call) -> Answer:
    """Send a command to a machine."""
    body: Command = call.body
    if body.type not in COMMANDS:
        msg = f"there is no command {body.type[:80]!r}"
        raise Problem(400, "unsupported_command_type", msg)
    capability = "MACHINE_VIEW" if body.type in _VIEWS else "MACHINE_EXEC_COMMAND"
    if not call.caller.is_capable(capability, call.site):
        msg = f"the role {call.caller.user['role']} does not allow {capability}"
        raise Problem(403, "forbidden", msg)
    if call.world.habits.limit_rates:
        call.world.limits.count_change(capability, call.caller.uid)
    return enqueue(call, body.type, body.params or {})


def show_command(call: Call) -> Answer:
    """Return how far a command is, and its result if that is an object."""
    command = next(
        (
            found
            for queue in ("pending", "completed")
            if (
                found := call.world.database.get(machine_place(call, queue), call.path["commandId"])
            )
        ),
        None,
    )
    if command is None:
        raise not_found("command")
    names = ("commandId", "status", "createdAt", "updatedAt")
    data = {name: command[name] for name in names}
    if isinstance(command.get("result"), dict):
        data["result"] = _with_screenshot(call, command["result"])
    if command.get("error"):
        data["error"] = command["error"]
    return Answer({"ok": True, "data": data})


def _with_screenshot(call: Call, result: JsonObject) -> JsonObject:
    if "storage_path" not in result:
        return result
    url, expires = call.world.urls.sign("GET", result["storage_path"], _SCREENSHOT_MINUTES)
    return {**result, "screenshot_url": url, "expires_at": expires}


def uninstall(call: Call) -> Answer:
    """Let a machine remove a program."""
    name: str = call.body.software_name
    return enqueue(call, "uninstall_software", {"software_name": name})


def cancel_uninstall(call: Call) -> Answer:
    """Let a machine keep a program that it was to remove."""
    return enqueue(call, "cancel_uninstall", {"software_name": call.query["software_name"]})


_ONE: Final = "/api/sites/{siteId}/machines/{machineId}"

ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=f"{_ONE}/commands",
        handler=dispatch,
        does="Send a command to a machine",
        site="path",
        scope=("machine", "write"),
        idempotency="required",
        body=Command,
        answers=(202,),
        refuses=(409, 429),
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/commands/{{commandId}}",
        handler=show_command,
        does="Get how far a command is",
        site="path",
        scope=("machine", "read"),
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/uninstall",
        handler=uninstall,
        does="Let a machine remove a program",
        site="path",
        scope=("machine", "write"),
        capability="UNINSTALL_TRIGGER",
        idempotency="required",
        body=Software,
        answers=(202,),
        refuses=(409,),
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ONE}/uninstall",
        handler=cancel_uninstall,
        does="Let a machine keep a program",
        site="path",
        scope=("machine", "write"),
        capability="UNINSTALL_TRIGGER",
        idempotency="required",
        query={"software_name": {"type": "string"}},
        needs=("software_name",),
        answers=(202,),
        refuses=(409,),
    ),
)
