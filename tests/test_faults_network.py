"""A network or an API that fails for a while: one message, and the next load goes on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.faulty_loads import Machine, cells_of, refused, with_state
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest import sources
from opsnest.errors import OpsnestError
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
from opssim.owlette import OwletteHabits, OwletteSimulator

pytestmark = pytest.mark.xdist_group("faults of networks")

#: The platforms, with several pages of each list, and the lists to load.
SIMULATORS: Final[Mapping[str, tuple[Callable[[], Simulator], tuple[str, ...]]]] = {
    "roost": (
        lambda: RoostSimulator(tests=60, events=120, quirks=RoostQuirks(max_take=20)),
        ("tests", "events"),
    ),
    "rootly": (
        lambda: RootlySimulator(
            incidents=120, alerts=20, users=20, alert_events=0, shifts=0, rate_limit=10**9
        ),
        ("incidents", "alerts", "users", "services", "teams", "schedules"),
    ),
    "cloud-bot": (
        lambda: CloudBotSimulator(
            executions=100, bots=8, users=6, devices=5, quirks=CloudBotQuirks(page_cap=20)
        ),
        ("executions", "users"),
    ),
    "owlette": (
        lambda: OwletteSimulator(
            machines=10, pace_s=1e6, habits=OwletteHabits(limit_per_hour=10**9)
        ),
        ("machines", "processes", "versions", "version_files"),
    ),
}
#: Each of them in the long tests, one of them in the others.
ONE_SOON: Final = pytest.mark.parametrize(
    "served",
    [pytest.param(name, marks=() if name == "roost" else pytest.mark.long) for name in SIMULATORS],
    indirect=True,
)
#: Requests that are answered before something fails: a login among them.
ANSWERED: Final = 4
#: What a load that goes on asks for again.
LOGINS: Final = 1


@dataclass(frozen=True)
class Platform:
    """A platform, and a load of it that nothing disturbs.

    Attributes:
        name: its name on the command line.
        running: the platform.
        names: the lists to load.
        expected: what the load leaves.
        calls: how many of its requests are answered.
    """

    name: str
    running: Running[Any]
    names: tuple[str, ...]
    expected: Cells
    calls: int

    def load(self, folder: Path) -> None:
        """Load into a folder, as a process of its own would."""
        load_into(folder, self.name, self.running, self.names)

    def check_next(self, folder: Path, *, useless: int = 0) -> None:
        """Load again, without a fault, and ask for nothing that is in the journal.

        Args:
            folder: where it is loaded.
            useless: answers with status 200 that were none of the API's.
        """
        self.running.simulator.faults.clear()
        self.load(folder)
        warehouse = Warehouse(folder)
        assert live_cells(warehouse) == self.expected
        warehouse.close()
        warehouse.pipeline.deactivate()
        assert answered(self.running) - useless <= self.calls + LOGINS


def load_into(folder: Path, name: str, running: Running[Any], names: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        for key, value in running.configuration.items():
            patch.setenv(key, value)
        source = getattr(sources, PLATFORMS[name][0])()
        load(with_state(Warehouse(folder)).pipeline, source.with_resources(*names))


def answered(running: Running[Any]) -> int:
    return int(running.simulator.requests.statuses()[200])


@pytest.fixture(scope="module", params=SIMULATORS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Platform]:
    """Serve a platform whose time stands still, and load it."""
    make, names = SIMULATORS[request.param]
    with serve(make()) as running:
        running.simulator.clock.freeze()
        folder = tmp_path_factory.mktemp("undisturbed")
        load_into(folder, request.param, running, names)
        calls = answered(running)
        assert calls > 2 * ANSWERED
        warehouse = Warehouse(folder)
        expected = live_cells(warehouse)
        warehouse.close()
        yield Platform(request.param, running, names, expected, calls)


@pytest.fixture
def platform(served: Platform, waits: Sequence[float]) -> Platform:
    """Return a platform of which nothing was asked; waiting takes no time."""
    del waits
    served.running.simulator.faults.clear()
    served.running.simulator.requests.clear()
    return served


def fail(platform: Platform, folder: Path, fault: Fault) -> OpsnestError:
    """Load while something fails, and return the error that says so."""
    platform.running.simulator.faults.add(fault)
    error = refused(lambda: platform.load(folder))
    assert not [each for each in platform.running.simulator.secrets() if each in str(error)]
    assert len(str(error).splitlines()) >= 2, "what happened, and what to do"
    return error


def test_a_token_that_is_revoked_half_way(platform: Platform, tmp_path: Path) -> None:
    error = fail(platform, tmp_path, Fault(status=401, after=ANSWERED))

    assert error.exit_code == 4
    platform.check_next(tmp_path)


@ONE_SOON
def test_an_api_that_is_out_of_service(platform: Platform, tmp_path: Path) -> None:
    error = fail(platform, tmp_path, Fault(status=503, after=ANSWERED))

    assert error.exit_code == 6
    assert "later" in str(error) or "again" in str(error)
    again = refused(lambda: platform.load(tmp_path))  # half an hour is not over
    assert again.exit_code == 6
    platform.check_next(tmp_path)


@ONE_SOON
def test_a_network_that_is_gone(platform: Platform, tmp_path: Path) -> None:
    error = fail(platform, tmp_path, Fault(cut=True, after=ANSWERED))

    assert error.exit_code == 5
    platform.check_next(tmp_path)


@ONE_SOON
def test_a_page_that_something_on_the_way_sends_instead(platform: Platform, tmp_path: Path) -> None:
    page = b"<html><title>Sign in to the Wi-Fi</title></html>"
    error = fail(
        platform, tmp_path, Fault(status=200, body=page, media_type="text/html", after=ANSWERED)
    )

    assert error.exit_code == 6
    assert "instead" in str(error)
    useless = answered(platform.running) - ANSWERED
    assert useless >= 1
    platform.check_next(tmp_path, useless=useless)


@pytest.fixture
def roost() -> Generator[Running[Any]]:
    """Serve a Roost.ai of few tests."""
    with serve(RoostSimulator(tests=40, events=5)) as running:
        running.simulator.clock.freeze()
        yield running


def test_half_an_hour_that_the_api_asks_for_is_waited(
    roost: Running[Any], waits: Sequence[float], tmp_path: Path
) -> None:
    half_an_hour = Fault(path="/api/test$", status=503, headers={"Retry-After": "300"}, times=6)
    roost.simulator.faults.add(half_an_hour)
    load_into(tmp_path, "roost", roost, ["tests"])
    assert sum(waits) == 30 * 60


def test_a_name_that_does_not_resolve(
    roost: Running[Any], waits: Sequence[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        error = refused(lambda: load_into(tmp_path, "roost", roost, ["tests"]))
    assert error.exit_code == 5
    assert "cannot be reached" in str(error)
    assert waits

    load_into(tmp_path, "roost", roost, ["tests"])
    warehouse = Warehouse(tmp_path)
    assert warehouse.column("tests") == sorted(roost.simulator.tables["tests"].keys())
    warehouse.close()


# The command line


def test_the_command_line_says_one_thing(roost: Running[Any], tmp_path: Path) -> None:
    settings = roost.configuration
    away = {
        name: "http://api.invalid/api" if "URL" in name else settings[name] for name in settings
    }
    nowhere = Machine(tmp_path / "machine", away, tmp_path / "said")

    ran = nowhere.run("load", "roost")

    assert ran.code == 5
    assert "api.invalid cannot be reached" in ran.message
    assert not [secret for secret in roost.simulator.secrets() if secret in ran.said]
    here = Machine(nowhere.folder, settings, nowhere.notes)
    assert here.run("load", "roost").code == 0
    found = cells_of(here.folder / "roost_pipeline.duckdb", "roost_data")
    assert len(found["tests"]) == 40
