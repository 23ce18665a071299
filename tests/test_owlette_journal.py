"""The page journal of Owlette, whose answers come through the SDK."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.same_cells import live_cells
from tests.warehouse import Warehouse

import opssim
from opsnest.journal.file import RecordFile
from opsnest.loading import load
from opsnest.sources import owlette_source
from opssim import Fault
from opssim.owlette import OwletteSimulator

Running = opssim.Running[OwletteSimulator]
NAMES = ("machines", "processes", "webhooks", "webhook_deliveries", "versions", "version_files")
#: What is asked for last, and fails.
LAST = Fault(path="/versions/.+/files", status=400, body=b'{"title": "Broken"}')


@pytest.fixture
def owlette() -> Generator[Running]:
    with opssim.serve(OwletteSimulator(pace_s=1e6)) as running:
        running.simulator.clock.freeze()
        yield running


def source(running: Running, **options: Any) -> Any:
    options = {"token": running.simulator.key, "api_url": running.url, **options}
    return owlette_source(**options).with_resources(*NAMES)


def answered(running: Running) -> int:
    """Return how many requests have had an answer since the last time."""
    seen = running.simulator.requests.all()
    running.simulator.requests.clear()
    return len([each for each in seen if each.status == 200])


def journal_in(warehouse: Warehouse) -> Path:
    return Path(warehouse.pipeline.working_dir) / "opsnest_pages.journal"


def cut_off(running: Running, warehouse: Warehouse, **options: Any) -> int:
    """Load until something is refused, and return how many requests were answered before."""
    running.simulator.faults.add(LAST)
    with pytest.raises(PipelineStepFailed):
        load(warehouse.pipeline, source(running, **options))
    running.simulator.faults.clear()
    return answered(running)


def test_a_load_that_was_cut_off_asks_for_nothing_twice(
    owlette: Running, warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse.pipeline, source(owlette))
    wanted, calls = live_cells(warehouse), answered(owlette)

    (tmp_path / "again").mkdir()
    again = Warehouse(tmp_path / "again")
    had = cut_off(owlette, again)
    assert had > calls // 2
    load(again.pipeline, source(owlette))
    assert live_cells(again) == wanted
    assert had + answered(owlette) == calls
    assert not journal_in(again).exists()
    again.close()
    again.pipeline.deactivate()
    warehouse.pipeline.activate()


def test_nothing_secret_is_kept(owlette: Running, warehouse: Warehouse) -> None:
    cut_off(owlette, warehouse)
    file = RecordFile(journal_in(warehouse))
    text = b"\n".join(
        str(record.about).encode() + file.body(record) for record in file.records()
    ).decode()
    file.close()
    assert "/versions/" not in text, "only answers and what stands for requests"
    assert "screen 01" in text
    for secret in owlette.simulator.secrets():
        assert secret not in text
    assert "signingSecret" not in text
    assert "signature" not in text.lower()


def test_answers_to_another_key_are_not_taken(owlette: Running, warehouse: Warehouse) -> None:
    had = cut_off(owlette, warehouse)
    load(warehouse.pipeline, source(owlette, token=owlette.simulator.new_key()))
    assert answered(owlette) > had
