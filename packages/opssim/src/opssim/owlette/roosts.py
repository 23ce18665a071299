"""Roosts: what is published to which machines, and which version is current."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.grammar import check_id, new_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import conflict, invalid, not_found

GRACE: Final = timedelta(days=30)
_MOST_TARGETS: Final = 500
_LONGEST_PATH: Final = 500
_PAGES: Final = Paging()

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Path = Annotated[str, Meta(max_length=_LONGEST_PATH)]


class NewRoost(Body):
    """A roost to create."""

    site_id: str
    name: Name
    targets: list[str] | UnsetType = UNSET
    extract_path: Path | UnsetType = UNSET
    roost_id: str | UnsetType = UNSET


class RoostPatch(Body):
    """What to change of a roost."""

    site_id: str
    name: Name | UnsetType = UNSET
    targets: list[str] | UnsetType = UNSET
    extract_path: Path | UnsetType = UNSET


def roost_of(call: Call) -> JsonObject:
    """Return the roost that the path names.

    Raises:
        Problem: 404.
    """
    roost = call.world.database.get(call.place("roosts"), call.path["roostId"])
    if roost is None:
        raise not_found("roost")
    return roost


def live_roost_of(call: Call) -> JsonObject:
    """Return the roost that the path names, if it is not deleted.

    Raises:
        Problem: 404 or 409.
    """
    roost = roost_of(call)
    if roost["deletedAt"] is not None:
        raise conflict("the roost is deleted: create it again to bring it back")
    return roost


def blank_roost(call: Call, roost_id: str, name: str) -> JsonObject:
    """Return a roost that has no version yet."""
    now = call.world.stamp()
    return {
        "roostId": roost_id,
        "siteId": call.site_id,
        "name": name,
        "targets": [],
        "extractPath": None,
        "schemaVersion": 2,
        "currentVersionId": None,
        "previousVersionId": None,
        "versionCounter": 0,
        "versionUrl": None,
        "createdAt": now,
        "updatedAt": now,
        "createdBy": call.caller.uid,
        "deletedAt": None,
        "tombstoneExpiresAt": None,
    }


def apply_settings(roost: JsonObject, body: Body) -> list[str]:
    """Change a roost's name, targets and path as far as a body has them; return which."""
    given = body.given()
    changed: list[str] = []
    if "name" in given:
        roost["name"] = given["name"].strip()[:200]
        changed.append("name")
    if "targets" in given:
        roost["targets"] = list(dict.fromkeys(given["targets"]))[:_MOST_TARGETS]
        changed.append("targets")
    if "extractPath" in given:
        roost["extractPath"] = given["extractPath"].strip()[:_LONGEST_PATH] or None
        changed.append("extractPath")
    return changed


def save(call: Call, roost: JsonObject) -> None:
    """Write a roost, as changed now."""
    roost["updatedAt"] = call.world.stamp()
    call.world.database.put(call.place("roosts"), roost["roostId"], roost)


_ROW: Final = (
    "roostId",
    "siteId",
    "name",
    "targets",
    "extractPath",
    "currentVersionId",
    "previousVersionId",
    "versionCounter",
    "createdAt",
    "updatedAt",
    "deletedAt",
    "tombstoneExpiresAt",
)
_SUMMARY: Final = (
    "versionId",
    "versionNumber",
    "description",
    "versionUrl",
    "createdAt",
    "createdBy",
    "totalSize",
    "totalFiles",
    "parentVersionId",
)


def summary_of(version: JsonObject) -> JsonObject:
    """Return a version as lists show it."""
    return {name: version[name] for name in _SUMMARY}


def show_all(call: Call) -> Answer:
    """List the roosts of a site, newest first."""
    with_deleted = call.query.get("includeDeleted") == "true"
    rows = [
        {name: roost[name] for name in _ROW}
        for roost in call.world.database.documents(call.place("roosts"), newest_first=True)
        if with_deleted or roost["deletedAt"] is None
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["roostId"])
    return Answer({"roosts": page, **tokens})


def show(call: Call) -> Answer:
    """Return a roost, with its current and its previous version."""
    roost = roost_of(call)
    place = call.place("roosts", roost["roostId"], "versions")
    versions: dict[str, JsonObject | None] = {}
    for name in ("currentVersion", "previousVersion"):
        found = call.world.database.get(place, roost[f"{name}Id"] or "")
        versions[name] = summary_of(found) if found else None
    return Answer({**roost, **versions})


def create(call: Call) -> Answer:
    """Create a roost, or bring a deleted one back with all its versions."""
    body: NewRoost = call.body
    name = body.name.strip()
    if not name:
        raise invalid({"body.name": ["required"]}, code="roost_name_required")
    roost_id = new_id("rst_") if body.roost_id is UNSET else body.roost_id
    check_id("roostId", roost_id, where="body", lenient=call.world.habits.lenient_ids)
    roost = call.world.database.get(call.place("roosts"), roost_id)
    if roost is not None and roost["deletedAt"] is None:
        raise conflict(f"there is a roost {roost_id} already")
    roost = roost or blank_roost(call, roost_id, name)
    roost["deletedAt"] = roost["tombstoneExpiresAt"] = None
    apply_settings(roost, body)
    save(call, roost)
    call.audit("roost_mutated", roost_id, verb="create")
    shown = ("roostId", "siteId", "name", "targets")
    path = {} if roost["extractPath"] is None else {"extractPath": roost["extractPath"]}
    return Answer({**{each: roost[each] for each in shown}, **path}, 201)


def patch(call: Call) -> Answer:
    """Change a roost's name, targets or path."""
    roost = live_roost_of(call)
    updated = apply_settings(roost, call.body)
    if not updated:
        raise invalid({"body": ["needs name, targets or extractPath"]})
    if not roost["name"]:
        raise invalid({"body.name": ["must not be empty"]})
    save(call, roost)
    call.audit("roost_mutated", roost["roostId"], verb="config_update")
    return Answer(
        {
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "updated": [*updated, "updatedAt"],
        }
    )


def remove(call: Call) -> Answer:
    """Delete a roost, for 30 days in a way that can be undone."""
    roost = roost_of(call)
    roost["deletedAt"] = call.world.stamp()
    roost["tombstoneExpiresAt"] = call.world.stamp(GRACE)
    save(call, roost)
    call.audit("roost_mutated", roost["roostId"], verb="delete")
    return Answer(
        {
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "softDeleted": True,
            "tombstoneExpiresAt": roost["tombstoneExpiresAt"],
        }
    )


_CAPABILITY: Final = "DISTRIBUTION_MANAGE"

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/roosts",
        handler=show_all,
        does="List the roosts of a site",
        site="query",
        scope=("site", "read"),
        of_roosts=True,
        paging=_PAGES,
        query={"includeDeleted": {"type": "string"}},
    ),
    Endpoint(
        method="POST",
        path="/api/roosts",
        handler=create,
        does="Create a roost",
        site="body",
        scope=("site", "write"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
        body=NewRoost,
        codes={"name": "roost_name_required"},
        answers=(201,),
        refuses=(409,),
    ),
    Endpoint(
        method="GET",
        path="/api/roosts/{roostId}",
        handler=show,
        does="Get a roost",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
    ),
    Endpoint(
        method="PATCH",
        path="/api/roosts/{roostId}",
        handler=patch,
        does="Change a roost",
        site="body",
        scope=("roost", "write"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
        body=RoostPatch,
        refuses=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/api/roosts/{roostId}",
        handler=remove,
        does="Delete a roost",
        site="query",
        scope=("roost", "write"),
        capability=_CAPABILITY,
        limited=False,
        of_roosts=True,
    ),
)
