"""Loads that are killed: in a process of their own, at a moment that somebody else chooses."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Final, Protocol

from tests.same_cells import Cells, Tables, live_cells
from tests.warehouse import Warehouse

from opsnest import sources
from opsnest.catalogue.rootly import ROOTLY
from opsnest.destinations import Write, fit
from opsnest.journal.file import RecordFile
from opsnest.loading import PLATFORMS, load

__all__ = [
    "CONTEXT",
    "Case",
    "DuckPlace",
    "Kill",
    "Place",
    "Tally",
    "kill_at_random",
    "requests_of",
]


def _context() -> ForkServerContext:
    """Return what starts processes that have imported dlt already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["opsnest.loading", "opsnest.sources", "dlt", "duckdb"])
    return context


CONTEXT: Final = _context()


class Place(Protocol):
    """A database that is loaded into, with the folder of its pipeline."""

    @property
    def kind(self) -> str:
        """The name of the destination."""
        ...

    @property
    def folder(self) -> Path:
        """Where the pipeline is, and the database if it is a file."""
        ...

    def pipeline(self) -> Any:
        """Return the pipeline that loads into it."""
        ...

    def copy(self, folder: Path) -> Place:
        """Return a place that has all that is in this one."""
        ...

    def cells(self) -> Cells:
        """Return the rows of all tables, but for what differs by chance."""
        ...

    def twice(self) -> list[str]:
        """Return the tables in which a row of dlt is there twice."""
        ...

    def remove(self) -> None:
        """Make room."""
        ...


@dataclass(frozen=True)
class DuckPlace:
    """A DuckDB file."""

    folder: Path
    kind: str = "duckdb"

    def pipeline(self) -> Any:
        """Return the pipeline that loads into it."""
        self.folder.mkdir(exist_ok=True)
        return Warehouse(self.folder).pipeline

    def copy(self, folder: Path) -> DuckPlace:
        """Return a place that has all that is in this one."""
        if self.folder.exists():
            shutil.copytree(self.folder, folder)
        return DuckPlace(folder)

    def cells(self) -> Cells:
        """Return the rows of all tables, but for what differs by chance."""
        warehouse = Warehouse(self.folder)
        try:
            return live_cells(warehouse)
        finally:
            warehouse.close()

    def twice(self) -> list[str]:
        """Return the tables in which a row of dlt is there twice."""
        warehouse = Warehouse(self.folder)
        try:
            return rows_twice(warehouse)
        finally:
            warehouse.close()

    def remove(self) -> None:
        """Make room."""
        shutil.rmtree(self.folder, ignore_errors=True)


