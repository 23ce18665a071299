"""Versions: what a roost has held, file by file, and what changed from one to the other."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from opssim.core.store import JsonObject, decode, encode
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.paging import Paging, page_of, token_of, tokens
from opssim.owlette.problems import Problem, invalid, not_found
from opssim.owlette.roosts import roost_of, summary_of

_PAGES: Final = Paging()
_FILES: Final = Paging(100, 500)
_MINUTES: Final = 15


class VersionPatch(Body):
    """The new description."""

    site_id: str
    description: Annotated[str, Meta(max_length=500)] | None


class VersionUrl(Body):
    """Which version."""

    site_id: str
    version_id: str


def versions_place(call: Call, roost_id: str) -> str:
    """Return where the versions of a roost are."""
    return call.place("roosts", roost_id, "versions")


def manifest_key(site_id: str, roost_id: str, version_id: str) -> str:
    """Return where the storage keeps a manifest."""
    return f"project-manifests/{site_id}/{roost_id}/{version_id}.json"


def find_version(call: Call, roost: JsonObject, text: str) -> JsonObject:
    """Return the version that a client names.

    Raises:
        Problem: 400 or 404.
    """
    ref = call.version_ref(text)
    database, place = call.world.database, versions_place(call, roost["roostId"])
    found: JsonObject | None = None
    if ref.word in {"current", "previous"}:
        found = database.get(place, roost[f"{ref.word}VersionId"] or "")
    elif ref.version_id:
        bare = ref.version_id.removeprefix("vrs_")
        found = database.get(place, bare) or database.get(place, ref.version_id)
    else:
        number = 1 if ref.word else ref.number
        every = database.documents(place)
        found = next((each for each in every if each["versionNumber"] == number), None)
    if found is None:
        raise not_found(f"version {text[:80]}", "version_not_found")
    return found


def manifest_of(call: Call, roost_id: str, version: JsonObject) -> JsonObject:
    """Return the manifest of a version.

    Raises:
        Problem: 410, if the storage has lost it.
    """
    key = manifest_key(call.site_id, roost_id, version["versionId"])
    body = call.world.database.object(key)
    if body is None:
        raise Problem(410, "not_found", "the manifest of this version is gone")
    return decode(body)


def store_manifest(call: Call, roost_id: str, version_id: str, manifest: JsonObject) -> None:
    """Write the manifest of a version."""
    key = manifest_key(call.site_id, roost_id, version_id)
    call.world.database.put_object(key, encode(manifest))


def show_all(call: Call) -> Answer:
    """List the versions of a roost, newest first."""
    roost = roost_of(call)
    place = versions_place(call, roost["roostId"])
    rows = [summary_of(each) for each in call.world.database.documents(place, newest_first=True)]
    page, found = page_of(rows, call.query, _PAGES, lambda row: row["versionId"])
    return Answer({"versions": page, "nextCursor": found["nextPageToken"] or None, **found})


def show(call: Call) -> Answer:
    """Return a version with its manifest."""
    roost = roost_of(call)
    version = find_version(call, roost, call.path["ref"])
    metadata = {
        name: version[name]
        for name in (
            "versionUrl",
            "createdAt",
            "createdBy",
            "totalSize",
            "totalFiles",
            "parentVersionId",
        )
    }
    return Answer(
        {
            "versionId": version["versionId"],
            "versionNumber": version["versionNumber"],
            "description": version["description"],
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "version": manifest_of(call, roost["roostId"], version),
            "metadata": metadata,
        }
    )


def patch(call: Call) -> Answer:
    """Change the description of a version; nothing else of it ever changes."""
    roost = roost_of(call)
    version = find_version(call, roost, call.path["ref"])
    text = call.body.description
    version["description"] = (text.strip() or None) if text else None
    version["updatedAt"] = call.world.stamp()
    place = versions_place(call, roost["roostId"])
    call.world.database.put(place, version["versionId"], version)
    call.audit("roost_mutated", roost["roostId"], verb="version_describe")
    shown = {"roostId": roost["roostId"], "siteId": call.site_id}
    return Answer({**summary_of(version), **shown, "updatedAt": version["updatedAt"]})


def show_files(call: Call) -> Answer:
    """List the files of a version, by path."""
    roost = roost_of(call)
    version = find_version(call, roost, call.path["ref"])
    prefix = call.query.get("prefix", "")
    files = [
        file
        for file in manifest_of(call, roost["roostId"], version)["files"]
        if file["path"].startswith(prefix)
    ]
    token = token_of(call.query)
    start = int(token) if token.isdecimal() and token.isascii() and len(token) < 10 else 0
    size = _FILES.size(call.query)
    page = files[start : start + size]
    following = str(start + size) if start + size < len(files) else ""
    return Answer(
        {
            "versionId": version["versionId"],
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "total": len(files),
            "files": page,
            "items": page,
            **tokens(following),
        }
    )


def diff(call: Call) -> Answer:
    """Tell what changed from one version to another."""
    roost = roost_of(call)
    against = call.query.get("against", "")
    if not against:
        raise invalid({"query.against": ["required"]})
    to = find_version(call, roost, call.path["ref"])
    base = find_version(call, roost, against)
    old = _files_of(call, roost["roostId"], base)
    new = _files_of(call, roost["roostId"], to)
    added = [_whole(new[path], "added") for path in sorted(new.keys() - old.keys())]
    removed = [_whole(old[path], "removed") for path in sorted(old.keys() - new.keys())]
    both = sorted(old.keys() & new.keys())
    modified = [
        {
            "path": path,
            "fromSize": old[path]["size"],
            "toSize": new[path]["size"],
            "reason": "size" if old[path]["size"] != new[path]["size"] else "content",
            "fromChunks": len(old[path]["chunks"]),
            "toChunks": len(new[path]["chunks"]),
        }
        for path in both
        if old[path] != new[path]
    ]
    summary = {
        "added": len(added),
        "removed": len(removed),
        "changed": len(modified),
        "unchanged": len(both) - len(modified),
        "hasChanges": bool(added or removed or modified),
        "netBytesDelta": sum(file["size"] for file in new.values())
        - sum(file["size"] for file in old.values()),
    }
    return Answer(
        {
            "versionId": to["versionId"],
            "fromVersion": base["versionId"],
            "toVersion": to["versionId"],
            "against": against,
            "roostId": roost["roostId"],
            "siteId": call.site_id,
            "summary": summary,
            "added": added,
            "removed": removed,
            "modified": modified,
        }
    )


def version_url(call: Call) -> Answer:
    """Return a URL to get a version's manifest from."""
    roost = roost_of(call)
    version = call.world.database.get(versions_place(call, roost["roostId"]), call.body.version_id)
    if version is None:
        raise not_found("version", "version_not_found")
    key = manifest_key(call.site_id, roost["roostId"], version["versionId"])
    url, expires = call.world.urls.sign("GET", key, _MINUTES)
    return Answer({"url": url, "expiresAt": expires})


