"""Rollouts: a version goes to a few machines first, and to all when these have it.

The rules are those of Owlette, with two holes of its state machine closed unless the habit
`stuck_rollouts` is on: a rollout without a second wave ends with the first, and canaries of which
too few succeeded to go on abort it.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from opssim.core.clock import parse_iso
from opssim.core.store import JsonObject
from opssim.owlette.world import World

DEFAULT_ROOT: Final = "~/Documents/Owlette"
_ENDED: Final = frozenset({"complete", "aborted"})
_ABORT_ABOVE: Final = 0.25
_PROMOTE_FROM: Final = 0.9
_MOST_CANARIES: Final = 50
_OUTCOMES: Final = {
    "committed": "succeeded",
    "succeeded": "succeeded",
    "failed": "failed",
    "error": "failed",
    "cancelled": "cancelled",
    "pending": "pending",
}


def roost_place(site_id: str, roost_id: str, *parts: str) -> str:
    """Return a place within a roost."""
    return "/".join(("sites", site_id, "roosts", roost_id, *parts))


def canary_size(machines: int) -> int:
    """Return how many of so many machines go first: a tenth, at least 1, at most 50."""
    return min(max(math.ceil(machines / 10), 1), _MOST_CANARIES) if machines else 0


def fnv1a(text: str) -> int:
    """Return the 32 bits of FNV-1a."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def pick_canaries(machines: Sequence[str], version_id: str) -> list[str]:
    """Return who goes first when a version has become current: those with the lowest hashes."""
    scored = sorted(machines, key=lambda each: (fnv1a(f"{each}::{version_id}"), each))
    return sorted(scored[: canary_size(len(machines))])


def start_rollout(
    world: World, site_id: str, roost: JsonObject, version: JsonObject, *, by: str
) -> None:
    """Begin a rollout as a version has become current, unless it had one before."""
    place = roost_place(site_id, roost["roostId"], "rollouts")
    version_id: str = version["versionId"]
    if not roost["targets"] or world.database.get(place, version_id) is not None:
        return
    canary = pick_canaries(roost["targets"], version_id)
    begin(world, site_id, roost, version, canary, by=by)


def begin(
    world: World,
    site_id: str,
    roost: JsonObject,
    version: JsonObject,
    canary: Sequence[str],
    *,
    by: str,
    machines: Sequence[str] | None = None,
) -> JsonObject:
    """Write a rollout, and send its first machines for the version."""
    targets: Sequence[str] = roost["targets"] if machines is None else machines
    rollout = blank_rollout(world, site_id, roost, version, by=by)
    rollout["stage"] = "canary"
    rollout["startedAt"] = world.stamp()
    rollout["canary"] = list(canary)
    rollout["fleet"] = [each for each in targets if each not in set(canary)]
    rollout["targetsOverride"] = None if machines is None else list(machines)
    save(world, rollout)
    forget_reports(world, rollout, targets)
    send(world, rollout, canary)
    world.emit(
        "deployment.started",
        site_id,
        {**_about(world, rollout), "strategy": "canary", "machineCount": len(targets)},
    )
    return rollout


def blank_rollout(
    world: World, site_id: str, roost: JsonObject, version: JsonObject, *, by: str
) -> JsonObject:
    """Return a rollout that has not begun."""
    return {
        "rolloutId": version["versionId"],
        "versionId": version["versionId"],
        "siteId": site_id,
        "roostId": roost["roostId"],
        "stage": "scheduled",
        "canary": [],
        "fleet": [],
        "extractRoot": roost["extractPath"] or DEFAULT_ROOT,
        "versionUrl": version["versionUrl"],
        "triggeredBy": by,
        "startedAt": None,
        "completedAt": None,
        "abortedAt": None,
        "abortReason": None,
        "scheduledAt": None,
        "targetsOverride": None,
        "pendingCommandsDispatched": False,
    }


def save(world: World, rollout: JsonObject) -> None:
    """Write a rollout."""
    place = roost_place(rollout["siteId"], rollout["roostId"], "rollouts")
    world.database.put(place, rollout["rolloutId"], rollout)


def is_running(rollout: JsonObject | None) -> bool:
    """Tell whether a rollout is there and has not ended."""
    return rollout is not None and rollout["stage"] not in _ENDED


def forget_reports(world: World, rollout: JsonObject, machines: Sequence[str]) -> None:
    """Let machines report anew: what they said of this version was of an earlier rollout."""
    place = roost_place(rollout["siteId"], rollout["roostId"], "target_state")
    for machine in machines:
        state = world.database.get(place, machine)
        if state is not None and state["reportedVersionId"] == rollout["versionId"]:
            world.database.delete(place, machine)


def send(
    world: World,
    rollout: JsonObject,
    machines: Sequence[str],
    *,
    nonce: str = "",
    kind: str = "sync",
) -> None:
    """Tell machines to pull the version of a rollout."""
    site_id, roost_id, version_id = (rollout[k] for k in ("siteId", "roostId", "versionId"))
    suffix = f"_{nonce}" if nonce else ""
    command_id = f"roost_{kind}_{roost_id}_{version_id}{suffix}"
    for machine in machines:
        place = f"sites/{site_id}/machines/{machine}"
        world.database.delete(f"{place}/completed", command_id)
        command: JsonObject = {
            "commandId": command_id,
            "type": "sync_pull",
            "status": "pending",
            "createdAt": world.stamp(),
            "updatedAt": world.stamp(),
            "payload": {
                "type": "sync_pull",
                "site_id": site_id,
                "roost_id": roost_id,
                "version_id": version_id,
                "version_url": rollout["versionUrl"],
                "extract_root": rollout["extractRoot"],
                "queued_at": world.stamp(),
                **({kind: True} if kind != "sync" else {}),
            },
        }
        world.database.put(f"{place}/pending", command_id, command)


