"""Endpoints under `/_sim/` for tests that run in another process than the simulator.

They do what a test in the same process does with the simulator object. Faults never strike them,
the request log does not contain them, and they ask for no credentials: they are on loopback.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.core.faults import Fault
from opssim.core.store import JsonObject, encode

if TYPE_CHECKING:
    from opssim.core.simulator import Simulator

#: Where they are; everything else belongs to the simulated API.
PREFIX: Final = "/_sim/"

_FAULT_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Fault))


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    table: str
    count: Annotated[int, msgspec.Meta(ge=0)] = 1


class _MistakeError(Exception):
    """A request that asks for something that there is not."""


def control_app(simulator: Simulator) -> Starlette:
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

    table: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
        ("GET", "counts", counts),
        ("GET", "requests", requests),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("POST", "insert", insert),
        ("POST", "touch", touch),
    )
    return Starlette(
        routes=[
            Route(PREFIX + path, endpoint, methods=[method]) for method, path, endpoint in table
        ],
        exception_handlers={_MistakeError: _explain},
    )


def _fault_from(raw: bytes) -> Fault:
    """Read a fault: the fields of `Fault`, with `body` as text."""
    try:
        data = msgspec.json.decode(raw, type=JsonObject)
        unknown = data.keys() - _FAULT_FIELDS
        if unknown:
            fields = ", ".join(sorted(_FAULT_FIELDS))
            msg = f"a fault has no {', '.join(sorted(unknown))}: only {fields}"
            raise _MistakeError(msg)
        body = msgspec.convert(data.pop("body", ""), str)
        fault = msgspec.convert(data, Fault)
        re.compile(fault.path)
    except (msgspec.MsgspecError, re.error) as error:
        msg = f"this is no fault: {error}"
        raise _MistakeError(msg) from error
    return dataclasses.replace(fault, body=body.encode())


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
