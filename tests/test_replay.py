"""Tables made anew from the pages that a load has kept, without a call."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.same_cells import live_cells
from tests.warehouse import Warehouse
from typer.testing import CliRunner

from opsnest import sources
from opsnest.cli import app
from opsnest.errors import ReplayError
from opsnest.journal import path_of
from opsnest.loading import PLATFORMS, load
from opsnest.replaying import replay, source_to_replay
from opssim import (
    CloudBotSimulator,
    Fault,
    RoostSimulator,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)
from opssim.owlette import OwletteSimulator

SIMULATORS: Final[dict[str, Callable[[], Simulator]]] = {
    "roost": lambda: RoostSimulator(tests=20, events=40),
    "rootly": lambda: RootlySimulator(incidents=30, alerts=20, users=8, alert_events=9, shifts=12),
    "cloud-bot": lambda: CloudBotSimulator(executions=40, users=5, devices=4, work_items=9),
    "owlette": lambda: OwletteSimulator(machines=3, pace_s=1e6),
}


@contextmanager
def served(platform: str, patch: pytest.MonkeyPatch) -> Generator[Running[Any]]:
    """Serve a platform, with the settings of a load in the environment."""
    with serve(SIMULATORS[platform]()) as running, patch.context() as settings:
        for name, value in running.configuration.items():
            settings.setenv(name, value)
        yield running


#: Some lists do, of a platform that has many.
SOME: Final = {"rootly": ("incidents", "incident_events", "users")}


def source_of(platform: str) -> Any:
    source: Any = getattr(sources, PLATFORMS[platform][0])()
    names = SOME.get(platform)
    return source.with_resources(*names) if names else source


@contextmanager
def another(folder: Path) -> Generator[Warehouse]:
    """Make another database, for a while."""
    folder.mkdir()
    warehouse = Warehouse(folder)
    yield warehouse
    warehouse.close()
    warehouse.pipeline.deactivate()


@pytest.mark.slow
@pytest.mark.parametrize("platform", SIMULATORS)
def test_a_replay_makes_the_tables_of_the_load(
    platform: str, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.journal"
    with served(platform, monkeypatch):
        load(warehouse.pipeline, source_of(platform), keep_journal=kept)
    wanted = live_cells(warehouse)
    # nobody is there to be asked any more, and no key is known
    with another(tmp_path / "elsewhere") as elsewhere:
        replay(elsewhere.pipeline, source_to_replay(platform), kept)
        found = live_cells(elsewhere)
    assert found.keys() == wanted.keys()
    for table, rows in wanted.items():
        assert found[table] == rows, table
    assert kept.exists()
    warehouse.pipeline.activate()


def fail(*_: object, **__: object) -> None:
    message = "out of reach"
    raise ConnectionError(message)


def test_rows_that_could_not_be_loaded_are_made_anew(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served("rootly", monkeypatch) as running:
        load(warehouse.pipeline, source_of("rootly"))
        running.simulator.insert("incidents", 3)
        running.simulator.touch("users", 2)
        with monkeypatch.context() as patch:
            patch.setattr("dlt.load.load.Load.load_single_package", fail)
            with pytest.raises(PipelineStepFailed):
                load(warehouse.pipeline, source_of("rootly"))
        assert warehouse.pipeline.has_pending_data
        calls = len(running.simulator.requests)
        replay(warehouse.pipeline, source_to_replay("rootly"))
        assert len(running.simulator.requests) == calls
        assert not path_of(warehouse.pipeline).exists()
        assert warehouse.pipeline.list_normalized_load_packages() == []
        with another(tmp_path / "fresh") as fresh:
            load(fresh.pipeline, source_of("rootly"))
            wanted = live_cells(fresh)
        assert live_cells(warehouse) == wanted
        warehouse.close()
        # and the next load goes on from there
        running.simulator.insert("incidents", 2)
        warehouse.pipeline.activate()
        load(warehouse.pipeline, source_of("rootly"))
        ids = set(running.simulator.tables["incidents"].keys())
        assert set(warehouse.column("incidents")) == ids


def test_a_load_that_was_cut_off_is_not_replayed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served("rootly", monkeypatch) as running:
        running.simulator.faults.add(Fault(path="/v1/users", status=400))
        with pytest.raises(PipelineStepFailed):
            load(warehouse.pipeline, source_of("rootly"))
        running.simulator.faults.clear()
        with pytest.raises(PipelineStepFailed) as raised:
            replay(warehouse.pipeline, source_to_replay("rootly"))
        assert "rootly_incident_management_source / " in str(raised.value)
        assert path_of(warehouse.pipeline).exists()
        # it can still be gone on with
        load(warehouse.pipeline, source_of("rootly"))
        assert warehouse.column("users")


def test_secrets_in_texts_are_masked_in_what_is_kept(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
    kept = tmp_path / "kept.journal"
    with served("rootly", monkeypatch) as running:
        incidents = running.simulator.tables["incidents"]
        key = next(iter(incidents.keys()))

        def paste(row: Any) -> None:
            row["attributes"].update(summary=f"use {secret} for now")

        incidents.update(key, paste)
        load(warehouse.pipeline, source_of("rootly"), keep_journal=kept)
    wanted = warehouse.query(f"SELECT attributes__summary FROM incidents WHERE id = '{key}'")
    with another(tmp_path / "elsewhere") as elsewhere:
        replay(elsewhere.pipeline, source_to_replay("rootly"), kept)
        query = f"SELECT attributes__summary FROM incidents WHERE id = '{key}'"
        assert elsewhere.query(query) == wanted
        assert secret not in elsewhere.text()
    warehouse.pipeline.activate()


def test_a_journal_of_elsewhere_does_not_let_rows_be_missed(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.journal"
    with served("rootly", monkeypatch) as running:
        load(warehouse.pipeline, source_of("rootly"))
        running.simulator.insert("incidents", 3)
        load(warehouse.pipeline, source_of("rootly"), keep_journal=kept)
        with pytest.raises(ReplayError, match="has gone on since"):
            replay(warehouse.pipeline, source_to_replay("rootly"), kept)
        with another(tmp_path / "elsewhere") as elsewhere:
            replay(elsewhere.pipeline, source_to_replay("rootly"), kept)
            some = len(elsewhere.column("incidents"))
            elsewhere.close()
            load(elsewhere.pipeline, source_of("rootly"))
            assert some < len(elsewhere.column("incidents"))
            found = live_cells(elsewhere)
    assert found == live_cells(warehouse)
    warehouse.pipeline.activate()


# ---- the command line


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    with served("roost", monkeypatch):
        code, said = run("load", "roost", "--keep-journal", "pages.journal")
        assert code == 0, said
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "elsewhere"))
    code, said = run("replay", "roost", "--journal", "pages.journal")
    assert code == 0, said
    code, said = run("replay", "rootly", "--journal", "pages.journal")
    assert (code, "of roost_source, not of rootly" in said) == (ReplayError.exit_code, True)
    code, said = run("replay", "roost")
    assert (code, "there is no page journal" in said) == (ReplayError.exit_code, True)
    Path("nothing").write_text("none")
    code, said = run("replay", "roost", "--journal", "nothing")
    assert (code, "is no page journal" in said) == (ReplayError.exit_code, True)
    assert Path("nothing").read_text() == "none"
    code, said = run("load", "roost", "--keep-journal", "no/such/folder/pages")
    assert (code, "there is no folder no/such/folder" in said) == (3, True)
