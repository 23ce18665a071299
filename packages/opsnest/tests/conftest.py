"""Loads that several rooms look at."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packages.opsnest.tests.status_loads import (
    NAME,
    Loaded,
    rootly_pipeline,
    services,
)

from opsnest.loading import load
from opssim import RootlySimulator, serve


@pytest.fixture(scope="module")
def loaded_once(tmp_path_factory: pytest.TempPathFactory) -> Generator[Loaded]:
    """Load once for all tests of a room: each looks at a copy, as loads are what takes time."""
    folder = tmp_path_factory.mktemp("status")
    began = datetime.now(UTC)
    with (
        pytest.MonkeyPatch.context() as patch,
        serve(RootlySimulator(incidents=3, alerts=3, services=3, teams=2)) as running,
    ):
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        load(rootly_pipeline(), services(running))
        running.simulator.insert("services", 1)
        load(rootly_pipeline(), services(running))
        yield Loaded(running, folder, began)


@pytest.fixture
def loaded(loaded_once: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Copy what was loaded, for a test to do something to."""
    shutil.copytree(loaded_once.folder, tmp_path, dirs_exist_ok=True)
    # the copy is loaded from its own folder
    state = tmp_path / "dlt/pipelines" / NAME / "state.json"
    state.write_text(state.read_text().replace(str(loaded_once.folder), str(tmp_path)))
    trace = state.with_name("trace.pickle")
    assert trace.exists()
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    return Loaded(loaded_once.running, tmp_path, loaded_once.began)
