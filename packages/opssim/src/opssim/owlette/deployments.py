"""What starts, shows and undoes rollouts: deploy, rollback, resync, and their lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from opssim.core.clock import iso_utc, parse_iso
from opssim.core.store import JsonObject
from opssim.owlette import rollouts
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.grammar import check_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, conflict, invalid, not_found
from opssim.owlette.rollouts import is_running, roost_place
from opssim.owlette.roosts import live_roost_of, roost_of, save
from opssim.owlette.versions import find_version, versions_place

_PAGES: Final = Paging()
_SOON: Final = timedelta(seconds=60)
_STAGES: Final = ("scheduled", "canary", "complete", "aborted")
_WARNING: Final = "scheduled rollouts are stored, but nothing starts them"


class Rollback(Body):
    """Which version is to be current."""

    site_id: str
    target_version: str | int | UnsetType = UNSET


class Deploy(Body):
    """What is to go where, and when."""

    site_id: str
    version_id: str | UnsetType = UNSET
    machines: Annotated[list[str], Meta(min_length=1)] | UnsetType = UNSET
    schedule_at: str | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET


class Resync(Body):
    """Whose machines."""

    site_id: str


def show_all(call: Call) -> Answer:
    """List the rollouts of a roost, newest first."""
    roost = roost_of(call)
    stage = call.query.get("stage")
    place = roost_place(call.site_id, roost["roostId"], "rollouts")
    rows = [
        _row(rollout)
        for rollout in call.world.database.documents(place, newest_first=True)
        if stage is None or rollout["stage"] == stage
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["rolloutId"])
    return Answer({"rollouts": page, "items": page, **tokens})


def _row(rollout: JsonObject) -> JsonObject:
    names = (
        "rolloutId versionId stage extractRoot versionUrl triggeredBy startedAt completedAt "
        "abortedAt abortReason scheduledAt"
    )
    counts = {f"{wave}Count": len(rollout[wave]) for wave in ("canary", "fleet")}
    return {**{name: rollout[name] for name in names.split()}, **counts}


def show(call: Call) -> Answer:
    """Return a rollout, with what each machine has reported."""
    roost = roost_of(call)
    place = roost_place(call.site_id, roost["roostId"], "rollouts")
    rollout = call.world.database.get(place, call.path["rolloutId"])
    if rollout is None:
        raise not_found("rollout")
    waves: JsonObject = {}
    for wave in ("canary", "fleet"):
        waves[wave] = rollout[wave]
        waves[f"{wave}Status"] = rollouts.statuses(call.world, rollout, rollout[wave])
    more = {name: rollout[name] for name in ("siteId", "roostId", "targetsOverride")}
    return Answer({**_row(rollout), **more, **waves})


def deploy(call: Call) -> Answer:
    """Start a rollout of a version, by default of the current one to all targets."""
    body: Deploy = call.body
    roost = live_roost_of(call)
    version = _version_to_deploy(call, roost, body.version_id)
    machines = roost["targets"] if body.machines is UNSET else list(dict.fromkeys(body.machines))
    if not machines:
        raise invalid({"body.machines": ["the roost has no targets: name machines"]})
    at = None if body.schedule_at is UNSET else _moment(body.schedule_at)
    place = roost_place(call.site_id, roost["roostId"], "rollouts")
    running = call.world.database.get(place, version["versionId"])
    if is_running(running) and running is not None:
        return Answer({**_started(running), "alreadyRunning": True})
    canary = sorted(machines)[: rollouts.canary_size(len(machines))]
    planned = rollouts.blank_rollout(call.world, call.site_id, roost, version, by=call.caller.uid)
    planned["canary"] = canary
    planned["fleet"] = [each for each in machines if each not in set(canary)]
    if body.dry_run is True:
        planned["stage"] = "canary" if at is None else "scheduled"
        return Answer({**_started(planned), "dryRun": True})
    call.audit("roost_mutated", roost["roostId"], verb="deploy", versionId=version["versionId"])
    if at is not None and parse_iso(at) > call.world.now() + _SOON:
        planned["scheduledAt"] = at
        rollouts.save(call.world, planned)
        return Answer({**_started(planned), "scheduled": {"at": at, "warning": _WARNING}}, 202)
    override = None if body.machines is UNSET else machines
    rollout = rollouts.begin(
        call.world, call.site_id, roost, version, canary, by=call.caller.uid, machines=override
    )
    return Answer(_started(rollout), 202)


def _version_to_deploy(call: Call, roost: JsonObject, named: str | UnsetType) -> JsonObject:
    if named is not UNSET:
        check_id("versionId", named, where="body", lenient=call.world.habits.lenient_ids)
    elif roost["currentVersionId"] is None:
        raise invalid({"body.versionId": ["the roost has no current version"]})
    version_id = roost["currentVersionId"] if named is UNSET else named
    version = call.world.database.get(versions_place(call, roost["roostId"]), version_id)
    if version is None:
        raise not_found("version", "version_not_found")
    return version


def _moment(text: str) -> str:
    try:
        return iso_utc(parse_iso(text))
    except (ValueError, OverflowError) as error:
        raise invalid({"body.scheduleAt": ["must be an ISO-8601 time"]}) from error


def _started(rollout: JsonObject) -> JsonObject:
    names = "rolloutId versionId siteId roostId stage canary fleet extractRoot versionUrl"
    return {name: rollout[name] for name in names.split()}


def rollback(call: Call) -> Answer:
    """Make an earlier version current again, for all machines at once."""
    body: Rollback = call.body
    roost = roost_of(call)
    if roost["deletedAt"] is not None:
        raise not_found("roost")
    target = "previous" if body.target_version is UNSET else str(body.target_version)
    version = find_version(call, roost, target)
    head: str | None = roost["currentVersionId"]
    if version["versionId"] == head:
        msg = "this version is current already"
        raise Problem(400, "rollback_no_op", msg)
    roost["currentVersionId"], roost["previousVersionId"] = version["versionId"], head
    roost["versionUrl"] = version["versionUrl"]
    save(call, roost)
    rollout = _restore(call, roost, version, head)
    call.audit("roost_mutated", roost["roostId"], verb="rollback", versionId=version["versionId"])
    call.world.emit(
        "version.rolled_back",
        call.site_id,
        {
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "fromVersion": head,
            "toVersion": version["versionId"],
            "rolloutId": rollout["rolloutId"],
        },
    )
    return Answer(
        {
            "ok": True,
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "currentVersionId": version["versionId"],
            "currentVersionNumber": version["versionNumber"],
            "previousVersionId": head,
        }
    )


def _restore(call: Call, roost: JsonObject, version: JsonObject, head: str | None) -> JsonObject:
    """Write the rollout of a rollback, and send all machines for its version."""
    world, targets = call.world, roost["targets"]
    nonce = rollouts.nonce()
    rollout = rollouts.blank_rollout(world, call.site_id, roost, version, by=call.caller.uid)
    rollout |= {
        "stage": "complete",
        "canary": list(targets),
        "startedAt": world.stamp(),
        "completedAt": world.stamp(),
        "rollback": True,
        "rollbackFromVersionId": head,
        "rollbackBy": call.caller.uid,
        "rollbackNonce": nonce,
    }
    rollouts.save(world, rollout)
    sync = f"roost_sync_{roost['roostId']}_{version['versionId']}"
    for machine in targets:
        place = f"sites/{call.site_id}/machines/{machine}"
        for queue in ("pending", "completed"):
            world.database.delete(f"{place}/{queue}", sync)
        states = roost_place(call.site_id, roost["roostId"], "target_state")
        world.database.delete(states, machine)
    rollouts.send(world, rollout, targets, nonce=nonce, kind="rollback")
    return rollout


def resync(call: Call) -> Answer:
    """Send all machines for the current version again."""
    roost = live_roost_of(call)
    version_id, targets = roost["currentVersionId"], roost["targets"]
    if version_id is None or not targets:
        raise conflict("the roost has no current version, or no targets")
    version = _version_to_deploy(call, roost, version_id)
    place = roost_place(call.site_id, roost["roostId"], "rollouts")
    rollout = call.world.database.get(place, version_id) or rollouts.blank_rollout(
        call.world, call.site_id, roost, version, by=call.caller.uid
    )
    rollouts.send(call.world, rollout, targets, nonce=rollouts.nonce(), kind="resync")
    call.audit("roost_mutated", roost["roostId"], verb="resync")
    return Answer({"resynced": len(targets), "targets": targets})


_BASE: Final = "/api/roosts/{roostId}"
_CAPABILITY: Final = "DISTRIBUTION_MANAGE"

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=f"{_BASE}/deployments",
        handler=show_all,
        does="List the rollouts of a roost",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
        paging=_PAGES,
        query={"stage": {"type": "string", "enum": list(_STAGES)}},
    ),
    Endpoint(
        method="GET",
        path=f"{_BASE}/deployments/{{rolloutId}}",
        handler=show,
        does="Get a rollout",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
    ),
    Endpoint(
        method="POST",
        path=f"{_BASE}/deploy",
        handler=deploy,
        does="Start a rollout",
        site="body",
        scope=("roost", "deploy"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
        idempotency="optional",
        body=Deploy,
        answers=(200, 202),
        refuses=(409,),
    ),
    Endpoint(
        method="POST",
        path=f"{_BASE}/rollback",
        handler=rollback,
        does="Make an earlier version current",
        site="body",
        scope=("roost", "rollback"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
        idempotency="optional",
        body=Rollback,
        refuses=(409,),
    ),
    Endpoint(
        method="POST",
        path=f"{_BASE}/resync",
        handler=resync,
        does="Send all machines for the current version again",
        site="body",
        scope=("roost", "deploy"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
        body=Resync,
        refuses=(409,),
    ),
)
