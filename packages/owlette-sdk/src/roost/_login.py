"""A key without a copied one: somebody who is logged in confirms a phrase in the browser."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from roost._constants import DEFAULT_API_URL, SDK_VERSION, Environment
from roost._errors import api_error
from roost._hooks import shown_url
from roost._model import Model
from roost._paths import api_path
from roost._transport import Answer, Sender

__all__ = ["DeviceCode", "DeviceKey", "device_login"]


@dataclass(slots=True)
class DeviceCode(Model):
    """What to show to whoever is to confirm.

    Attributes:
        pair_phrase: the words that the browser has to show as well.
        verification_uri: where to enter them.
        pairing_url: the same, with the words entered already.
        expires_in: seconds until it is too late.
        interval: seconds between two questions whether it was confirmed.
    """

    pair_phrase: str
    verification_uri: str
    pairing_url: str = ""
    expires_in: int = 600
    interval: int = 5
    device_code: str = field(default="", repr=False)


@dataclass(slots=True)
class DeviceKey(Model):
    """The key that was confirmed. `expires_at` is what the server says, a number or a text."""

    api_key: str = field(repr=False)
    key_id: str = ""
    name: str | None = None
    scopes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    environment: Environment | str | None = None
    expires_at: Any = None
    site_id: str | None = None


async def device_login(
    show: Callable[[DeviceCode], object],
    *,
    api_url: str = DEFAULT_API_URL,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: float = 30.0,
) -> DeviceKey:
    """Return a key, once somebody has confirmed it in the browser.

    Args:
        show: called with what to show them.
        api_url: where the API is.
        transport: what requests go through.
        timeout: seconds that each step of a request may take.

    Raises:
        TimeoutError: nobody has, until it was too late.
        RoostApiError: it was refused.
        RoostTransportError: no answer.

    Example:
        key = await device_login(lambda code: print(code.pairing_url, code.pair_phrase))
    """
    sender = Sender(transport, timeout)
    base = api_url.rstrip("/")
    try:
        started = await _post(sender, base + api_path("cli", "device-code"), {})
        code = DeviceCode.from_json(json.loads(started.body))
        show(code)
        until = time.monotonic() + code.expires_in
        while True:
            asked = {"deviceCode": code.device_code}
            answer = await _post(sender, base + api_path("cli", "device-code", "poll"), asked)
            if answer.status == 200:
                return DeviceKey.from_json(json.loads(answer.body))
            if time.monotonic() >= until:
                msg = f"nobody has confirmed {code.pair_phrase!r} within {code.expires_in} s"
                raise TimeoutError(msg)
            await asyncio.sleep(code.interval)
    finally:
        await sender.close()


async def _post(sender: Sender, url: str, body: dict[str, str]) -> Answer:
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": f"owlette-sdk-python/{SDK_VERSION}",
    }
    answer = await sender.send("POST", url, headers, json.dumps(body).encode())
    if 200 <= answer.status < 300:
        return answer
    try:
        problem: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        problem = {"detail": f"HTTP {answer.status}"}
    told: dict[str, Any] = problem  # pyright: ignore[reportUnknownVariableType]
    raise api_error(answer.status, told, method="POST", url=shown_url(url), headers=answer.headers)
