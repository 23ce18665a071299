"""Chunks: which are stored, where they go and come from, and who refers to them."""

from __future__ import annotations

from typing import Any, Final

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint
from opssim.owlette.grammar import check_id, is_digest
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import invalid, not_found

_MOST: Final = 1000
_UPLOAD_MINUTES: Final = 60
_DOWNLOAD_MINUTES: Final = 15
_REFERRERS: Final = Paging(50, 200)


class Hashes(Body):
    """Chunks of a site."""

    site_id: str
    hashes: list[Any]


def chunk_key(site_id: str, digest: str) -> str:
    """Return where the storage keeps a chunk."""
    return f"project-content/{site_id}/{digest[:2]}/{digest}"


def is_stored(call: Call, digest: str) -> bool:
    """Tell whether a chunk is there; one without bytes counts for none."""
    return bool(call.world.database.object_size(chunk_key(call.site_id, digest)))


def check(call: Call) -> Answer:
    """Tell which chunks are missing."""
    return Answer({"missing": [each for each in _hashes(call) if not is_stored(call, each)]})


def upload_urls(call: Call) -> Answer:
    """Return URLs to put chunks to, good for an hour."""
    return _urls(call, "PUT", _hashes(call), _UPLOAD_MINUTES)


def download_urls(call: Call) -> Answer:
    """Return URLs to get chunks from, good for 15 minutes, whether they are there or not."""
    return _urls(call, "GET", _hashes(call), _DOWNLOAD_MINUTES)


def download_urls_by_query(call: Call) -> Answer:
    """Return the same for hashes in the query, each a `hash` of its own."""
    return _urls(call, "GET", _seen(call.repeated.get("hash", [])), _DOWNLOAD_MINUTES)


def _hashes(call: Call) -> list[str]:
    return _seen(call.body.hashes)


def _seen(hashes: list[Any]) -> list[str]:
    if not 1 <= len(hashes) <= _MOST:
        raise invalid({"hashes": [f"must be 1 to {_MOST} hashes"]})
    if not all(map(is_digest, hashes)):
        raise invalid({"hashes": ["must be 64 lower-case hexadecimal digits each"]})
    return hashes


def _urls(call: Call, method: str, hashes: list[str], minutes: float) -> Answer:
    urls: dict[str, str] = {}
    expires = ""
    for digest in dict.fromkeys(hashes):
        key = chunk_key(call.site_id, digest)
        urls[digest], expires = call.world.urls.sign(method, key, minutes)
    return Answer({"urls": urls, "expiresAt": expires})


def mount(call: Call) -> Answer:
    """Let another roost refer to a chunk; no byte is copied."""
    digest = call.path["digest"]
    named = {name: call.sent.get(name, call.query.get(name)) for name in ("from", "to")}
    for name, value in named.items():
        if not isinstance(value, str) or not value:
            raise invalid({f"query.{name}": ["required"]})
        check_id("roostId", value, where=name, lenient=call.world.habits.lenient_ids)
    if named["from"] == named["to"]:
        raise invalid({"query.to": ["must not be the same roost"]})
    if not is_stored(call, digest):
        raise not_found("chunk")
    for roost_id in named.values():
        if call.world.database.get(call.place("roosts"), str(roost_id)) is None:
            raise not_found(f"roost {roost_id}")
    entry = blank_referrer(f"mount_{named['from']}_{named['to']}", "mount")
    entry |= {
        "fromRoostId": named["from"],
        "toRoostId": named["to"],
        "mountedAt": call.world.stamp(),
        "mountedBy": call.caller.uid,
    }
    call.world.database.put(_referrers(call.site_id, digest), entry["entryId"], entry)
    what = {"digest": digest, "siteId": call.site_id, **named, "mounted": True, "zeroByte": True}
    return Answer(what, 201)


def referrers(call: Call) -> Answer:
    """List what refers to a chunk."""
    digest = call.path["digest"]
    rows = call.world.database.documents(_referrers(call.site_id, digest))
    page, tokens = page_of(rows, call.query, _REFERRERS, lambda row: row["entryId"])
    answer = {"digest": digest, "siteId": call.site_id, "referrers": page, "items": page}
    return Answer({**answer, **tokens})


def blank_referrer(entry_id: str, source: str) -> JsonObject:
    """Return what refers to a chunk, with all members and no value."""
    names = (
        "roostId fromRoostId toRoostId versionId versionNumber fileCount pathCount totalBytes "
        "referencedAt createdAt createdBy mountedAt mountedBy"
    )
    return {"entryId": entry_id, "source": source, **dict.fromkeys(names.split())}


def refer(call: Call, version: JsonObject, roost_id: str, manifest: JsonObject) -> None:
    """Note that a version refers to its chunks."""
    uses: dict[str, list[JsonObject]] = {}
    for file in manifest["files"]:
        for chunk in file["chunks"]:
            uses.setdefault(chunk["hash"], []).append({"path": file["path"], **chunk})
    for digest, used in uses.items():
        entry = blank_referrer(f"version_{roost_id}_{version['versionId']}", "version")
        entry |= {
            "roostId": roost_id,
            "versionId": version["versionId"],
            "versionNumber": version["versionNumber"],
            "fileCount": len({each["path"] for each in used}),
            "pathCount": len({each["path"] for each in used}),
            "totalBytes": sum(each["size"] for each in used),
            "referencedAt": version["createdAt"],
            "createdAt": version["createdAt"],
            "createdBy": version["createdBy"],
        }
        call.world.database.put(_referrers(call.site_id, digest), entry["entryId"], entry)


def _referrers(site_id: str, digest: str) -> str:
    return f"sites/{site_id}/referrers/{digest}"


class Mount(Body):
    """Which roosts, unless the query says it."""


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/chunks/check",
        handler=check,
        does="Tell which chunks are missing",
        site="body",
        scope=("site", "write"),
        of_roosts=True,
        body=Hashes,
    ),
    Endpoint(
        method="POST",
        path="/api/chunks/upload-urls",
        handler=upload_urls,
        does="Get URLs to upload chunks to",
        site="body",
        scope=("site", "write"),
        capability="DISTRIBUTION_MANAGE",
        limited=False,
        of_roosts=True,
        body=Hashes,
    ),
    Endpoint(
        method="POST",
        path="/api/chunks/download-urls",
        handler=download_urls,
        does="Get URLs to download chunks from",
        site="body",
        scope=("site", "read"),
        of_roosts=True,
        body=Hashes,
    ),
    Endpoint(
        method="GET",
        path="/api/chunks/download-urls",
        handler=download_urls_by_query,
        does="Get URLs to download chunks from, by query",
        site="query",
        scope=("site", "read"),
        of_roosts=True,
        query={"hash": {"type": "array", "items": {"type": "string"}}},
        needs=("hash",),
    ),
    Endpoint(
        method="POST",
        path="/api/chunks/{digest}/mount",
        handler=mount,
        does="Let another roost refer to a chunk",
        site="query",
        scope=("site", "write"),
        capability="DISTRIBUTION_MANAGE",
        limited=False,
        of_roosts=True,
        body=Mount,
        query={"from": {"type": "string"}, "to": {"type": "string"}},
        answers=(201,),
    ),
    Endpoint(
        method="GET",
        path="/api/chunks/{digest}/referrers",
        handler=referrers,
        does="List what refers to a chunk",
        site="query",
        scope=("site", "read"),
        of_roosts=True,
        paging=_REFERRERS,
    ),
)
