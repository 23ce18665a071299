"""Loads on a machine with a fault: `opsnest load` in a process of its own, and what it says."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from tests.killing import CONTEXT
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest.errors import OpsnestError
from opsnest.events import PageRead, listening
from opsnest.explain import explain

__all__ = [
    "AtFirstJob",
    "Machine",
    "Ran",
    "at_page",
    "cells_of",
    "nothing",
    "refused",
    "with_state",
]

#: The most seconds that a command may take.
_LONGEST: Final = 90


def nothing() -> None:
    """Break nothing."""


@dataclass(frozen=True)
class Ran:
    """What came of a command.

    Attributes:
        code: its exit code.
        said: what it wrote to the terminal.
    """

    code: int
    said: str

    @property
    def message(self) -> str:
        """The message of a command that failed.

        Raises:
            AssertionError: there is none, or more than one, or a traceback beside it.
        """
        assert "Traceback" not in self.said, self.said
        assert self.said.count("error: ") == 1, self.said
        return self.said.partition("error: ")[2]


@dataclass(frozen=True)
class Machine:
    """A folder with all that `opsnest load` leaves on a machine.

    Attributes:
        folder: where it is.
        settings: what points at a simulator, and other settings.
        notes: where what is said is written down.
    """

    folder: Path
    settings: Mapping[str, str]
    notes: Path

    def run(self, *words: str, fault: Callable[[], None] = nothing) -> Ran:
        """Run `opsnest` with some words, in a process in which something is broken first."""
        self.folder.mkdir(exist_ok=True)
        process = CONTEXT.Process(target=_run, args=(self, words, fault))
        process.start()
        process.join(_LONGEST)
        said = self.notes.read_text()
        assert process.exitcode is not None, said
        return Ran(process.exitcode, said)


def _run(machine: Machine, words: tuple[str, ...], fault: Callable[[], None]) -> None:
    """Run a command as a shell does, and write down what it says."""
    with machine.notes.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.pop("RUNTIME__LOG_LEVEL", None)
    os.environ.update(machine.settings)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DLT_DATA_DIR"] = str(machine.folder / "dlt")
    os.chdir(machine.folder)
    fault()
    from opsnest.cli import app  # noqa: PLC0415 - in a process of its own

    try:
        app(words)
    except SystemExit:
        sys.stdout.flush()
        raise
    except BaseException:  # noqa: BLE001 - as Python does, where nobody has foreseen it
        traceback.print_exc()
        sys.exit(1)


class _Tables(Warehouse):
    """The tables of a DuckDB file, whoever loads into it."""

    def __init__(self, file: Path, dataset: str) -> None:
        self.file = file
        self._open = duckdb.connect(str(file))
        self._open.execute(f"SET schema = '{dataset}'; SET TimeZone = 'UTC'")
        self._dataset = dataset

    def tables(self) -> set[str]:
        """Return the names of the tables, bar those of dlt."""
        found = self.query(
            f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{self._dataset}'"
        )
        return {name for (name,) in found if not name.startswith("_dlt")}


def cells_of(file: Path, dataset: str) -> Cells:
    """Return the rows of all tables of a DuckDB file, but for what differs by chance."""
    tables = _Tables(file, dataset)
    try:
        return live_cells(tables)
    finally:
        tables.close()


def with_state(warehouse: Warehouse) -> Warehouse:
    """Let dlt compare its state with that of the destination, as it does by itself."""
    warehouse.pipeline.config.restore_from_destination = True
    return warehouse


def refused(act: Callable[[], object]) -> OpsnestError:
    """Return the error that explains why something failed."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of dlt, or of ours
        act()
    error = explain(raised.value)
    assert error is not None
    return error


@contextmanager
def at_page(number: int, act: Callable[[], object]) -> Generator[None]:
    """Do something when the n-th page has been read, the first being 1."""
    pages = iter(range(1, 1_000_000))

    def look(_: PageRead) -> None:
        if next(pages) == number:
            act()

    with listening(look):
        yield


class AtFirstJob:
    """Do something when dlt notes that the first job of a load is done."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def __enter__(self) -> None:
        from dlt.common.storages.load_package import PackageStorage  # noqa: PLC0415

        self._note: Any = PackageStorage.save_pending_transition
        done: list[object] = []

        def noting(*words: Any, **options: Any) -> None:
            self._note(*words, **options)
            if not done:
                done.append(self._act())

        PackageStorage.save_pending_transition = noting  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        from dlt.common.storages.load_package import PackageStorage  # noqa: PLC0415

        PackageStorage.save_pending_transition = self._note  # type: ignore[method-assign]
