"""Publishing: one transaction that makes a manifest the current version, or says why not."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.canonical import version_id_of
from opssim.owlette.chunks import is_stored, refer
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.problems import Problem
from opssim.owlette.rollouts import start_rollout
from opssim.owlette.roosts import Path, apply_settings, blank_roost, save
from opssim.owlette.versions import manifest_key, store_manifest, versions_place

_SHOWN: Final = 20


class Chunk(Struct):
    """A part of a file."""

    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[float, Meta(gt=0)]


class File(Struct):
    """A file, as its chunks."""

    path: Annotated[str, Meta(min_length=1)]
    size: Annotated[float, Meta(ge=0)]
    chunks: list[Chunk]


class Manifest(Struct, rename="camel"):
    """All files of a version."""

    schema_version: Literal[2]
    media_type: Literal["application/vnd.owlette.version.v1+json"]
    config: dict[str, Any]
    files: Annotated[list[File], Meta(min_length=1)]


class Publish(Body):
    """A version to publish, and what it has to follow."""

    site_id: str
    version: Manifest
    expected_current_version_id: str | UnsetType | None = UNSET
    name: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    targets: list[str] | UnsetType = UNSET
    extract_path: Path | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET


def publish(call: Call) -> Answer:
    """Make a manifest the current version of a roost.

    What it turns out to be is seen in this order: chunks are missing, it is current already,
    somebody else was first, it was current before, it is new.
    """
    body: Publish = call.body
    manifest: JsonObject = call.sent["version"]
    _see_chunks(call, manifest)
    version_id = version_id_of(manifest)
    database, roost_id = call.world.database, call.path["roostId"]
    roost = database.get(call.place("roosts"), roost_id)
    roost = roost or blank_roost(call, roost_id, roost_id)
    head: str | None = roost["currentVersionId"]
    is_current = head == version_id
    settings = body.given().keys() & {"name", "targets", "extractPath"}
    if not is_current or settings:
        _compare(body.expected_current_version_id, head)
    apply_settings(roost, body)
    known = database.get(versions_place(call, roost_id), version_id)
    if is_current and known is not None:
        if settings:
            save(call, roost)
            call.audit("roost_mutated", roost_id, verb="config_update")
        return _outcome(roost, known, 200)
    store_manifest(call, roost_id, version_id, manifest)
    version = known or _new_version(call, roost, version_id, manifest)
    roost["previousVersionId"], roost["currentVersionId"] = head, version_id
    roost["versionUrl"] = version["versionUrl"]
    save(call, roost)
    verb = "version_promote" if known else "version_publish"
    call.audit("roost_mutated", roost_id, verb=verb, versionId=version_id)
    _tell(call, roost, version)
    start_rollout(call.world, call.site_id, roost, version, by=call.caller.uid)
    return _outcome(roost, version, 200 if known else 201)


def _see_chunks(call: Call, manifest: JsonObject) -> None:
    wanted = dict.fromkeys(chunk["hash"] for file in manifest["files"] for chunk in file["chunks"])
    missing = [digest for digest in wanted if not is_stored(call, digest)]
    if missing:
        msg = (
            f"{len(missing)} referenced chunk(s) are not present in R2. "
            "upload them via /api/chunks/upload-urls before finalising."
        )
        title = "chunks missing in storage"
        shown = missing[:_SHOWN]
        raise Problem(412, "precondition_failed", msg, title=title, missingChunks=shown)


def _compare(expected: str | UnsetType | None, head: str | None) -> None:
    if expected is not UNSET and expected != head:
        msg = (
            "expectedCurrentVersionId did not match the current head "
            f"({head or 'null'}). re-read + retry."
        )
        raise Problem(412, "version_stale", msg, title="head changed", currentVersionId=head)


def _new_version(
    call: Call, roost: JsonObject, version_id: str, manifest: JsonObject
) -> JsonObject:
    roost_id = roost["roostId"]
    roost["versionCounter"] += 1
    text = call.body.description
    key = manifest_key(call.site_id, roost_id, version_id)
    version: JsonObject = {
        "versionId": version_id,
        "versionNumber": roost["versionCounter"],
        "description": (text.strip() or None) if isinstance(text, str) else None,
        "versionUrl": f"{call.world.urls.base}/{key}",
        "createdAt": call.world.stamp(),
        "createdBy": call.caller.uid,
        "totalSize": sum(file["size"] for file in manifest["files"]),
        "totalFiles": len(manifest["files"]),
        "parentVersionId": roost["currentVersionId"],
    }
    call.world.database.put(versions_place(call, roost_id), version_id, version)
    refer(call, version, roost_id, manifest)
    return version


def _tell(call: Call, roost: JsonObject, version: JsonObject) -> None:
    data = {
        "roostId": roost["roostId"],
        "siteId": call.site_id,
        "versionId": version["versionId"],
        "versionNumber": version["versionNumber"],
        "previousVersionId": roost["previousVersionId"],
        "description": version["description"],
        "totalFiles": version["totalFiles"],
        "totalSize": version["totalSize"],
    }
    call.world.emit("version.published", call.site_id, data)


def _outcome(roost: JsonObject, version: JsonObject, status: int) -> Answer:
    return Answer(
        {
            "versionId": version["versionId"],
            "versionNumber": version["versionNumber"],
            "currentVersionId": roost["currentVersionId"],
            "previousVersionId": roost["previousVersionId"],
        },
        status,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/roosts/{roostId}/versions",
        handler=publish,
        does="Publish a version",
        site="body",
        scope=("roost", "write"),
        capability="DISTRIBUTION_MANAGE",
        limited=False,
        of_roosts=True,
        idempotency="optional",
        body=Publish,
        answers=(200, 201),
        refuses=(412,),
    ),
)
