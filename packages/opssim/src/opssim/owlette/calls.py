"""The way of a request: what is checked, in which order, before an endpoint gets to see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import msgspec.structs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from opssim.core.store import JsonObject, encode
from opssim.owlette.credentials import caller_of, note_use
from opssim.owlette.endpoint import VERSION, Answer, Body, Call, Endpoint
from opssim.owlette.grammar import check_id
from opssim.owlette.idempotency import Repeats
from opssim.owlette.problems import Problem, invalid, not_found
from opssim.owlette.world import World, no_site

_VERBS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"]
_PLACE: Final = re.compile(r"^(.*?) - at `\$(.*?)`$", re.DOTALL)
_MEMBER: Final = re.compile(r"field `([^`]+)`")
#: Whose id a scope is about, by the name that it has in the path.
_TARGETS: Final = {"roost": "roostId", "machine": "machineId"}


def routes_of(world: World, endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return the routes of endpoints, and one for all that is not there."""
    routes = [
        Route(each.path, _answering(world, each), methods=[each.method]) for each in endpoints
    ]
    return [*routes, Route("/{path:path}", _nothing_here, methods=_VERBS)]


async def _nothing_here(request: Request) -> Response:
    return not_found(f"{request.method} {request.url.path}").response(request.url.path)


def _answering(world: World, endpoint: Endpoint) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        headers: dict[str, str] = {}
        try:
            with world.database.transaction():
                answer = _handle(world, endpoint, request, body, headers)
        except Problem as problem:
            problem.headers = {**headers, **problem.headers}
            return problem.response(request.url.path, plain=endpoint.plain)
        if answer.finish is not None:
            answer.data = await run_in_threadpool(answer.finish)
        if endpoint.writes:
            world.changed.set()
        return _response(answer, headers)

    return answer


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    every = {**headers, **answer.headers}
    if answer.stream is not None:
        return StreamingResponse(
            answer.stream, answer.status, headers=every, media_type=answer.media_type
        )
    data = answer.data if isinstance(answer.data, bytes) else encode(answer.data)
    return Response(data, answer.status, headers=every, media_type=answer.media_type)


def _handle(
    world: World, endpoint: Endpoint, request: Request, raw: bytes, headers: dict[str, str]
) -> Answer:
    """Check a request as Owlette does, step by step, and let the endpoint answer it."""
    lenient = world.habits.lenient_ids
    path: dict[str, str] = request.path_params
    query = request.query_params
    repeated = {name: query.getlist(name) for name in query}
    call = Call(world, path, dict(query), repeated=repeated)
    for name, value in path.items():
        check_id(name, value, where="path", lenient=lenient)
    if endpoint.body is not None:
        call.sent = _decoded(raw, endpoint.body, plain=endpoint.plain)
    site_id = _site_id(endpoint, call)
    if site_id is not None:
        check_id("siteId", site_id, where=str(endpoint.site), lenient=lenient)
    if endpoint.of_roosts:
        _check_version(request, headers)
    if not endpoint.is_open:
        _admit(endpoint, call, _credential(request), site_id, headers)
    _check_query(endpoint, call)
    repeats = None
    if endpoint.idempotency:
        target = f"{request.method}|{request.url.path}|?{request.url.query}"
        needed = endpoint.idempotency == "required"
        key = request.headers.get("idempotency-key")
        repeats = Repeats(world, call.caller, key, target, raw, needed=needed)
        if (replayed := repeats.replay()) is not None:
            return replayed
    if endpoint.body is not None:
        call.body = _checked(call.sent, endpoint)
    answer = endpoint.handler(call)
    if repeats is not None:
        repeats.keep(answer)
    return answer


def _site_id(endpoint: Endpoint, call: Call) -> str | None:
    if endpoint.site == "path":
        return call.path["siteId"]
    if endpoint.site is None:
        return None
    sent: Mapping[str, Any] = call.query if endpoint.site == "query" else call.sent
    found = sent.get("siteId", "")
    if not isinstance(found, str) or not found:
        raise invalid({f"{endpoint.site}.siteId": ["required"]})
    return found


