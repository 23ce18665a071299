"""The versions of Owlette's own installer, for superadmins."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType

from opssim.core.store import JsonObject
from opssim.owlette.credentials import millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler, Nothing
from opssim.owlette.grammar import new_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, conflict, not_found
from opssim.owlette.world import World

VERSIONS: Final = "installer"
_UPLOADS: Final = "installer-uploads"
_LATEST: Final = "installer-latest"
_PAGES: Final = Paging()
_MINUTES: Final = 15
_DOWNLOAD_MINUTES: Final = 60
_FEWEST: Final = 2


class Upload(Body):
    """A version that is to be uploaded."""

    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
    file_name: Annotated[str, Meta(pattern=r"\.exe$")]
    content_type: str = "application/octet-stream"
    release_notes: str | None = None
    set_as_latest: bool = True


class Finish(Body, rename={"upload_id": "uploadId"}):
    """An upload that was put."""

    upload_id: str
    checksum_sha256: str | UnsetType = UNSET


def release(
    world: World, version: str, body: bytes, *, by: str, notes: str | None = None
) -> JsonObject:
    """Write a version of the installer."""
    world.database.put_object(_key(version), body)
    now = world.now()
    document: JsonObject = {
        "version": version,
        "download_url": "",  # signed anew whenever it is shown
        "checksum_sha256": hashlib.sha256(body).hexdigest(),
        "release_notes": notes,
        "file_size": len(body),
        "uploaded_at": millis(now),
        "uploaded_by": by,
        "release_date": world.stamp(),
        "deletedAt": None,
    }
    world.database.put(VERSIONS, version, document)
    return document


def promote(world: World, document: JsonObject, *, by: str) -> JsonObject:
    """Make a version the latest."""
    document = {**document, "promoted_at": millis(world.now()), "promoted_by": by}
    world.database.put(VERSIONS, document["version"], document)
    world.database.put(_LATEST, "latest", {"version": document["version"]})
    return document


def show_all(call: Call) -> Answer:
    """List the versions, newest first."""
    with_deleted = call.query.get("includeDeleted") == "true"
    rows = [
        each
        for each in call.world.database.documents(VERSIONS, newest_first=True)
        if with_deleted or each["deletedAt"] is None
    ]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["version"])
    return Answer({"versions": [_row(call, each) for each in page], **tokens})


def show_latest(call: Call) -> Answer:
    """Return the latest version."""
    document = call.world.database.get(VERSIONS, _latest(call) or "")
    if document is None:
        raise not_found("latest installer", "latest_installer_not_found")
    return Answer(_row(call, document))


def start_upload(call: Call) -> Answer:
    """Return a URL to put an installer to, good for 15 minutes."""
    body: Upload = call.body
    known = call.world.database.get(VERSIONS, body.version)
    if known is not None and known["deletedAt"] is None:
        raise conflict(f"there is a version {body.version} already")
    upload_id = new_id("upl_")
    path = f"installers/uploads/{upload_id}/{body.file_name.rpartition('/')[2]}"
    url, expires = call.world.urls.sign("PUT", path, _MINUTES)
    until = millis(call.world.now() + timedelta(minutes=_MINUTES * call.world.urls.life))
    upload: JsonObject = {**body.given(), "storagePath": path, "until": until, "pending": True}
    call.world.database.put(_UPLOADS, upload_id, upload)
    return Answer(
        {"uploadUrl": url, "uploadId": upload_id, "storagePath": path, "expiresAt": expires}
    )


def finish_upload(call: Call) -> Answer:
    """Take an installer that was put, if its bytes are what they should be."""
    body: Finish = call.body
    database = call.world.database
    upload = database.get(_UPLOADS, body.upload_id)
    if upload is None:
        raise not_found("upload")
    if not upload["pending"]:
        raise conflict("this upload was finished already", "upload_not_pending")
    if upload["until"] <= millis(call.world.now()):
        raise Problem(410, "upload_expired", "this upload has expired: begin anew")
    binary = database.object(upload["storagePath"])
    if binary is None:
        raise not_found("binary", "binary_missing")
    digest = hashlib.sha256(binary).hexdigest()
    if body.checksum_sha256 is not UNSET and body.checksum_sha256 != digest:
        msg = f"the bytes that were put are {digest}"
        raise Problem(412, "checksum_mismatch", msg)
    by = call.caller.uid
    version: str = upload["version"]
    document = release(call.world, version, binary, by=by, notes=upload["releaseNotes"])
    database.delete_object(upload["storagePath"])
    database.put(_UPLOADS, body.upload_id, {**upload, "pending": False})
    if upload["setAsLatest"]:
        promote(call.world, document, by=by)
    names = ("version", "download_url", "checksum_sha256", "file_size")
    row = _row(call, document)
    return Answer({name: row[name] for name in names})


def set_latest(call: Call) -> Answer:
    """Make a version the latest."""
    document = _found(call)
    if document["deletedAt"] is not None:
        raise conflict("this version is deleted", "version_deleted")
    latest = promote(call.world, document, by=call.caller.uid)
    return Answer({"version": document["version"], "latest": _row(call, latest)})


def remove(call: Call) -> Answer:
    """Delete a version, if it is not the latest and enough others are left."""
    document = _found(call)
    version = document["version"]
    if document["deletedAt"] is not None:
        deleted = {"version": version, "deletedAt": document["deletedAt"], "alreadyDeleted": True}
        return Answer(deleted)
    if version == _latest(call):
        raise conflict("the latest version stays", "latest_version_protected")
    every = call.world.database.documents(VERSIONS)
    active = sum(each["deletedAt"] is None for each in every)
    if active <= _FEWEST:
        msg = f"at least {_FEWEST} versions have to stay"
        counts = {"minActiveVersions": _FEWEST, "currentActiveCount": active}
        raise conflict(msg, "min_versions_violated", **counts)
    document["deletedAt"] = millis(call.world.now())
    call.world.database.put(VERSIONS, version, document)
    deleted = {"version": version, "deletedAt": document["deletedAt"], "alreadyDeleted": False}
    return Answer(deleted)


def _key(version: str) -> str:
    return f"installers/Owlette-{version}.exe"


def _row(call: Call, document: JsonObject) -> JsonObject:
    """Return a version with a URL that it can be had from for an hour."""
    url, _ = call.world.urls.sign("GET", _key(document["version"]), _DOWNLOAD_MINUTES)
    return {**document, "download_url": url}


def _found(call: Call) -> JsonObject:
    document = call.world.database.get(VERSIONS, call.path["version"])
    if document is None:
        raise not_found("installer version")
    return document


def _latest(call: Call) -> str | None:
    latest = call.world.database.get(_LATEST, "latest")
    return latest["version"] if latest else None


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    usual: dict[str, Any] = {
        "scope": ("installer", "read" if method == "GET" else "write"),
        "capability": "INSTALLER_MANAGE",
    }
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


ENDPOINTS: Final = (
    _endpoint(
        "GET",
        "/api/installer",
        show_all,
        "List the versions of the installer",
        paging=_PAGES,
        query={"includeDeleted": {"type": "string"}},
    ),
    _endpoint(
        "GET", "/api/installer/latest", show_latest, "Get the latest version", refuses=(404,)
    ),
    _endpoint(
        "POST",
        "/api/installer/upload",
        start_upload,
        "Begin to upload a version",
        idempotency="required",
        body=Upload,
        refuses=(409,),
    ),
    _endpoint(
        "PUT",
        "/api/installer/upload",
        finish_upload,
        "Finish to upload a version",
        idempotency="required",
        body=Finish,
        refuses=(404, 409, 410, 412),
    ),
    _endpoint(
        "POST",
        "/api/installer/{version}/set-latest",
        set_latest,
        "Make a version the latest",
        scope=("installer", "admin"),
        idempotency="required",
        body=Nothing,
        refuses=(409,),
    ),
    _endpoint(
        "DELETE",
        "/api/installer/{version}",
        remove,
        "Delete a version",
        scope=("installer", "admin"),
        refuses=(409,),
    ),
)
