"""What belongs to no site: presets for all of them, and settings, for superadmins."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler
from opssim.owlette.grammar import new_id
from opssim.owlette.problems import invalid, not_found

_PRESETS: Final = "system-presets"
_BUILDS: Final = ("2023.12370", "2023.12230", "2023.11880")


class SystemPreset(Body):
    """A preset: its members depend on its kind, and those that are not known are kept."""

    name: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class KillSwitch(Body):
    """What is not enforced for a while."""

    target: Literal["capabilities", "rate_limits"]
    enforced: bool
    minutes: Annotated[int, Meta(ge=1, le=1440)] = 60


def show_email(_: Call) -> Answer:
    """Return how mail is sent."""
    return Answer({"provider": "none", "configured": False, "from": None})


def set_kill_switch(call: Call) -> Answer:
    """Write down that something is not enforced for a while; the simulated one goes on."""
    body: KillSwitch = call.body
    until = call.world.stamp(timedelta(minutes=body.minutes))
    switch: JsonObject = {**body.given(), "expiresAt": None if body.enforced else until}
    call.world.database.put("platform", f"kill-switch-{body.target}", switch)
    return Answer({"ok": True, **switch})


def show_builds(_: Call) -> Answer:
    """List builds of TouchDesigner; the real ones are looked up on its maker's page."""
    return Answer({"builds": [{"version": version} for version in _BUILDS]})


def show_presets(call: Call) -> Answer:
    """List the presets for all sites."""
    return Answer({"items": call.world.database.documents(_PRESETS)})


def show_preset(call: Call) -> Answer:
    """Return a preset."""
    return Answer(_preset(call))


def create_preset(call: Call) -> Answer:
    """Make a preset."""
    if not call.sent.get("name"):
        raise invalid({"body.name": ["required"]})
    now = call.world.stamp()
    stamps = {"createdBy": call.caller.uid, "createdAt": now, "updatedAt": now}
    preset: JsonObject = {**call.sent, "id": new_id("sys_"), **stamps}
    call.world.database.put(_PRESETS, preset["id"], preset)
    return Answer({"presetId": preset["id"]}, 201)


def patch_preset(call: Call) -> Answer:
    """Change a preset."""
    preset = _preset(call)
    if not call.sent:
        raise invalid({"body": ["must not be empty"]})
    kept = {name: preset[name] for name in ("id", "createdBy", "createdAt")}
    changed = {**preset, **call.sent, **kept, "updatedAt": call.world.stamp()}
    call.world.database.put(_PRESETS, preset["id"], changed)
    return Answer({"presetId": preset["id"]})


def remove_preset(call: Call) -> Answer:
    """Delete a preset."""
    call.world.database.delete(_PRESETS, _preset(call)["id"])
    return Answer(b"", 204)


def _preset(call: Call) -> JsonObject:
    preset = call.world.database.get(_PRESETS, call.path["presetId"])
    if preset is None:
        raise not_found("preset")
    return preset


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    usual: dict[str, Any] = {
        "scope": ("user", "read" if method == "GET" else "admin"),
        "capability": "GLOBAL_SETTINGS_WRITE",
        "limited": method != "GET",
    }
    path = f"/api/platform/{path}"
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


_ONE: Final = "system-presets/{presetId}"

ENDPOINTS: Final = (
    _endpoint("GET", "email/config", show_email, "Get how mail is sent"),
    _endpoint(
        "POST",
        "security/kill-switch",
        set_kill_switch,
        "Let something not be enforced for a while",
        body=KillSwitch,
    ),
    _endpoint("GET", "touchdesigner/builds", show_builds, "List builds of TouchDesigner"),
    _endpoint("GET", "system-presets", show_presets, "List the presets for all sites"),
    _endpoint(
        "POST",
        "system-presets",
        create_preset,
        "Make a preset for all sites",
        body=SystemPreset,
        answers=(201,),
    ),
    _endpoint("GET", _ONE, show_preset, "Get a preset for all sites"),
    _endpoint("PATCH", _ONE, patch_preset, "Change a preset for all sites", body=SystemPreset),
    _endpoint("DELETE", _ONE, remove_preset, "Delete a preset for all sites", answers=(204,)),
)
