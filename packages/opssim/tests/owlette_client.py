"""A client of the simulated Owlette for its tests: asks in the fewest words, and checks codes."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from opssim import OwletteHabits, OwletteSimulator, serve

VERSION = "2026-04-22"
Headers = Mapping[str, str] | None


@dataclass
class Room:
    """A simulator that is served, and a client of it."""

    simulator: OwletteSimulator
    http: httpx.Client

    def ask(
        self, method: str, path: str, body: object = None, key: str = "", headers: Headers = None
    ) -> httpx.Response:
        """Send a request as the SDK would; a header that is empty is left out."""
        usual = {"Authorization": f"Bearer {key or self.simulator.key}"}
        usual["Idempotency-Key"] = str(uuid.uuid4())
        usual["Roost-Version"] = VERSION
        every = {k: v for k, v in {**usual, **(headers or {})}.items() if v}
        return self.http.request(method, path, json=body, headers=every)


@contextmanager
def opened(**settings: Any) -> Generator[Room]:
    """Serve a small Owlette, without limits of rates unless its habits are given."""
    settings.setdefault("habits", OwletteHabits(limit_rates=False))
    usual: dict[str, Any] = {"machines": 4, "pace_s": 0.02}
    simulator = OwletteSimulator(**{**usual, **settings})
    with serve(simulator) as running, httpx.Client(base_url=running.url, timeout=10) as http:
        yield Room(simulator, http)


def code_of(answer: httpx.Response, status: int) -> str:
    """Return the code of a refusal that has this status."""
    assert answer.status_code == status, answer.text
    return str(answer.json()["code"])
