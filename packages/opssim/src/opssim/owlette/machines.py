"""Machines: what they are and hold, and the commands that they are sent."""

from __future__ import annotations

import secrets
from typing import Any, Final, Literal

from msgspec import UNSET, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.credentials import millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.problems import invalid, not_found
from opssim.owlette.rollouts import roost_place

_UPLOAD_MINUTES: Final = 5


class Screenshot(Body):
    """What kind of picture."""

    content_type: str


class CortexEnabled(Body):
    """Whether it may."""

    enabled: bool


class DisplayLayout(Body):
    """What is to become of the layout of the displays."""

    op: Literal["capture", "set_auto_restore", "reset_breaker", "set_remote_apply"]
    monitors: list[dict[str, Any]] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RebootSchedule(Body):
    """When it reboots."""

    schedule: dict[str, Any]


def blank_machine(machine_id: str, site_id: str, name: str, *, now: str) -> JsonObject:
    """Return a machine that is online and does nothing yet."""
    return {
        "id": machine_id,
        "siteId": site_id,
        "name": name,
        "hostname": name.upper(),
        "online": True,
        "lastHeartbeat": now,
        "agentVersion": "2.4.1",
        "os": "Windows 11 Pro 23H2",
        "metrics": {"cpu": 7.5, "memory": 41.2, "disk": 63.0, "gpu": 12.0},
        "monitors": 2,
        "cortexEnabled": True,
        "displayLayout": None,
        "rebootSchedule": None,
    }


def machine_of(call: Call, code: str = "not_found") -> JsonObject:
    """Return the machine that the path names.

    Raises:
        Problem: 404.
    """
    machine = call.world.database.get(call.place("machines"), call.path["machineId"])
    if machine is None:
        raise not_found("machine", code)
    return machine


def machine_place(call: Call, *parts: str) -> str:
    """Return a place within the machine that the path names."""
    return call.place("machines", call.path["machineId"], *parts)


def _row(call: Call, machine: JsonObject) -> JsonObject:
    names = ("id", "name", "online", "lastHeartbeat", "agentVersion", "os")
    roosts = [
        {name: roost[name] for name in ("roostId", "name", "currentVersionId", "versionCounter")}
        for roost in _roosts_of(call, machine["id"])
    ]
    return {**{name: machine[name] for name in names}, "currentRoosts": roosts}


def _roosts_of(call: Call, machine_id: str) -> list[JsonObject]:
    roosts = call.world.database.documents(call.place("roosts"))
    return [each for each in roosts if machine_id in each["targets"] and not each["deletedAt"]]


def show_all(call: Call) -> Answer:
    """List the machines of a site."""
    machines = call.world.database.documents(call.place("machines"))
    return Answer({"machines": [_row(call, machine) for machine in machines]})


def show(call: Call) -> Answer:
    """Return a machine."""
    machine = machine_of(call)
    processes = call.world.database.documents(machine_place(call, "processes"))
    more = {name: machine[name] for name in ("siteId", "hostname", "metrics")}
    return Answer({**_row(call, machine), **more, "processes": processes})


def show_deployments(call: Call) -> Answer:
    """List what a machine has of each roost that it is a target of."""
    machine = machine_of(call)
    rows: list[JsonObject] = []
    for roost in _roosts_of(call, machine["id"]):
        place = roost_place(call.site_id, roost["roostId"], "target_state")
        state = call.world.database.get(place, machine["id"]) or {}
        names = [
            "roostId",
            "name",
            "currentVersionId",
            "previousVersionId",
            "versionCounter",
            "extractPath",
        ]
        rows.append(
            {
                **{name: roost[name] for name in names},
                "reportedVersionId": state.get("reportedVersionId"),
                "reportedStatus": state.get("status"),
                "reportedAt": state.get("updatedAt"),
            }
        )
    answer = {"siteId": call.site_id, "machineId": machine["id"], "deployments": rows}
    return Answer(answer)


def remove(call: Call) -> Answer:
    """Forget a machine, with all that it was sent."""
    machine = machine_of(call)
    database = call.world.database
    counts: dict[str, int] = {}
    for name, queue in (("pendingCommands", "pending"), ("completedCommands", "completed")):
        place = machine_place(call, queue)
        commands = database.documents(place)
        for command in commands:
            database.delete(place, command["commandId"])
        counts[name] = len(commands)
    database.delete(call.place("machines"), machine["id"])
    call.audit("site_mutated", machine["id"], verb="machine_remove")
    deleted = {"machine": True, "config": True, **counts}
    data = {"siteId": call.site_id, "machineId": machine["id"], "deleted": deleted}
    return Answer({"ok": True, "data": data})


def delete_screenshots(call: Call) -> Answer:
    """Delete the screenshots of a machine."""
    machine_of(call)
    place = machine_place(call, "screenshots")
    kept = list(call.world.database.items(place))
    for key, document in kept:
        call.world.database.delete_object(document["storagePath"])
        call.world.database.delete(place, key)
    return Answer({"success": True, "deleted": len(kept)})


