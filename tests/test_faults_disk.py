"""A disk that is full or may not be written: one message, and the next load goes on."""

from __future__ import annotations

import gc
import resource
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import pytest
from tests.broken_disks import limited_files, read_only, release, small_disk
from tests.faulty_loads import Machine, at_page, cells_of, refused, with_state
from tests.kill_cases import AT_ONCE
from tests.roost_loads import Roost, source
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest.explain import explain
from opsnest.loading import load
from opssim import RoostQuirks, RoostSimulator, serve

pytestmark = [
    pytest.mark.xdist_group("faults of disks"),
    # those that dlt was writing when it failed
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

FULL = "the disk is full"
TOO_LONG = "a file may not become longer here"
FORBIDDEN = "no permission to write here"
#: Bytes that no file of a load of the platform below comes to.
ENOUGH = 8_000_000
#: Pages after which a disk fills up.
READ = 8
SOFT, HARD = resource.getrlimit(resource.RLIMIT_FSIZE)


@dataclass(frozen=True)
class Platform:
    """A platform, and a load of it that nothing disturbs.

    Attributes:
        roost: the platform.
        expected: what the load leaves.
        calls: the requests that it makes.
    """

    roost: Roost
    expected: Cells
    calls: int


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    """Serve a small Roost.ai, with small pages, and load it."""
    simulator = RoostSimulator(tests=60, events=200, quirks=RoostQuirks(max_take=20))
    with pytest.MonkeyPatch.context() as patch, serve(simulator) as running:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        running.simulator.clock.freeze()
        warehouse = at(tmp_path_factory.mktemp("undisturbed"))
        load_all(warehouse, running)
        yield Platform(running, cells(warehouse), len(running.simulator.requests))


@pytest.fixture(autouse=True)
def _alone(platform: Platform) -> Generator[None]:
    platform.roost.simulator.requests.clear()
    yield
    gc.collect()  # what dlt has left open, while nobody minds


def load_all(warehouse: Warehouse, roost: Roost) -> None:
    load(warehouse.pipeline, source(roost))


def at(folder: Path) -> Warehouse:
    """Return what loads into a folder, as another process would."""
    folder.mkdir(exist_ok=True)
    return with_state(Warehouse(folder))


def cells(warehouse: Warehouse) -> Cells:
    try:
        return live_cells(warehouse)
    finally:
        warehouse.close()


def check_next(folder: Path, platform: Platform) -> None:
    """Load again, without a fault."""
    warehouse = at(folder)
    load_all(warehouse, platform.roost)
    assert cells(warehouse) == platform.expected
    warehouse.pipeline.deactivate()


@pytest.mark.parametrize("size", [pytest.param("48k", marks=pytest.mark.long), "400k"])
def test_a_full_disk(size: str, platform: Platform, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, size):
        warehouse = at(disk / "loads")
        error = refused(lambda: load_all(warehouse, platform.roost))
    try:
        assert error.exit_code == 7
        assert str(error).startswith(FULL)
        check_next(disk / "loads", platform)
    finally:
        release(disk)


# the headers of the file, and what is loaded
@pytest.mark.parametrize("length", [4096, pytest.param(150_000, marks=pytest.mark.long)])
def test_files_that_may_not_become_longer(length: int, platform: Platform, tmp_path: Path) -> None:
    warehouse = at(tmp_path)
    with limited_files(length):
        error = refused(lambda: load_all(warehouse, platform.roost))

    assert error.exit_code == 7
    assert str(error).startswith(TOO_LONG)
    check_next(tmp_path, platform)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_disk_that_is_full_at_any_moment(platform: Platform, tmp_path: Path) -> None:
    steps: set[str] = set()
    for length in range(0, ENOUGH, 65_536):
        warehouse = at(tmp_path / f"loads-{length}")
        try:
            with limited_files(length):
                load_all(warehouse, platform.roost)
        except Exception as fault:  # noqa: BLE001 - of dlt, or of ours
            error = explain(fault)
            assert str(error).startswith(TOO_LONG), (length, error)
            steps.add(str(getattr(fault, "step", "")))
        else:  # there was room
            break
        check_next(warehouse.file.parent, platform)
        gc.collect()
    else:
        pytest.fail("there never was room")
    assert steps >= {"extract", "load"}


def test_pages_that_were_written_down_are_not_asked_for_again(
    platform: Platform, tmp_path: Path
) -> None:
    warehouse = at(tmp_path)
    with at_page(READ, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, HARD))):
        try:
            error = refused(lambda: load_all(warehouse, platform.roost))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (SOFT, HARD))
    assert error.exit_code == 7
    seen = len(platform.roost.simulator.requests)
    assert seen >= READ
    check_next(tmp_path, platform)
    asked = len(platform.roost.simulator.requests)
    assert asked <= platform.calls + AT_ONCE["roost"] + seen - READ


def test_a_disk_that_fills_up_at_a_later_load(platform: Platform, tmp_path: Path) -> None:
    warehouse = at(tmp_path)
    load_all(warehouse, platform.roost)
    warehouse.pipeline.deactivate()
    with duckdb.connect(str(warehouse.file)) as database:  # as a load before had other rows
        database.execute("UPDATE data.tests SET test_name = 'old'")
    with warehouse.pipeline.managed_state() as state:
        state["sources"] = {}

    with limited_files(20_000):
        error = refused(lambda: load_all(at(tmp_path), platform.roost))

    assert error.exit_code == 7
    with duckdb.connect(str(warehouse.file)) as database:  # what was there is there
        assert database.sql("SELECT DISTINCT test_name FROM data.tests").fetchall() == [("old",)]
    check_next(tmp_path, platform)


@pytest.mark.parametrize("what", ["loads/pipelines", pytest.param("loads", marks=pytest.mark.long)])
def test_a_folder_that_may_not_be_written(what: str, platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "loads"
    warehouse = at(folder)
    with read_only(tmp_path / what):
        error = refused(lambda: load_all(warehouse, platform.roost))

    assert error.exit_code == 7
    assert "ermission" in str(error)
    assert str(folder) in str(error)
    check_next(folder, platform)


def test_a_file_that_may_not_be_written(platform: Platform, tmp_path: Path) -> None:
    warehouse = at(tmp_path)
    load_all(warehouse, platform.roost)
    with read_only(warehouse.file):
        error = refused(lambda: load_all(warehouse, platform.roost))

    assert error.exit_code == 7
    assert str(error).startswith("DuckDB could not use its file")
    assert "ermission denied" in str(error)
    check_next(tmp_path, platform)


# The command line


def limit(length: int) -> None:
    """Let no file of this process become longer."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, HARD))


# where the file is made, where lists are read, where rows are loaded
@pytest.mark.slow
@pytest.mark.parametrize(
    "length",
    [
        pytest.param(4096, marks=pytest.mark.long),
        pytest.param(60_000, marks=pytest.mark.long),
        150_000,
    ],
)
def test_the_command_line_says_one_thing(length: int, platform: Platform, tmp_path: Path) -> None:
    roost = platform.roost
    machine = Machine(tmp_path / "machine", roost.configuration, tmp_path / "said")

    ran = machine.run("load", "roost", fault=partial(limit, length))

    assert ran.code == 7
    assert ran.message.startswith(TOO_LONG)
    assert not [secret for secret in roost.simulator.secrets() if secret in ran.said]
    assert machine.run("load", "roost").code == 0
    file = machine.folder / "roost_pipeline.duckdb"
    assert cells_of(file, "roost_data") == platform.expected
