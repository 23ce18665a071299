"""What a simulated API is: data, rules, faults, and a log of what was asked of it."""

from __future__ import annotations

import asyncio
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from opssim.core.churn import Churn
from opssim.core.clock import DEFAULT_NOW, Clock
from opssim.core.control import PREFIX, control_app
from opssim.core.faults import FaultMiddleware, FaultPlan
from opssim.core.recorder import RecorderMiddleware, RequestLog
from opssim.core.store import Table, chosen


class Simulator(ABC):
    """One API on loopback. `serve` it, then point a client at its URL.

    Attributes:
        tables: the rows, by the name of their list; change them while clients read.
        faults: what is to go wrong.
        requests: what was asked so far.
        clock: the simulated time, which stamps changed rows.
        churn: how the data changes by itself while lists are read.
        latency: seconds by which every answer of the API is late, faults or not.
    """

    #: The name on the command line and in messages.
    name: ClassVar[str]

    def __init__(
        self, *, seed: int = 7, now: datetime = DEFAULT_NOW, churn: Churn | None = None
    ) -> None:
        self.seed = seed
        self.random = random.Random(f"{self.name}-{seed}")
        self.clock = Clock(now)
        self.churn = churn or Churn()
        self.faults = FaultPlan()
        self.requests = RequestLog()
        self.tables: dict[str, Table] = {}
        #: The chance of deletions: those that are made leave what else is made as it is.
        self.removals = random.Random(f"{self.name}-{seed}-removals")
        self.latency = 0.0

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]:
        """Return the API's endpoints."""

    @abstractmethod
    def configuration(self, url: str) -> Mapping[str, str]:
        """Return the dlt settings, as environment variables, that point a source at `url`."""

    @abstractmethod
    def secrets(self) -> frozenset[str]:
        """Return every value that must never appear in a log: credentials and secrets in rows."""

    @abstractmethod
    def insert(self, table: str, count: int = 1) -> None:
        """Add newly made rows to a table, stamped with the clock's time."""

    @abstractmethod
    def touch(self, table: str, count: int = 1) -> None:
        """Change rows of a table as their users would, stamped with the clock's time."""

    def delete(self, table: str, count: int = 1) -> None:
        """Remove rows of a table, chosen at random, so that no answer has them any more.

        Raises:
            KeyError: there is no such table.
        """
        rows = self.tables[table]
        for key in chosen(self.removals, rows.keys(), count):
            rows.delete(key)

    def actions(self) -> Mapping[str, Callable[..., object]]:
        """Return what can be done to this API beside faults and changed rows, by name."""
        return {}

    def companions(self) -> Mapping[str, ASGIApp]:
        """Return the hosts that belong to this API, and are served on ports of their own."""
        return {}

    def serving(self, urls: Mapping[str, str]) -> None:  # noqa: B027 - most have none
        """Take the URLs of the companions, just before anything is served."""

    def work(self, stop: threading.Event) -> None:  # noqa: B027 - most have nothing to do
        """Do what goes on by itself while this is served, until it is to stop."""

    def introduce(self, folder: Path) -> Sequence[str]:
        """Return what else a user is to be told, with what they need of files in the folder."""
        return ()

    def counts(self) -> dict[str, int]:
        """Return how many rows each list holds now."""
        return {name: len(table) for name, table in self.tables.items()}

    @cached_property
    def app(self) -> ASGIApp:
        """The ASGI application: the endpoints, the faults before them, the log around all.

        Beside them are the control endpoints, which neither faults nor the log know of.
        """
        endpoints = Starlette(routes=list(self.routes()))
        api = RecorderMiddleware(FaultMiddleware(endpoints, self.faults), self.requests)
        control = control_app(self)

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"].startswith(PREFIX):
                await control(scope, receive, send)
                return
            if self.latency:
                await asyncio.sleep(self.latency)
            await api(scope, receive, send)

        return application
