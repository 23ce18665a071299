"""What is killed: each platform, written in each way, from nothing and from an earlier load."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.killing import Case, Place, Tally, Undisturbed, kill_at_random, requests_of

from opsnest.destinations import WRITES, Write
from opssim import (
    CloudBotQuirks,
    CloudBotSimulator,
    RoostQuirks,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)
from opssim.owlette import OwletteHabits, OwletteSimulator

__all__ = [
    "AT_ONCE",
    "KILLS",
    "MOVING",
    "SIMULATORS",
    "TOTALS",
    "case_of",
    "change",
    "kill_in_every_way",
    "served",
]

#: Kills of one platform in one kind of database.
KILLS: Final = int(os.environ.get("OPSNEST_KILLS", "100"))
#: The platforms, with small pages, so that a load takes many requests and little time.
SIMULATORS: Final[dict[str, Callable[[], Simulator]]] = {
    "roost": lambda: RoostSimulator(tests=400, events=1100, quirks=RoostQuirks(max_take=5)),
    "rootly": lambda: RootlySimulator(
        incidents=1000, alerts=800, users=200, alert_events=50, shifts=100, rate_limit=10**9
    ),
    "cloud-bot": lambda: CloudBotSimulator(executions=1500, quirks=CloudBotQuirks(page_cap=5)),
    "owlette": lambda: OwletteSimulator(
        machines=150, pace_s=1e6, habits=OwletteHabits(limit_per_hour=10**9)
    ),
}
#: The lists to load, where not all that are there by default. What Owlette counts differs from load
#: to load by itself.
NAMES: Final = {
    "rootly": ("incidents", "alerts", "users", "services", "schedules", "shifts"),
    "owlette": (
        *("processes", "sites", "machines", "roosts", "versions", "version_files"),
        *("deployments", "webhooks", "webhook_deliveries", "members"),
    ),
}
#: What changes between two loads.
MOVING: Final = {"roost": "events", "rootly": "incidents", "cloud-bot": "executions"}
#: Requests that are on their way at once, with the login: four for each list that is being read.
AT_ONCE: Final = {"roost": 9, "rootly": 24, "cloud-bot": 33, "owlette": 2}
#: Totals that are asked for when all is loaded, which a load that is killed then has not: lists.
TOTALS: Final = 10


@contextmanager
def served(platform: str) -> Generator[Running[Any]]:
    """Serve a platform whose time stands still."""
    with serve(SIMULATORS[platform]()) as running:
        running.simulator.clock.freeze()
        yield running


def case_of(platform: str, running: Running[Any], write: Write = "merge") -> Case:
    """Return a load of a platform."""
    return Case(
        platform=platform,
        settings=running.configuration,
        write=write,
        names=NAMES.get(platform, ()),
        page_size=5 if platform == "rootly" else 0,
    )


def change(platform: str, simulator: Any) -> None:
    """Let rows come and change."""
    if platform == "owlette":
        simulator.insert("versions", 2)
        return
    simulator.insert(MOVING[platform], 30)
    simulator.touch(MOVING[platform], 60)


def kill_in_every_way(
    platform: str,
    empty: Callable[[str], Place],
    folder: Path,
    *,
    kills: int,
    writes: tuple[Write, ...] = WRITES,
    seed: int = 9,
) -> Tally:
    """Kill loads of a platform in a database, some of them on top of an earlier load.

    Args:
        platform: the platform.
        empty: returns an empty place by a name.
        folder: where to make copies.
        kills: how many loads to kill.
        writes: how rows are written.
        seed: what the moments follow from.
    """
    with served(platform) as running:
        cases = [case_of(platform, running, write) for write in writes]
        bases = [empty(f"base-{case.write}") for case in cases]
        for case, base in zip(cases, bases, strict=True):
            case.run(base)
        change(platform, running.simulator)
        loads = [
            Undisturbed.of(case, place, folder / f"left-alone-{number}", running.simulator)
            for number, (case, place) in enumerate(
                (case, place)
                for case, base in zip(cases, bases, strict=True)
                for place in (empty(f"nothing-{case.write}"), base)
            )
        ]
        assert requests_of(running.simulator)
        return kill_at_random(loads, folder, running.simulator, kills=kills, seed=seed)
