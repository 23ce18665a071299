"""Owlette as a whole: the control plane, its storage, its machines, and what it tells others."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from opssim.core.faults import FaultMiddleware
from opssim.core.simulator import Simulator
from opssim.core.store import JsonObject, encode
from opssim.owlette import sample
from opssim.owlette.agents import Agents
from opssim.owlette.calls import routes_of
from opssim.owlette.chunks import chunk_key
from opssim.owlette.credentials import EVERYTHING, make_key
from opssim.owlette.database import Database
from opssim.owlette.delivering import Deliveries
from opssim.owlette.habits import OwletteHabits
from opssim.owlette.installer_deployments import sweep
from opssim.owlette.limits import Limits
from opssim.owlette.openapi import openapi_of
from opssim.owlette.routes import ENDPOINTS
from opssim.owlette.signed_urls import SignedUrls
from opssim.owlette.storage import storage_app
from opssim.owlette.telling import emit
from opssim.owlette.world import SITES, World

_KEY_BYTES: Final = 32
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class OwletteSimulator(Simulator):
    """The control plane of Owlette, with a storage and machines.

    Args:
        seed: what the first data and the key are made from.
        machines: the machines of the first site; a second one has a quarter as many.
        file: where the state is kept, and found again; in memory without one.
        habits: how true to Owlette, and how forgiving.
        fail_rate: the part of pulls and installations that fail on machines.
        pace_s: seconds between two steps of the machines.
        webhook_delay_s: seconds before a webhook that failed is told again, the first time.
        now: the time at the start, which then goes on; webhooks and URLs go by it.

    Attributes:
        key: an API key that may do everything.
        site_id: the first site.
        world: the state, for tests that look inside.

    Example:
        with serve(OwletteSimulator()) as owlette:
            async with Roost(token=owlette.simulator.key, api_url=owlette.url) as client: ...
    """

    name: ClassVar[str] = "owlette"
    site_id: ClassVar[str] = sample.SITE

    def __init__(
        self,
        *,
        seed: int = 7,
        machines: int = 8,
        file: Path | None = None,
        habits: OwletteHabits | None = None,
        fail_rate: float = 0.0,
        pace_s: float = 0.1,
        webhook_delay_s: float = 5.0,
        now: datetime | None = None,
    ) -> None:
        super().__init__(seed=seed, now=now or datetime.now(UTC))
        self.habits = habits or OwletteHabits()
        keys = random.Random(f"{self.name}-{seed}-keys")
        self.key = f"owk_test_{''.join(keys.choices(_ALPHABET, k=43))}"
        secret = keys.randbytes(_KEY_BYTES)
        self.world = World(
            Database(file),
            self.clock,
            self.habits,
            Limits(self.habits.limit_per_hour),
            SignedUrls(secret, self.clock.now),
        )
        self.world.emit = partial(emit, self.world)
        self.agents = Agents(self.world, fail_rate, seed)
        self._deliveries = Deliveries(self.world, webhook_delay_s)
        self._pace_s = pace_s
        with self.world.database.transaction():
            if not self.world.database.count(SITES):
                sample.fill(self.world, key=self.key, machines=machines, seed=seed)

    def routes(self) -> Sequence[BaseRoute]:
        """Return all endpoints, the document that describes them, and a 404 for the rest."""
        document = encode(openapi_of(ENDPOINTS))

        async def openapi(_: object) -> Response:
            return Response(document, media_type="application/json")

        return [Route("/openapi.json", openapi), *routes_of(self.world, ENDPOINTS)]

    def companions(self) -> Mapping[str, ASGIApp]:
        """Return the storage, which is a host of its own, and meets the same faults."""
        return {"storage": FaultMiddleware(storage_app(self.world), self.faults)}

    def serving(self, urls: Mapping[str, str]) -> None:
        """Let signed URLs lead to the storage."""
        self.world.urls.base = urls["storage"]

    def work(self, stop: threading.Event) -> None:
        """Let machines do their work, and webhooks be told, until it is to stop."""
        telling = threading.Thread(target=self._tell, args=(stop,), daemon=True)
        telling.start()
        while not stop.wait(self._pace_s):
            self.agents.step()
            with self.world.database.transaction():
                sweep(self.world)
        telling.join()

    def _tell(self, stop: threading.Event) -> None:
        while not stop.wait(self._pace_s):
            self._deliveries.work()

    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the settings that point the source, and the SDK's command, at `url`."""
        return {
            "SOURCES__OWLETTE_SOURCE__API_URL": url,
            "SOURCES__OWLETTE_SOURCE__TOKEN": self.key,
            "OWLETTE_API_URL": url,
            "OWLETTE_TOKEN": self.key,
            "OWLETTE_SITE": self.site_id,
        }

    def secrets(self) -> frozenset[str]:
        """Return the key, and the secrets that webhooks are signed with."""
        signing = {
            webhook["signingSecret"]
            for site in self.world.database.documents(SITES)
            for webhook in self.world.database.documents(f"{SITES}/{site['id']}/webhooks")
        }
        return frozenset({self.key, *signing})

    def introduce(self, folder: Path) -> Sequence[str]:
        """Write a folder to push, and return how to push it to machines."""
        sample.write_folder(folder / "wall", self.seed)
        machines = self.world.database.documents(f"{SITES}/{self.site_id}/machines")
        named = ", ".join(machine["id"] for machine in machines) or "none"
        return (
            f"site {self.site_id}, machines: {named}",
            f"a folder to push: {folder / 'wall'}",
            f"  python -m roost push {folder / 'wall'} {sample.ROOST} --site {self.site_id}",
            "",
        )

    def counts(self) -> dict[str, int]:
        """Return how many there are of the most important things."""
        places = {
            "sites": SITES,
            "machines": f"{SITES}/*/machines",
            "roosts": f"{SITES}/*/roosts",
            "versions": f"{SITES}/*/roosts/*/versions",
            "rollouts": f"{SITES}/*/roosts/*/rollouts",
            "webhooks": f"{SITES}/*/webhooks",
            "users": "users",
        }
        return {name: self.world.database.count(place) for name, place in places.items()}

    def insert(self, table: str, count: int = 1) -> None:
        """Publish so many versions of the sample roost: the one table that grows by itself.

        Raises:
            ValueError: it is another one; what is in these is made through the API.
        """
        if table != "versions":
            msg = f"{table} are made through the API"
            raise ValueError(msg)
        with self.world.database.transaction():
            for _ in range(count):
                sample.publish_next(self.world)

    def touch(self, table: str, count: int = 1) -> None:
        """Change nothing by itself.

        Raises:
            ValueError: something is to be changed, which is done through the API.
        """
        if count:
            msg = f"{table} are changed through the API"
            raise ValueError(msg)

    def new_key(
        self, *scopes: JsonObject, uid: str = sample.OWNER, days: int = 90, legacy: bool = False
    ) -> str:
        """Make an API key of a user, with all scopes unless some are given, or without any."""
        with self.world.database.transaction():
            made = make_key(
                self.world.database,
                uid,
                name="of a test",
                scopes=None if legacy else scopes or EVERYTHING,
                now=self.world.now(),
                days=days,
                environment="test",
            )
        return made.text

    # ---- what can go wrong beside faults

    def actions(self) -> Mapping[str, Callable[..., object]]:
        """Return what can be done to machines and to the storage."""
        return {
            "break_machine": self.break_machine,
            "mend_machine": self.mend_machine,
            "set_online": self.set_online,
            "set_fail_rate": self.set_fail_rate,
            "forget_chunk": self.forget_chunk,
            "shorten_urls": self.shorten_urls,
            "skip": self.skip,
        }

    def break_machine(self, machine: str, site: str = sample.SITE) -> None:
        """Let pulls and installations fail on a machine from now on."""
        self._change_machine(site, machine, broken=True)

    def mend_machine(self, machine: str, site: str = sample.SITE) -> None:
        """Let them work again."""
        self._change_machine(site, machine, broken=False)

    def set_online(self, machine: str, *, online: bool, site: str = sample.SITE) -> None:
        """Let a machine go offline or come back, and tell webhooks."""
        before = self._change_machine(site, machine, online=online)
        if before["online"] == online:
            return
        data: dict[str, Any] = {
            "machineId": machine,
            "siteId": site,
            "name": before["name"],
            "lastHeartbeat": before["lastHeartbeat"],
        }
        if online:
            data["offlineSince"] = before["lastHeartbeat"]
        event = f"machine.{'online' if online else 'offline'}"
        with self.world.database.transaction():
            self.world.emit(event, site, data)
            self.world.log(site, event.replace(".", "_"), machineId=machine)

    def set_fail_rate(self, rate: float) -> None:
        """Let this part of pulls and installations fail."""
        self.agents.fail_rate = rate

    def forget_chunk(self, digest: str, site: str = sample.SITE) -> bool:
        """Let the storage lose a chunk, and tell whether it was there."""
        with self.world.database.transaction():
            return self.world.database.delete_object(chunk_key(site, digest))

    def shorten_urls(self, life: float) -> None:
        """Let signed URLs live this part of their usual time; 0 expires them at once."""
        self.world.urls.life = life

    def skip(self, seconds: float) -> None:
        """Let time jump forward."""
        self.clock.skip(timedelta(seconds=seconds))

    def _change_machine(self, site: str, machine: str, **change: Any) -> JsonObject:
        place = f"{SITES}/{site}/machines"
        with self.world.database.transaction():
            before = self.world.database.get(place, machine)
            if before is None:
                msg = f"there is no machine {machine} in {site}"
                raise ValueError(msg)
            self.world.database.put(place, machine, {**before, **change})
        return before