def _check_version(request: Request, headers: dict[str, str]) -> None:
    sent = request.headers.get("roost-version", "").strip()
    if not sent:
        headers["X-Roost-Version-Missing"] = "true"
    elif sent != VERSION:
        msg = f"Roost-Version {sent[:40]!r} is not supported"
        raise Problem(400, "unsupported_version", msg, sent=sent[:40], supported=[VERSION])


def _credential(request: Request) -> str:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return text.strip()
    return request.headers.get("x-api-key", request.query_params.get("api_key", ""))


def _admit(
    endpoint: Endpoint, call: Call, credential: str, site_id: str | None, headers: dict[str, str]
) -> None:
    """See to it that the caller may call the endpoint, for this site."""
    world = call.world
    caller = caller_of(world.database, credential, world.now())
    call.caller_or_none = caller
    note_use(world.database, caller, world.now())
    if caller.key["scopes"] is None:
        headers["X-Roost-Deprecation"] = "legacy-key-scope-missing"
    if endpoint.counted and world.habits.limit_rates:
        headers |= world.limits.count_request(caller.key["id"])
    if site_id is not None:
        site = world.site(site_id)
        if site is None or not caller.may_enter(site):
            raise no_site()
        call.site_or_none = site
    if endpoint.capability:
        if not caller.is_capable(endpoint.capability, call.site_or_none):
            msg = f"the role {caller.user['role']} does not allow {endpoint.capability}"
            raise Problem(403, "forbidden", msg)
        if endpoint.limited and world.habits.limit_rates:
            world.limits.count_change(endpoint.capability, caller.uid)
    if endpoint.scope:
        resource, permission = endpoint.scope
        target = call.path.get(_TARGETS.get(resource, "siteId"), site_id or "*")
        call.require(resource, target, permission)
    if endpoint.of_roosts and call.site_or_none and not call.site.get("roostEnabled", True):
        msg = "roosts are switched off for this site"
        raise Problem(503, "service_unavailable", msg, title="roost disabled")


def _check_query(endpoint: Endpoint, call: Call) -> None:
    if endpoint.paging is not None:
        endpoint.paging.size(call.query)
    for name in endpoint.needs:
        if not call.query.get(name):
            raise invalid({f"query.{name}": ["required"]})
    for name, schema in endpoint.query.items():
        allowed = schema.get("enum")
        if allowed and name in call.query and call.query[name] not in allowed:
            raise invalid({f"query.{name}": [f"must be one of {', '.join(allowed)}"]})


def _decoded(raw: bytes, kind: type[Body], *, plain: bool) -> JsonObject:
    code = "invalid_body" if plain else "validation_failed"
    if not raw.strip() and not any(each.required for each in msgspec.structs.fields(kind)):
        return {}
    try:
        sent = msgspec.json.decode(raw)
        encode(sent)  # what cannot be written could not be kept
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError) as error:
        raise invalid({"body": [f"must be JSON: {error}"]}, code=code) from error
    if not isinstance(sent, dict):
        raise invalid({"body": ["must be an object"]}, code=code)
    return sent  # pyright: ignore[reportUnknownVariableType] - it has the keys of JSON


def _checked(sent: JsonObject, endpoint: Endpoint) -> Body:
    """Return a body as its endpoint declares it."""
    assert endpoint.body is not None  # noqa: S101 - only asked where there is one
    unknown = sorted(sent.keys() - {*endpoint.body.__struct_encode_fields__})
    if endpoint.unknown and unknown:
        msg = f"these members are not allowed: {', '.join(unknown)[:200]}"
        errors = {f"body.{name}": ["not allowed"] for name in unknown[:20]}
        raise Problem(400, endpoint.unknown, msg, errors=errors)
    try:
        return msgspec.convert(sent, endpoint.body)
    except msgspec.ValidationError as error:
        message = str(error)
        found = _PLACE.match(message)
        message, place = (found[1], f"body{found[2]}") if found else (message, "body")
        code = "invalid_field" if endpoint.plain else "validation_failed"
        if (member := _MEMBER.search(message)) and "missing" in message:
            place, message = f"{place}.{member[1]}", "required"
            code = "missing_field" if code == "invalid_field" and place.count(".") == 1 else code
        if place.count(".") == 1:
            code = endpoint.codes.get(place.partition(".")[2], code)
        raise invalid({place: [message]}, code=code) from error
