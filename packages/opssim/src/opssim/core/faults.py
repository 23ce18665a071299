"""Faults to inject: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import re
import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Where the server leaves the connection for `cut` and `truncate` to close (see `server.py`).
TRANSPORT = "opssim.transport"
#: The header with which a request asks for a fault of its own, as JSON.
HEADER: Final = b"opssim-fault"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Which requests: those whose path `path` matches (a regular expression, found anywhere) and
    whose method is `method`. How often: every `every`-th of them, or by a `chance` (0.05 is one in
    twenty, by a seed: the same each time), once there have been so many (`after`), and at most
    `times` of them; without any, all of them.

    What happens: after `delay` seconds, the connection is closed without an answer (`cut`), or
    `status` is answered with `body`, `media_type` and `headers`, or the real answer is sent but
    ends after `truncate` bytes of its body. With `lose`, the request is done, and its answer is
    lost with the connection. With only a `delay`, the real answer comes late.
    """

    path: str = ""
    method: str | None = None
    every: int | None = None
    chance: float = 1.0
    after: int = 0
    times: int | None = None
    delay: float = 0.0
    status: int | None = None
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: bool = False
    truncate: int | None = None
    lose: bool = False

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those that this fault is for."""
        return (self.method is None or self.method == method) and bool(re.search(self.path, path))


FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Fault))


def fault_from(raw: bytes) -> Fault:
    """Read a fault from JSON: the fields of `Fault`, with `body` as text.

    Raises:
        ValueError: it is none.
    """
    try:
        data = msgspec.json.decode(raw, type=dict[str, Any])
        if unknown := data.keys() - FIELDS:
            msg = f"a fault has no {', '.join(sorted(unknown))}: only {', '.join(sorted(FIELDS))}"
            raise ValueError(msg)
        body = msgspec.convert(data.pop("body", ""), str)
        fault = msgspec.convert(data, Fault)
        re.compile(fault.path)
    except (msgspec.MsgspecError, re.error) as error:
        msg = f"this is no fault: {error}"
        raise ValueError(msg) from error
    return dataclasses.replace(fault, body=body.encode())


class FaultPlan:
    """The faults in force. Several may be; the first that strikes a request decides."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, list[int]]] = []
        self._lock = threading.Lock()
        self._random = random.Random("faults")

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append((fault, [0, 0]))

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Count a request and return the fault that it meets, if any."""
        with self._lock:
            for fault, counts in self._faults:
                if not fault.concerns(method, path):
                    continue
                counts[0] += 1
                due = fault.every is None or counts[0] % fault.every == 0
                due = due and counts[0] > fault.after
                due = due and self._random.random() < fault.chance
                if due and (fault.times is None or counts[1] < fault.times):
                    counts[1] += 1
                    return fault
        return None


class FaultMiddleware:
    """Let the plan's faults happen to the requests that they are for."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or spoil it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = next((value for name, value in scope.get("headers", ()) if name == HEADER), None)
        try:
            fault = fault_from(asked) if asked else None
        except ValueError as error:
            await Response(str(error), 400)(scope, receive, send)
            return
        fault = fault or self._plan.strike(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.cut:
            await _close(scope, receive)
        elif fault.status is not None:
            answer = Response(
                fault.body, fault.status, headers=dict(fault.headers), media_type=fault.media_type
            )
            await answer(scope, receive, send)
        elif fault.lose:
            await self._app(scope, receive, _nowhere)
            await _close(scope, receive)
        elif fault.truncate is not None:
            await self._truncated(scope, receive, send, fault.truncate)
        else:
            await self._app(scope, receive, send)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Send the real head, which promises the whole body, and only `limit` bytes of it."""
        left = limit

        async def send_part(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.body":
                part = bytes(message.get("body", b""))[:left]
                left -= len(part)
                message = {"type": "http.response.body", "body": part, "more_body": True}
            await send(message)

        await self._app(scope, receive, send_part)
        await _close(scope, receive)


async def _nowhere(_: Message) -> None:
    """Take an answer that nobody is to get."""


async def _close(scope: Scope, receive: Receive) -> None:
    """Close the connection under the request, and wait until the server has noticed."""
    state: MutableMapping[str, Any] = scope.get("state", {})
    transport = state.get(TRANSPORT)
    if transport is None:
        message = "this server does not hand out its connections: run the app with opssim's own"
        raise RuntimeError(message)
    transport.close()  # what was written before goes out first
    while (await receive())["type"] != "http.disconnect":
        pass
