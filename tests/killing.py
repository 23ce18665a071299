"""Loads that are killed: in a process of their own, at the moment that somebody else chooses."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest import sources
from opsnest.loading import PLATFORMS, load

__all__ = ["Killed", "Loader", "killed", "requests_of"]


def _context() -> ForkServerContext:
    """Return what starts processes that have imported dlt already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["opsnest.loading", "opsnest.sources", "dlt", "duckdb"])
    return context


CONTEXT = _context()


def _load(platform: str, folder: str, settings: Mapping[str, str], names: tuple[str, ...]) -> None:
    """Load a platform, as the command line does, within a folder."""
    os.environ.update(settings)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    os.chdir(folder)
    source: Any = getattr(sources, PLATFORMS[platform][0])()
    load(Warehouse(Path(folder)).pipeline, source.with_resources(*names) if names else source)


@dataclass(slots=True)
class Loader:
    """Loads one platform into a folder.

    Attributes:
        platform: its name.
        folder: where its database is, and dlt's files.
        settings: what points at its simulator.
        names: the lists to load; the usual ones without any.
    """

    platform: str
    folder: Path
    settings: Mapping[str, str]
    names: tuple[str, ...] = ()

    def start(self) -> ForkServerProcess:
        """Start a load."""
        self.folder.mkdir(exist_ok=True)
        process = CONTEXT.Process(
            target=_load, args=(self.platform, str(self.folder), dict(self.settings), self.names)
        )
        process.start()
        return process

    def run(self) -> None:
        """Load to the end.

        Raises:
            AssertionError: it failed.
        """
        process = self.start()
        process.join(120)
        assert process.exitcode == 0, process.exitcode

    def cells(self) -> Cells:
        """Return the rows of all tables, but for what differs by chance."""
        warehouse = Warehouse(self.folder)
        try:
            return live_cells(warehouse)
        finally:
            warehouse.close()


@dataclass(slots=True)
class Killed:
    """What came of a load that was killed, and started again.

    Attributes:
        cells: the rows of all tables.
        asked: how many requests were made in all.
        died: whether it was killed before it had ended by itself.
    """

    cells: Cells
    asked: int
    died: bool


def requests_of(simulator: Any) -> int:
    """Return how many requests a simulator has answered so far."""
    return len(simulator.requests.all())


def killed(loader: Loader, simulator: Any, is_time: Callable[[], bool]) -> Killed:
    """Load, kill it (-9) when it is time, and load again.

    Args:
        loader: what is loaded.
        simulator: what is asked.
        is_time: tells whether to kill it now.
    """
    before = requests_of(simulator)
    process = loader.start()
    while process.is_alive() and not is_time():
        time.sleep(0.001)
    died = process.is_alive()
    if died and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    loader.run()
    return Killed(loader.cells(), requests_of(simulator) - before, died)