def screenshot_url(call: Call) -> Answer:
    """Return a URL to put a screenshot to, good for five minutes."""
    machine = machine_of(call)
    kind: str = call.body.content_type
    endings = {"image/png": "png", "image/jpeg": "jpg"}
    if kind not in endings:
        raise invalid({"body.contentType": [f"must be one of {', '.join(endings)}"]})
    path = screenshot_path(call.site_id, machine["id"], millis(call.world.now()), endings[kind])
    url, expires = call.world.urls.sign("PUT", path, _UPLOAD_MINUTES)
    data = {"uploadUrl": url, "storagePath": path, "contentType": kind, "expiresAt": expires}
    return Answer({"ok": True, "data": data})


def screenshot_path(site_id: str, machine_id: str, ms: int, ending: str) -> str:
    """Return where the storage keeps a screenshot."""
    return f"screenshots/{site_id}/{machine_id}/{ms}-{secrets.token_hex(4)}.{ending}"


def set_cortex(call: Call) -> Answer:
    """Let the chat use a machine, or not."""
    return _set(call, "cortexEnabled", call.body.enabled)


def set_display(call: Call) -> Answer:
    """Keep the layout of the displays, or set how it is kept."""
    machine = machine_of(call)
    body: DisplayLayout = call.body
    layout: JsonObject = machine["displayLayout"] or {}
    if body.op == "capture":
        if not body.monitors:
            raise invalid({"body.monitors": ["required"]})
        layout["assigned"] = body.monitors
    elif body.op == "reset_breaker":
        layout["breaker"] = "closed"
    elif body.enabled is UNSET:
        raise invalid({"body.enabled": ["required"]})
    else:
        layout["autoRestore" if body.op == "set_auto_restore" else "remoteApply"] = body.enabled
    machine["displayLayout"] = layout
    call.world.database.put(call.place("machines"), machine["id"], machine)
    return Answer({"ok": True, "data": {"machineId": machine["id"], "op": body.op}})


def clear_display(call: Call) -> Answer:
    """Forget the layout of the displays, and leave how it is kept."""
    machine = machine_of(call)
    layout: JsonObject = machine["displayLayout"] or {}
    layout.pop("assigned", None)
    machine["displayLayout"] = layout
    call.world.database.put(call.place("machines"), machine["id"], machine)
    return Answer({"ok": True, "data": {"machineId": machine["id"]}})


def set_reboots(call: Call) -> Answer:
    """Set when a machine reboots by itself."""
    return _set(call, "rebootSchedule", call.body.schedule)


def _set(call: Call, name: str, value: object) -> Answer:
    machine = machine_of(call)
    machine[name] = value
    call.world.database.put(call.place("machines"), machine["id"], machine)
    return Answer({"ok": True, "data": {"machineId": machine["id"], name: value}})


_MACHINES: Final = "/api/sites/{siteId}/machines"
_ONE: Final = f"{_MACHINES}/{{machineId}}"

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=_MACHINES,
        handler=show_all,
        does="List the machines of a site",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=show,
        does="Get a machine",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=remove,
        does="Forget a machine",
        site="path",
        scope=("site", "write"),
        capability="MACHINE_REMOVE",
        idempotency="required",
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/deployments",
        handler=show_deployments,
        does="List what a machine has of its roosts",
        site="path",
        scope=("site", "read"),
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ONE}/screenshots",
        handler=delete_screenshots,
        does="Delete the screenshots of a machine",
        site="path",
        scope=("machine", "write"),
        capability="MACHINE_VIEW",
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/screenshots/upload-url",
        handler=screenshot_url,
        does="Get a URL to upload a screenshot to",
        site="path",
        scope=("machine", "write"),
        body=Screenshot,
    ),
    Endpoint(
        method="PATCH",
        path=f"{_ONE}/cortex-enabled",
        handler=set_cortex,
        does="Let the chat use a machine, or not",
        site="path",
        scope=("machine", "write"),
        capability="MACHINE_CONFIG_WRITE",
        body=CortexEnabled,
    ),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/reboot-schedule",
        handler=set_reboots,
        does="Set when a machine reboots",
        site="path",
        scope=("machine", "write"),
        capability="MACHINE_CONFIG_WRITE",
        body=RebootSchedule,
    ),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/display-layout",
        handler=set_display,
        does="Keep the layout of the displays",
        site="path",
        scope=("machine", "write"),
        capability="MACHINE_CONFIG_WRITE",
        idempotency="required",
        body=DisplayLayout,
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ONE}/display-layout",
        handler=clear_display,
        does="Forget the layout of the displays",
        site="path",
        scope=("machine", "write"),
        capability="MACHINE_CONFIG_WRITE",
        idempotency="required",
    ),
)
