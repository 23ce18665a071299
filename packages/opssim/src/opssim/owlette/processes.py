"""The processes that a machine keeps running."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.commands import enqueue
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler, Nothing
from opssim.owlette.grammar import new_id
from opssim.owlette.machines import machine_of, machine_place
from opssim.owlette.problems import Problem, conflict, not_found

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAYS: Final = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})

Text = str | UnsetType
Mode = Literal["off", "always", "scheduled"]


class Range(Struct):
    """From when until when, as HH:MM."""

    start: str
    stop: str


class Block(Struct):
    """Days of the week, and times on these."""

    days: list[str]
    ranges: list[Range]
    name: str | UnsetType = UNSET
    color_index: int | UnsetType = UNSET


class _Settings(Body, rename={"schedule_preset_id": "schedulePresetId"}):
    name: Text = UNSET
    exe_path: Text = UNSET
    file_path: Text = UNSET
    cwd: Text = UNSET
    priority: Text = UNSET
    visibility: Text = UNSET
    time_delay: Text = UNSET
    time_to_init: Text = UNSET
    relaunch_attempts: Text = UNSET
    launch_mode: Mode | UnsetType = UNSET
    schedules: list[Block] | UnsetType = UNSET
    schedule_preset_id: str | UnsetType | None = UNSET


class NewProcess(_Settings):
    """A process to keep running."""


class ProcessPatch(_Settings):
    """What to change of a process."""


class Schedule(Body):
    """When it runs."""

    mode: Mode
    blocks: list[Block] | UnsetType = UNSET


class LaunchMode(Body):
    """When it runs."""

    mode: Mode
    schedules: list[Block] | UnsetType = UNSET


def blank_process(process_id: str, name: str, exe_path: str, *, now: str) -> JsonObject:
    """Return a process that is off."""
    return {
        "processId": process_id,
        "name": name,
        "exe_path": exe_path,
        "file_path": "",
        "cwd": "",
        "priority": "Normal",
        "visibility": "Show",
        "time_delay": "0",
        "time_to_init": "10",
        "relaunch_attempts": "3",
        "autolaunch": False,
        "launch_mode": "off",
        "schedules": None,
        "schedule": None,
        "schedulePresetId": None,
        "status": "unknown",
        "pid": None,
        "responsive": None,
        "last_updated": now,
    }


def show_all(call: Call) -> Answer:
    """List the processes of a machine."""
    machine_of(call, "machine_not_found")
    rows = call.world.database.documents(machine_place(call, "processes"))
    return Answer({"ok": True, "data": {"processes": rows, "nextPageToken": None}})


def show(call: Call) -> Answer:
    """Return a process."""
    return Answer({"ok": True, "data": _process(call)})


def create(call: Call) -> Answer:
    """Let a machine keep a process running."""
    machine_of(call, "machine_not_found")
    given = call.sent
    for name in ("name", "exe_path"):
        if not given.get(name):
            raise Problem(400, "missing_field", f"{name} is required", param=name)
    _see_name(call, given["name"], "")
    if given.get("launch_mode") == "scheduled" and not given.get("schedules"):
        raise Problem(400, "missing_schedules", "launch_mode scheduled needs schedules")
    _see_blocks(call.body.schedules)
    process = blank_process(
        new_id("proc_"), given["name"], given["exe_path"], now=call.world.stamp()
    )
    _save(call, _changed(process, given))
    return Answer({"ok": True, "data": {"processId": process["processId"]}}, 201)


def patch(call: Call) -> Answer:
    """Change how a process is run."""
    process = _process(call)
    if not call.sent:
        raise Problem(400, "no_fields", "nothing to change was given")
    if "name" in call.sent:
        _see_name(call, call.sent["name"], process["processId"])
    _see_blocks(call.body.schedules)
    changed = _changed(process, call.sent)
    if changed["launch_mode"] == "scheduled" and not changed["schedules"]:
        raise Problem(400, "missing_schedules", "launch_mode scheduled needs schedules")
    _save(call, changed)
    return Answer({"ok": True, "data": {"processId": process["processId"]}})


def remove(call: Call) -> Answer:
    """Let a machine forget a process; one that is not there is no error."""
    machine_of(call, "machine_not_found")
    place, process_id = machine_place(call, "processes"), call.path["processId"]
    was_there = call.world.database.delete(place, process_id)
    if was_there:
        call.audit("process_mutated", process_id, verb="delete")
    return Answer({"ok": True, "data": {"processId": process_id, "alreadyDeleted": not was_there}})


def schedule(call: Call) -> Answer:
    """Set when a process runs."""
    return _set_mode(call, call.body.mode, call.body.blocks, call.sent.get("blocks"))


def set_launch_mode(call: Call) -> Answer:
    """Set when a process runs."""
    return _set_mode(call, call.body.mode, call.body.schedules, call.sent.get("schedules"))


def _set_mode(call: Call, mode: str, blocks: Any, sent: Any) -> Answer:
    process = _process(call)
    _see_blocks(blocks)
    if mode == "scheduled" and not (sent or process["schedules"]):
        raise Problem(400, "missing_schedules", "mode scheduled needs blocks")
    process["launch_mode"] = mode
    process["autolaunch"] = mode != "off"
    if sent is not None:
        process["schedules"] = process["schedule"] = sent
    _save(call, process)
    data = {"processId": process["processId"], "mode": mode}
    return Answer({"ok": True, "data": data})


def _control(verb: str) -> Handler:
    def control(call: Call) -> Answer:
        machine_of(call, "machine_not_found")
        process = _process(call)
        named = {"process_id": process["processId"], "process_name": process["name"]}
        return enqueue(call, f"{verb}_process", named)

    return control


def _process(call: Call) -> JsonObject:
    machine_of(call, "machine_not_found")
    process = call.world.database.get(machine_place(call, "processes"), call.path["processId"])
    if process is None:
        raise not_found("process", "process_not_found")
    return process


def _changed(process: JsonObject, given: JsonObject) -> JsonObject:
    changed = {**process, **given}
    changed["autolaunch"] = changed["launch_mode"] != "off"
    if "schedules" in given:
        changed["schedule"] = given["schedules"]
    return changed


def _save(call: Call, process: JsonObject) -> None:
    process["last_updated"] = call.world.stamp()
    place = machine_place(call, "processes")
    call.world.database.put(place, process["processId"], process)
    call.audit("process_mutated", process["processId"], verb="write")


def _see_name(call: Call, name: str, own: str) -> None:
    for each in call.world.database.documents(machine_place(call, "processes")):
        if each["name"] == name and each["processId"] != own:
            raise conflict(f"there is a process {name[:80]!r} already", "duplicate_process_name")


def _see_blocks(blocks: list[Block] | UnsetType) -> None:
    for block in () if blocks is UNSET else blocks:
        if not block.days or not set(block.days) <= _DAYS:
            raise Problem(400, "invalid_field", f"days must be of {', '.join(sorted(_DAYS))}")
        for each in block.ranges:
            if not (_TIME.fullmatch(each.start) and _TIME.fullmatch(each.stop)):
                raise Problem(400, "invalid_field", "start and stop must be HH:MM")


_BASE: Final = "/api/sites/{siteId}/machines/{machineId}/processes"
_ONE: Final = f"{_BASE}/{{processId}}"
_VERBS: Final = ("kill", "start", "stop", "restart")


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    writes = method != "GET"
    usual: dict[str, Any] = {
        "site": "path",
        "scope": ("machine", "write" if writes else "read"),
        "capability": "MACHINE_CONFIG_WRITE" if writes else None,
        "counted": True,
        "plain": True,
    }
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


ENDPOINTS: Final = (
    _endpoint("GET", _BASE, show_all, "List the processes of a machine"),
    _endpoint("GET", _ONE, show, "Get a process"),
    _endpoint(
        "POST",
        _BASE,
        create,
        "Let a machine keep a process running",
        idempotency="required",
        body=NewProcess,
        unknown="unknown_field",
        answers=(201,),
        refuses=(409,),
    ),
    _endpoint(
        "PATCH",
        _ONE,
        patch,
        "Change a process",
        idempotency="optional",
        body=ProcessPatch,
        unknown="unknown_field",
        refuses=(409,),
    ),
    _endpoint("DELETE", _ONE, remove, "Let a machine forget a process"),
    _endpoint(
        "POST",
        f"{_ONE}/schedule",
        schedule,
        "Set when a process runs",
        idempotency="required",
        body=Schedule,
    ),
    _endpoint(
        "PATCH",
        f"{_ONE}/launch-mode",
        set_launch_mode,
        "Set when a process runs",
        idempotency="optional",
        body=LaunchMode,
    ),
    *(
        _endpoint(
            "POST",
            f"{_ONE}/{verb}",
            _control(verb),
            f"Let a machine {verb} a process",
            idempotency="required",
            capability="MACHINE_EXEC_COMMAND",
            body=Nothing,
            answers=(202,),
            refuses=(409,),
        )
        for verb in _VERBS
    ),
)