def nonce() -> str:
    """Return what tells one command from another of the same version."""
    return secrets.token_hex(5)


def report(
    world: World,
    site_id: str,
    roost_id: str,
    machine: str,
    version_id: str,
    status: str,
    **more: Any,
) -> None:
    """Take what a machine says of a version, and let the rollout go on."""
    place = roost_place(site_id, roost_id, "target_state")
    state: JsonObject = {
        "machineId": machine,
        "reportedVersionId": version_id,
        "status": status,
        "updatedAt": world.stamp(),
        **more,
    }
    world.database.put(place, machine, state)
    rollout = world.database.get(roost_place(site_id, roost_id, "rollouts"), version_id)
    if is_running(rollout) and rollout is not None:
        evaluate(world, rollout)


def statuses(world: World, rollout: JsonObject, machines: Sequence[str]) -> list[JsonObject]:
    """Return what machines have reported of a rollout's version."""
    place = roost_place(rollout["siteId"], rollout["roostId"], "target_state")
    found: list[JsonObject] = []
    for machine in machines:
        state = world.database.get(place, machine) or {}
        is_this = state.get("reportedVersionId") == rollout["versionId"]
        found.append(
            {
                "machineId": machine,
                "status": state["status"] if is_this else "pending",
                "reportedVersionId": state.get("reportedVersionId"),
                "reportedAt": state.get("updatedAt"),
            }
        )
    return found


def evaluate(world: World, rollout: JsonObject) -> None:
    """Let a rollout go on, end or abort, by what its machines have reported."""
    canary = _outcomes(world, rollout, rollout["canary"])
    fleet = _outcomes(world, rollout, rollout["fleet"])
    every = canary + fleet
    lost = sum(each in {"failed", "cancelled"} for each in every)
    if every and lost / len(every) > _ABORT_ABOVE:
        share = f"{lost}/{len(every)} targets failed ({lost / len(every):.1%} > 25% threshold)"
        _abort(world, rollout, share)
        return
    if rollout["stage"] == "canary" and _settled(canary):
        _after_canary(world, rollout, canary)
    elif rollout["stage"] == "fleet" and _settled(fleet) and (fleet or _is_mended(world)):
        _complete(world, rollout)


def _after_canary(world: World, rollout: JsonObject, canary: Sequence[str]) -> None:
    good = canary.count("succeeded") / len(canary) if canary else 1.0
    if good >= _PROMOTE_FROM:
        rollout["stage"] = "fleet"
        rollout["pendingCommandsDispatched"] = True
        save(world, rollout)
        send(world, rollout, rollout["fleet"])
        if not rollout["fleet"] and _is_mended(world):
            _complete(world, rollout)
    elif _is_mended(world):
        share = f"{good:.0%} of the canaries succeeded, fewer than {_PROMOTE_FROM:.0%}"
        _abort(world, rollout, share)


def _is_mended(world: World) -> bool:
    return not world.habits.stuck_rollouts


def _settled(outcomes: Sequence[str]) -> bool:
    return all(each in {"succeeded", "failed", "cancelled"} for each in outcomes)


def _outcomes(world: World, rollout: JsonObject, machines: Sequence[str]) -> list[str]:
    reported = (each["status"] for each in statuses(world, rollout, machines))
    return [_OUTCOMES.get(each, "in_progress") for each in reported]


def _complete(world: World, rollout: JsonObject) -> None:
    rollout["stage"] = "complete"
    rollout["completedAt"] = world.stamp()
    save(world, rollout)
    world.emit("deployment.completed", rollout["siteId"], {**_ended(world, rollout)})


def _abort(world: World, rollout: JsonObject, why: str) -> None:
    rollout["stage"] = "aborted"
    rollout["abortedAt"] = world.stamp()
    rollout["abortReason"] = why
    save(world, rollout)
    place = roost_place(rollout["siteId"], rollout["roostId"], "target_state")
    failed = [
        {"machineId": each["machineId"], "error": (state or {}).get("error")}
        for each in statuses(world, rollout, rollout["canary"] + rollout["fleet"])
        if each["status"] in {"failed", "error", "cancelled"}
        for state in [world.database.get(place, each["machineId"])]
    ]
    data = {**_ended(world, rollout), "failedMachines": failed}
    world.emit("deployment.failed", rollout["siteId"], data)


def _about(world: World, rollout: JsonObject) -> JsonObject:
    place = roost_place(rollout["siteId"], rollout["roostId"], "versions")
    version = world.database.get(place, rollout["versionId"]) or {}
    names = ("rolloutId", "roostId", "siteId", "versionId")
    return {**{k: rollout[k] for k in names}, "versionNumber": version.get("versionNumber")}


def _ended(world: World, rollout: JsonObject) -> JsonObject:
    outcomes = _outcomes(world, rollout, rollout["canary"] + rollout["fleet"])
    began: datetime = parse_iso(rollout["startedAt"])
    return {
        **_about(world, rollout),
        "successCount": outcomes.count("succeeded"),
        "failureCount": outcomes.count("failed") + outcomes.count("cancelled"),
        "durationMs": int((world.now() - began).total_seconds() * 1000),
    }
