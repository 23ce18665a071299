"""The storage: a host of its own, which knows signed URLs and no API key."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.owlette.world import World

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
#: Headers that belong to the API, and that nobody else may ever see.
_FOREIGN: Final = ("authorization", "x-api-key", "roost-version", "idempotency-key")


def storage_app(world: World) -> Starlette:
    """Return the storage as an application, to be served on a port of its own."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        refusal = _refusal(world, request)
        if refusal is not None:
            return refusal
        key = request.path_params["key"]
        if request.method == "PUT":
            return _put(world, key, body)
        return _get(world, key, request.headers.get("range", ""))

    return Starlette(routes=[Route("/{key:path}", answer, methods=["GET", "PUT"])])


def _refusal(world: World, request: Request) -> Response | None:
    if any(name in request.headers for name in _FOREIGN):
        return _error(400, "InvalidArgument: only one auth mechanism allowed")
    query = request.query_params
    method = "PUT" if request.method == "PUT" else "GET"
    key = request.path_params["key"]
    why = world.urls.why_not(method, key, query.get("exp", ""), query.get("sig", ""))
    return None if why is None else _error(403, why)


def _put(world: World, key: str, body: bytes) -> Response:
    digest = hashlib.sha256(body).hexdigest()
    if world.habits.verify_chunks and key.startswith("project-content/"):
        expected = key.rpartition("/")[2]
        if digest != expected:
            return _error(422, f"BadDigest: the bytes are {digest}")
    with world.database.transaction():
        world.database.put_object(key, body)
    return Response(headers={"ETag": f'"{digest[:32]}"'})


def _get(world: World, key: str, wanted: str) -> Response:
    body = world.database.object(key)
    if body is None:
        return _error(404, "NoSuchKey")
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(wanted)
    if found is None or found[0] == "bytes=-":
        return Response(body, headers=headers, media_type="application/octet-stream")
    first, last = found[1], found[2]
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start >= len(body) or end < start:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
    part = body[start : end + 1]
    return Response(part, 206, headers=headers, media_type="application/octet-stream")


def _error(status: int, what: str) -> Response:
    code, _, message = what.partition(": ")
    document = f"<Error><Code>{code}</Code><Message>{message or code}</Message></Error>"
    return Response(document, status, media_type="application/xml")
