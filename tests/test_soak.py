"""A long life in little time: hour after hour of loads, while one request in twenty goes wrong.

One process does all the loads, as a scheduler's would. The hours are the simulators'; nobody waits
for them, nor for what a failed request would be waited for. After each hour the tables are those
of a first load of the same platform by another process, without faults. It has to stay so for as
long as `OPSNEST_SOAK_SECONDS` says, with memory that does not grow.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import resource
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pytest
from tests.killing import CONTEXT
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest import clock, http, sources
from opsnest.explain import explain
from opsnest.loading import PLATFORMS, load
from opssim import (
    CloudBotSimulator,
    Fault,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)
from opssim.owlette import OwletteHabits, OwletteSimulator

log = logging.getLogger(__name__)

#: How long it goes on, in seconds of this machine.
SECONDS: Final = float(os.environ.get("OPSNEST_SOAK_SECONDS", "7200"))
#: What goes wrong, for one request in twenty.
FAULTS: Final = (
    Fault(status=503, headers={"Retry-After": "30"}),
    Fault(status=429, headers={"Retry-After": "5"}),
    Fault(status=500, body=b"{}"),
    Fault(cut=True),
    Fault(lose=True),
    Fault(truncate=100),
    Fault(status=502, body=b"<html>Bad gateway</html>", media_type="text/html"),
)
CHANCE: Final = 0.05
#: Times that an hour's load is started, as a scheduler would start one that failed.
TRIES: Final = 6

Change = Callable[[Any, random.Random, int], None]


@dataclass(frozen=True)
class Life:
    """A platform, what is loaded of it, and what happens to it in an hour.

    Attributes:
        make: makes its simulator.
        names: the lists to load.
        change: changes it.
    """

    make: Callable[[], Simulator]
    names: tuple[str, ...]
    change: Change


def busy(tables: Mapping[str, bool]) -> Change:
    """Return what lets rows come, change, and go where it is so."""

    def change(simulator: Any, rng: random.Random, _: int) -> None:
        for table, rows_go in tables.items():
            come = rng.randint(0, 2)
            simulator.insert(table, come)
            simulator.touch(table, rng.randint(0, 5))
            if rows_go and come:  # as many, so that there are not more rows every day
                simulator.delete(table, come)

    return change


def publish(simulator: Any, _: random.Random, hour: int) -> None:
    """Publish a version of a roost once a day."""
    if hour % 24 == 0:
        simulator.insert("versions", 1)


LIVES: Final = {
    "rootly": Life(
        lambda: RootlySimulator(incidents=60, alerts=40, users=20, alert_events=20, shifts=30),
        ("incidents", "alerts", "users", "services", "shifts", "incident_events"),
        busy({"incidents": True, "alerts": True, "users": True, "services": True, "shifts": True}),
    ),
    "roost": Life(
        lambda: RoostSimulator(tests=40, events=120),
        ("tests", "events", "event_methods"),
        busy({"tests": True, "events": False}),
    ),
    "cloud-bot": Life(
        lambda: CloudBotSimulator(executions=100, users=10, devices=8, work_items=20),
        ("executions", "users", "robots", "wlm_queues", "wlm_work_items"),
        busy({"executions": True, "users": True, "robots": True, "wlm_work_items": True}),
    ),
    "owlette": Life(
        # its limit goes by the hours of this machine
        lambda: OwletteSimulator(
            machines=4, pace_s=1e6, habits=OwletteHabits(limit_per_hour=10**9)
        ),
        ("sites", "machines", "processes", "roosts", "versions", "version_files", "webhooks"),
        publish,
    ),
}


@dataclass
class Order:
    """A load to be done.

    Attributes:
        platform: of what.
        folder: where to.
        settings: what points at the simulator.
        hour: the simulated time.
    """

    platform: str
    folder: Path
    settings: Mapping[str, str]
    hour: datetime


def _pass(_: float) -> None:
    """Wait for no time."""


def load_as_told(orders: Connection) -> None:
    """Load, order after order, and say for each what went wrong, and the most memory so far."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    defaults: Any = http.Patience.__init__.__kwdefaults__
    defaults["sleep"] = _pass
    at_once = asyncio.sleep

    async def no_wait(_: float) -> None:
        await at_once(0)

    asyncio.sleep = no_wait  # type: ignore[assignment]
    while True:
        order: Order = orders.recv()
        os.environ.update(order.settings)
        os.chdir(order.folder)
        clock.now = lambda hour=order.hour: hour  # type: ignore[misc]
        source: Any = getattr(sources, PLATFORMS[order.platform][0])()
        wrong = ""
        try:
            load(
                Warehouse(order.folder).pipeline,
                source.with_resources(*LIVES[order.platform].names),
            )
        except Exception as fault:
            error = explain(fault)
            if error is None:
                raise
            wrong = str(error)
        orders.send((wrong, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


@contextmanager
def worker() -> Generator[Connection]:
    """Start a process that loads as it is told."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=load_as_told, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.kill()
        process.join(10)


@dataclass
class Soak:
    """What is going on.

    Attributes:
        folder: where it is loaded to.
        running: the simulators.
        failed: loads that failed, and were started again.
        peaks: the most memory after each hour, in KiB.
        struck: requests that went wrong.
    """

    folder: Path
    running: Mapping[str, Running[Any]]
    rng: random.Random = field(default_factory=lambda: random.Random(5))
    failed: list[str] = field(default_factory=list[str])
    peaks: list[int] = field(default_factory=list[int])
    struck: int = 0

    def hours(self, end: float, least: int) -> Iterator[int]:
        """Let hours go by, with what happens in them, until the time is up."""
        hour = 0
        while hour < least or time.monotonic() < end:
            for platform, running in self.running.items():
                running.simulator.clock.skip(timedelta(hours=1))
                LIVES[platform].change(running.simulator, self.rng, hour)
            yield hour
            hour += 1
            if hour % 24 == 0:
                log.info("day %d, %d loads failed so far", hour // 24, len(self.failed))

    def load(self, platform: str, orders: Connection) -> None:
        """Load while things go wrong, as often as it takes."""
        faults = self.running[platform].simulator.faults
        order = self.order(platform, self.folder / platform)
        for fault in FAULTS:
            faults.add(replace(fault, chance=CHANCE / len(FAULTS)))
        for _ in range(TRIES):
            orders.send(order)
            wrong, peak = orders.recv()
            if not wrong:
                break
            self.failed.append(wrong)
        else:
            pytest.fail(f"{platform} failed {TRIES} times: {self.failed[-TRIES:]}")
        faults.clear()
        requests = self.running[platform].simulator.requests
        self.struck += sum(n for status, n in requests.statuses().items() if status != 200)
        requests.clear()
        self.peaks.append(peak)

    def order(self, platform: str, folder: Path) -> Order:
        folder.mkdir(parents=True, exist_ok=True)
        running = self.running[platform]
        return Order(platform, folder, running.configuration, running.simulator.clock.now())

    def truth(self, platform: str) -> Cells:
        """Return the rows of a first load."""
        folder = self.folder / "first"
        with worker() as orders:
            orders.send(self.order(platform, folder))
            wrong, _ = orders.recv()
        assert not wrong
        cells = cells_in(folder)
        shutil.rmtree(folder)
        return cells


def cells_in(folder: Path) -> Cells:
    warehouse = Warehouse(folder)
    try:
        return live_cells(warehouse)
    finally:
        warehouse.close()
        warehouse.pipeline.deactivate()


def soak(folder: Path, *, seconds: float, least: int) -> Soak:
    """Load hour after hour, and look after each whether the tables are right."""
    with ExitStack() as stack:
        running: dict[str, Running[Any]] = {}
        for platform, life in LIVES.items():
            running[platform] = stack.enter_context(serve(life.make()))
            running[platform].simulator.clock.freeze()
        orders = stack.enter_context(worker())
        going_on = Soak(folder, running)
        for hour in going_on.hours(time.monotonic() + seconds, least):
            for platform in LIVES:
                going_on.load(platform, orders)
                found, truth = cells_in(folder / platform), going_on.truth(platform)
                assert found.keys() == truth.keys(), (platform, hour)
                for table, rows in truth.items():
                    assert found[table] == rows, (platform, table, hour)
    return going_on


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_some_hours(tmp_path: Path) -> None:
    going_on = soak(tmp_path, seconds=0, least=2)
    assert len(going_on.peaks) == 2 * len(LIVES)
    assert going_on.struck


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 600)
def test_weeks_with_memory_that_does_not_grow(tmp_path: Path) -> None:
    going_on = soak(tmp_path, seconds=SECONDS, least=8)
    peaks = going_on.peaks
    warm = peaks[len(peaks) // 4]
    log.info(
        "%d hours, %d loads failed and were started again, memory %d MiB after a quarter of the "
        "time and %d MiB at the end",
        *(len(peaks) // len(LIVES), len(going_on.failed), warm // 1024, peaks[-1] // 1024),
    )
    assert peaks[-1] <= 1.1 * warm, peaks[:: max(1, len(peaks) // 50)]
