"""Endpoints under `/_sim/` for tests that run in another process than the simulator.

They do what a test in the same process does with the simulator object. Faults never strike them,
the request log does not contain them, and they ask for no credentials: they are on loopback.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.core.faults import Fault, fault_from
from opssim.core.store import JsonObject, encode

if TYPE_CHECKING:
    from opssim.core.simulator import Simulator

#: Where they are; everything else belongs to the simulated API.
PREFIX: Final = "/_sim/"


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    table: str
    count: Annotated[int, msgspec.Meta(ge=0)] = 1


class _MistakeError(Exception):
    """A request that asks for something that there is not."""


def control_app(simulator: Simulator) -> Starlette:  # noqa: C901 - one function per endpoint
    """Return the endpoints that steer one simulator."""

    async def counts(_: Request) -> Response:
        return _json(simulator.counts())

    async def requests(_: Request) -> Response:
        seen: dict[str, Counter[str]] = {}
        for request in simulator.requests.all():
            seen.setdefault(request.path, Counter())[str(request.status)] += 1
        return _json(seen)

    async def add_fault(request: Request) -> Response:
        simulator.faults.add(_fault_from(await request.body()))
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        simulator.faults.clear()
        return Response(status_code=204)

    async def insert(request: Request) -> Response:
        change = _change_from(await request.body(), simulator)
        simulator.insert(change.table, change.count)
        return _json(simulator.counts())

    async def touch(request: Request) -> Response:
        change = _change_from(await request.body(), simulator)
        simulator.touch(change.table, change.count)
        return _json(simulator.counts())

    async def delete(request: Request) -> Response:
        change = _change_from(await request.body(), simulator)
        simulator.delete(change.table, change.count)
        return _json(simulator.counts())

    async def act(request: Request) -> Response:
        name, known = request.path_params["name"], simulator.actions()
        if name not in known:
            msg = f"{simulator.name} has no action {name!r}: only {', '.join(known) or 'none'}"
            raise _MistakeError(msg)
        arguments = _arguments_from(await request.body())
        try:
            return _json(known[name](**arguments))
        except (TypeError, KeyError, ValueError) as error:
            msg = f"{name} cannot be done with {', '.join(arguments) or 'nothing'}: {error}"
            raise _MistakeError(msg) from error

    table: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
        ("GET", "counts", counts),
        ("GET", "requests", requests),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("POST", "insert", insert),
        ("POST", "touch", touch),
        ("POST", "delete", delete),
        ("POST", "actions/{name}", act),
    )
    return Starlette(
        routes=[
            Route(PREFIX + path, endpoint, methods=[method]) for method, path, endpoint in table
        ],
        exception_handlers={_MistakeError: _explain},
    )


def _fault_from(raw: bytes) -> Fault:
    try:
        return fault_from(raw)
    except ValueError as error:
        raise _MistakeError(str(error)) from error


def _arguments_from(raw: bytes) -> JsonObject:
    try:
        return msgspec.json.decode(raw or b"{}", type=JsonObject)
    except msgspec.MsgspecError as error:
        msg = f"the arguments of an action are a JSON object: {error}"
        raise _MistakeError(msg) from error


def _change_from(raw: bytes, simulator: Simulator) -> _Change:
    try:
        change = msgspec.json.decode(raw, type=_Change)
    except msgspec.MsgspecError as error:
        msg = f'this is no change, which looks like {{"table": "...", "count": 1}}: {error}'
        raise _MistakeError(msg) from error
    if change.table not in simulator.tables:
        msg = f"{simulator.name} has no table {change.table!r}: only {', '.join(simulator.tables)}"
        raise _MistakeError(msg)
    return change


async def _explain(_: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 400)


def _json(value: object, status: int = 200) -> Response:
    return Response(encode(value), status, media_type="application/json")