def rows_twice(warehouse: Tables) -> list[str]:
    """Return the tables in which an id of dlt is there twice, and dlt's own list of loads."""
    ids = dict.fromkeys(sorted(warehouse.tables()), "_dlt_id") | {"_dlt_loads": "load_id"}
    query = "SELECT count({0}) - count(DISTINCT {0}) FROM {1}"
    return [name for name, key in ids.items() if warehouse.query(query.format(key, name))[0][0]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is loaded, and how.

    Attributes:
        platform: the name of the platform.
        settings: what points at its simulator.
        write: how its rows are written.
        names: the lists to load; the usual ones without any.
        page_size: rows of a page, for Rootly.
    """

    platform: str
    settings: Mapping[str, str]
    write: Write = "merge"
    names: tuple[str, ...] = ()
    page_size: int = 0

    def start(self, place: Place) -> ForkServerProcess:
        """Start a load."""
        process = CONTEXT.Process(target=_load, args=(self, place))
        process.start()
        return process

    def run(self, place: Place) -> None:
        """Load to the end.

        Raises:
            AssertionError: it failed.
        """
        process = self.start(place)
        process.join(180)
        assert process.exitcode == 0, process.exitcode


def _load(case: Case, place: Place) -> None:
    """Load a platform, as the command line does."""
    os.environ.update(case.settings)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    if case.page_size:
        entries = tuple(replace(entry, page_size=case.page_size) for entry in ROOTLY.entries)
        module: Any = import_module("opsnest.sources.rootly")
        module.ROOTLY = replace(ROOTLY, entries=entries)
    pipeline = place.pipeline()
    os.chdir(place.folder)
    source: Any = getattr(sources, PLATFORMS[case.platform][0])()
    source = source.with_resources(*case.names) if case.names else source
    fit(source, place.kind, write=case.write)
    load(pipeline, source, afresh=case.write == "replace")


def requests_of(simulator: Any) -> int:
    """Return how many requests a simulator has answered since its log was cleared."""
    return len(simulator.requests)


@dataclass(frozen=True)
class Kill:
    """What came of a load that was killed, and started again.

    Attributes:
        step: the step that it was in: `extract`, `normalize` or `load`; "" if all was loaded.
        asked: how many requests were made in all.
    """

    step: str
    asked: int


@dataclass
class Tally:
    """What came of many.

    Attributes:
        steps: how many died in each step.
        calls: the requests of as many loads that are left alone.
        repeated: the requests beyond that, of each; below zero where it was killed while it
            compared.
    """

    steps: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    repeated: list[int] = field(default_factory=list[int])

    @property
    def share(self) -> float:
        """The part of the requests that were made again."""
        return sum(max(0, each) for each in self.repeated) / self.calls

    def __str__(self) -> str:
        steps = ", ".join(f"{step or 'none'} {count}" for step, count in sorted(self.steps.items()))
        return (
            f"{len(self.repeated)} kills ({steps}), {self.share:.1%} of {self.calls} requests "
            f"repeated, {max(self.repeated)} at most, {min(self.repeated)} at least"
        )


@dataclass
class Undisturbed:
    """A load that is left alone: what it takes, and what comes of it.

    Attributes:
        case: what is loaded.
        base: where it begins.
        cells: what it leaves.
        calls: its requests.
        seconds: how long it took.
        read: how long until its last request.
        next: what a second load leaves, where nothing has changed, and the requests of both: a
            load that was killed after it has read is finished, and then another one is made.
    """

    case: Case
    base: Place
    cells: Cells
    calls: int
    seconds: float
    read: float
    next: tuple[Cells, int]

    @classmethod
    def of(cls, case: Case, base: Place, copy: Path, simulator: Any) -> Undisturbed:
        """Load from where a base is, in a copy of it."""
        place = base.copy(copy)
        simulator.requests.clear()
        began = time.monotonic()
        process = case.start(place)
        calls, read = 0, 0.0
        while process.is_alive():
            if requests_of(simulator) > calls:
                calls, read = requests_of(simulator), time.monotonic() - began
            time.sleep(0.002)
        assert process.exitcode == 0
        seconds = time.monotonic() - began
        cells = place.cells()
        case.run(place)
        after = place.cells(), requests_of(simulator)
        assert place.twice() == []
        place.remove()
        return cls(case, base, cells, calls, seconds, read, after)

    def expected(self, step: str) -> tuple[Cells, int]:
        """Return what is left, and asked for, if it died in a step and was started again."""
        return (self.cells, self.calls) if step == "extract" else self.next

    def moments(self, rng: random.Random, simulator: Any) -> Iterator[Callable[[], bool]]:
        """Yield what tells when it is time to kill a load: amid the reading, after it, any time."""
        while True:
            until = rng.randrange(1, self.calls + 1)
            yield lambda until=until: requests_of(simulator) >= until  # type: ignore[misc]
            yield After(self.calls, rng.uniform(0, self.seconds - self.read), simulator)
            yield After(0, rng.uniform(0, self.seconds), simulator)


class After:
    """Tells when some time has gone by since a number of requests."""

    def __init__(self, calls: int, seconds: float, simulator: Any) -> None:
        self._calls, self._seconds, self._simulator = calls, seconds, simulator
        self._since: float | None = None

    def __call__(self) -> bool:
        """Tell whether it is time."""
        if self._since is None and requests_of(self._simulator) >= self._calls:
            self._since = time.monotonic()
        return self._since is not None and time.monotonic() >= self._since + self._seconds


def killed(case: Case, place: Place, simulator: Any, is_time: Callable[[], bool]) -> Kill:
    """Load, kill it (-9) when it is time, and load again."""
    simulator.requests.clear()
    process = case.start(place)
    while process.is_alive() and not is_time():
        time.sleep(0.001)
    died = process.is_alive()
    if died and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    step = _step_of(place, has_asked=requests_of(simulator) > 0) if died else ""
    case.run(place)
    return Kill(step, requests_of(simulator))


def _step_of(place: Place, *, has_asked: bool) -> str:
    """Return the step in which a load died, by what it has left; "" if all was loaded."""
    work = place.folder / "pipelines" / "warehouse"
    if any(work.glob("load/normalized/*")):
        return "load"
    if any(work.glob("normalize/extracted/*")):
        return "normalize"
    journal = work / "opsnest_pages.journal"
    if journal.exists():
        return "" if _was_read_to_its_end(journal) else "extract"
    return "" if has_asked else "extract"


def _was_read_to_its_end(journal: Path) -> bool:
    pages = RecordFile(journal, writable=False)
    try:
        return any("read" in record.about for record in pages.records())
    finally:
        pages.close()


def kill_at_random(
    loads: list[Undisturbed], folder: Path, simulator: Any, *, kills: int, seed: int
) -> Tally:
    """Kill loads at random moments, start them again, and compare what they leave.

    Raises:
        AssertionError: the tables are not those of a load that was left alone.
    """
    tally, rng = Tally(), random.Random(seed)
    moments = [load.moments(rng, simulator) for load in loads]
    for number in range(kills):
        which = number % len(loads)
        load = loads[which]
        place = load.base.copy(folder / f"killed{number}")
        kill = killed(load.case, place, simulator, next(moments[which]))
        what = (number, load.case.write, kill.step)
        assert place.twice() == [], what
        found, (cells, calls) = place.cells(), load.expected(kill.step)
        assert found.keys() == cells.keys(), what
        for table, rows in cells.items():
            assert found[table] == rows, (*what, table)
        place.remove()
        tally.steps[kill.step] += 1
        tally.calls += calls
        tally.repeated.append(kill.asked - calls)
    return tally
