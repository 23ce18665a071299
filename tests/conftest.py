"""Fixtures of the end-to-end tests: what to load, where to, and patience that takes no time."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.cloud_bot_loads import SIZES as CLOUD_BOT_SIZES
from tests.cloud_bot_loads import Start as StartControlRoom
from tests.failing_loads import Failure
from tests.roost_loads import SIZES as ROOST_SIZES
from tests.roost_loads import Start as StartRoost
from tests.rootly_loads import SIZES as ROOTLY_SIZES
from tests.rootly_loads import Start as StartRootly
from tests.warehouse import Warehouse

import opsnest.http
from opsnest.http import Patience
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Running
from opssim.pytest_plugin import Simulate


@pytest.fixture
def rootly(simulate: Simulate) -> StartRootly:
    """Serve a small Rootly with the options that a test gives."""

    def start(**options: Any) -> Running[RootlySimulator]:
        return simulate(RootlySimulator(**{**ROOTLY_SIZES, **options}))

    return start


@pytest.fixture
def roost(simulate: Simulate) -> StartRoost:
    """Serve a small Roost.ai with the options that a test gives."""

    def start(**options: Any) -> Running[RoostSimulator]:
        return simulate(RoostSimulator(**{**ROOST_SIZES, **options}))

    return start


@pytest.fixture
def room(simulate: Simulate) -> StartControlRoom:
    """Serve a small Control Room with the options that a test gives."""

    def start(**options: Any) -> Running[CloudBotSimulator]:
        return simulate(CloudBotSimulator(**{**CLOUD_BOT_SIZES, **options}))

    return start


@pytest.fixture
def warehouse(tmp_path: Path) -> Generator[Warehouse]:
    """Make an empty DuckDB file to load into."""
    warehouse = Warehouse(tmp_path)
    yield warehouse
    warehouse.close()
    warehouse.pipeline.deactivate()


@pytest.fixture(scope="module")
def shared_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Generator[Warehouse]:
    """Make a DuckDB file for tests that only look at one load, as loads are what takes time."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        warehouse = Warehouse(folder)
        yield warehouse
        warehouse.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Sequence[float]:
    """Let waiting for the next try take no time, and note how long it would have been."""
    seconds: list[float] = []
    monkeypatch.setattr(opsnest.http, "Patience", lambda: Patience(sleep=seconds.append))
    return seconds


@pytest.fixture
def failure(simulate: Simulate, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Failure:
    """Load what is to fail."""
    return Failure(simulate, warehouse, monkeypatch)
