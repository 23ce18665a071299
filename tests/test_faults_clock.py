"""A clock that jumps by hours, back and forth: no row is lost, none is there twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pendulum
import pytest
from dlt.common.storages import load_package
from tests.faulty_loads import at_page, refused, with_state
from tests.killing import rows_twice
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest import clock, sources
from opsnest.destinations import Write, fit
from opsnest.loading import PLATFORMS, load
from opssim import (
    CloudBotQuirks,
    CloudBotSimulator,
    Fault,
    RoostQuirks,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)

pytestmark = pytest.mark.xdist_group("faults of clocks")

HOUR = 3600.0
#: The platforms, and what changes between two loads of them.
SIMULATORS: Final[Mapping[str, tuple[Callable[[], Simulator], str]]] = {
    "roost": (
        lambda: RoostSimulator(tests=20, events=60, quirks=RoostQuirks(max_take=10)),
        "events",
    ),
    "rootly": (
        lambda: RootlySimulator(incidents=40, alerts=10, users=5, alert_events=0, shifts=20),
        "incidents",
    ),
    "cloud-bot": (
        lambda: CloudBotSimulator(
            executions=40, bots=8, users=6, devices=5, quirks=CloudBotQuirks(page_cap=10)
        ),
        "executions",
    ),
}
#: The lists to load, where not all that are there by default: with slices and windows of time.
LISTS = {"rootly": ("incidents", "alerts", "shifts")}


class WrongClock:
    """The clock of this machine, as far as loads look at it.

    Attributes:
        ahead: by how many seconds it is.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        seconds, moment, now = time.time, clock.now, pendulum.now
        patch.setattr(time, "time", lambda: seconds() + self.ahead)
        # what dlt has imported by name; it never goes back within a process, as the next one may
        patch.setattr(load_package, "increasing_precise_time", time.time)
        patch.setattr(clock, "now", lambda: moment() + timedelta(seconds=self.ahead))
        patch.setattr(pendulum, "now", self._pendulum)
        self._now = now

    def _pendulum(self, zone: Any = None) -> pendulum.DateTime:
        return self._now(zone).add(seconds=self.ahead)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> WrongClock:
    """Let the clock be set."""
    return WrongClock(monkeypatch)


@pytest.fixture(
    params=[
        "roost",
        pytest.param("rootly", marks=pytest.mark.long),
        pytest.param("cloud-bot", marks=pytest.mark.long),
    ]
)
def served(request: pytest.FixtureRequest) -> Generator[tuple[str, Running[Any]]]:
    """Serve a platform whose own time is right: it stands still."""
    with serve(SIMULATORS[request.param][0]()) as running:
        running.simulator.clock.freeze()
        yield request.param, running


def load_into(folder: Path, name: str, running: Running[Any], *, write: Write = "merge") -> None:
    """Load as a process of its own would."""
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in running.configuration.items():
            patch.setenv(key, value)
        source = getattr(sources, PLATFORMS[name][0])()
        source = source.with_resources(*LISTS[name]) if name in LISTS else source
        fit(source, "duckdb", write=write)
        load(with_state(Warehouse(folder)).pipeline, source)


def cells_in(folder: Path) -> Cells:
    warehouse = Warehouse(folder)
    try:
        assert rows_twice(warehouse) == []
        return live_cells(warehouse)
    finally:
        warehouse.close()
        warehouse.pipeline.deactivate()


def test_loads_between_which_the_clock_jumps(
    served: tuple[str, Running[Any]], wrong: WrongClock, tmp_path: Path
) -> None:
    name, running = served
    right, jumping = tmp_path / "right", tmp_path / "jumping"
    for number, hours in enumerate((0, -5, 9)):
        if number:
            running.simulator.insert(SIMULATORS[name][1], 3)
            running.simulator.touch(SIMULATORS[name][1], 5)
        wrong.ahead = hours * HOUR
        load_into(jumping, name, running)
    wrong.ahead = 0.0
    load_into(right, name, running)
    assert cells_in(jumping) == cells_in(right)


@pytest.mark.parametrize("hours", [-7, pytest.param(7, marks=pytest.mark.long)])
def test_a_jump_while_lists_are_read_and_appended(
    hours: int, wrong: WrongClock, tmp_path: Path
) -> None:
    with serve(SIMULATORS["cloud-bot"][0]()) as running:
        running.simulator.clock.freeze()
        right, jumping = tmp_path / "right", tmp_path / "jumping"
        load_into(right, "cloud-bot", running, write="append")
        running.simulator.requests.clear()
        load_into(jumping, "cloud-bot", running, write="append")
        logins = len(running.simulator.requests.all("/v1/authentication"))
        running.simulator.touch("executions", 5)
        load_into(right, "cloud-bot", running, write="append")
        running.simulator.requests.clear()

        def jump() -> None:
            wrong.ahead = hours * HOUR

        with at_page(3, jump):
            load_into(jumping, "cloud-bot", running, write="append")
        assert wrong.ahead
        # a login lasts as long as it does, whatever the clock says
        assert len(running.simulator.requests.all("/v1/authentication")) == logins
        load_into(jumping, "cloud-bot", running, write="append")
    assert cells_in(jumping) == cells_in(right)


@pytest.mark.parametrize(
    "hours", [-3, *(pytest.param(each, marks=pytest.mark.long) for each in (3, 20))]
)
def test_a_load_that_was_cut_off_before_a_jump(
    hours: int, wrong: WrongClock, tmp_path: Path
) -> None:
    with serve(SIMULATORS["roost"][0]()) as running:
        running.simulator.clock.freeze()
        running.simulator.faults.add(Fault(status=401, after=5))
        cut = tmp_path / "cut"
        refused(lambda: load_into(cut, "roost", running))
        running.simulator.faults.clear()

        wrong.ahead = hours * HOUR
        running.simulator.requests.clear()
        load_into(cut, "roost", running)
        asked = len(running.simulator.requests)

        wrong.ahead = 0.0
        running.simulator.requests.clear()
        load_into(tmp_path / "right", "roost", running)
        calls = len(running.simulator.requests)
    # pages are of use for 12 hours; those of a time that has not come yet are asked for again
    assert asked == calls if hours in {-3, 20} else asked < calls
    assert cells_in(cut) == cells_in(tmp_path / "right")


@pytest.mark.long
def test_a_machine_that_is_new_after_the_clock_was_set_back(
    wrong: WrongClock, tmp_path: Path
) -> None:
    with serve(SIMULATORS["roost"][0]()) as running:
        running.simulator.clock.freeze()
        folder = tmp_path / "loads"
        load_into(folder, "roost", running)
        running.simulator.touch("events", 5)
        wrong.ahead = -5 * HOUR
        load_into(folder, "roost", running)
        shutil.rmtree(folder / "pipelines")  # dlt finds the state of the first load
        running.simulator.touch("events", 5)
        load_into(folder, "roost", running)
        load_into(tmp_path / "right", "roost", running)
    assert cells_in(folder) == cells_in(tmp_path / "right")


def test_the_clock_of_these_tests_is_the_one_that_loads_look_at(wrong: WrongClock) -> None:
    before = clock.now(), float(load_package.create_load_id()), pendulum.now()
    wrong.ahead = -HOUR
    assert clock.now() < before[0]
    assert float(load_package.create_load_id()) < before[1]
    assert pendulum.now() < before[2]
    assert isinstance(clock.now(), datetime)