def _files_of(call: Call, roost_id: str, version: JsonObject) -> dict[str, JsonObject]:
    return {file["path"]: file for file in manifest_of(call, roost_id, version)["files"]}


def _whole(file: JsonObject, reason: str) -> JsonObject:
    chunks = len(file["chunks"])
    return {"path": file["path"], "size": file["size"], "reason": reason, "chunks": chunks}


_BASE: Final = "/api/roosts/{roostId}/versions"

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=_BASE,
        handler=show_all,
        does="List the versions of a roost",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
        paging=_PAGES,
    ),
    Endpoint(
        method="GET",
        path=f"{_BASE}/{{ref}}",
        handler=show,
        does="Get a version and its manifest",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
        refuses=(410,),
    ),
    Endpoint(
        method="PATCH",
        path=f"{_BASE}/{{ref}}",
        handler=patch,
        does="Describe a version",
        site="body",
        scope=("roost", "write"),
        capability="DISTRIBUTION_MANAGE",
        limited=False,
        of_roosts=True,
        idempotency="optional",
        body=VersionPatch,
        unknown="version_content_immutable",
    ),
    Endpoint(
        method="GET",
        path=f"{_BASE}/{{ref}}/files",
        handler=show_files,
        does="List the files of a version",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
        paging=_FILES,
        query={"prefix": {"type": "string"}},
        refuses=(410,),
    ),
    Endpoint(
        method="GET",
        path=f"{_BASE}/{{ref}}/diff",
        handler=diff,
        does="Compare two versions",
        site="query",
        scope=("roost", "read"),
        of_roosts=True,
        query={"against": {"type": "string"}},
        needs=("against",),
        refuses=(410,),
    ),
    Endpoint(
        method="POST",
        path="/api/roosts/{roostId}/version-url",
        handler=version_url,
        does="Get a URL of a version's manifest",
        site="body",
        scope=("roost", "read"),
        of_roosts=True,
        body=VersionUrl,
    ),
)
