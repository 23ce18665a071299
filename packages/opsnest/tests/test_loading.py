"""What `load` does beyond dlt's own `run`: it finishes what was left, and heeds an interrupt."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import pytest
from dlt.common.runtime.collector_base import Collector
from dlt.pipeline.exceptions import PipelineStepFailed

from opsnest import sources
from opsnest.loading import PLATFORMS, load

if TYPE_CHECKING:
    from dlt.extract import DltSource


def rows(count: int) -> DltSource:
    """Return a source with this many rows, which loads those that it has not loaded before."""

    @dlt.resource(primary_key="id", write_disposition="merge")
    def numbers(
        last: Any = dlt.sources.incremental("id", initial_value=-1),  # noqa: B008 - as dlt has it
    ) -> Iterator[dict[str, int]]:
        yield from ({"id": each} for each in range(last.last_value + 1, count))

    @dlt.source
    def counted() -> Any:
        return numbers

    return counted()


@pytest.fixture
def pipeline(tmp_path: Path) -> dlt.Pipeline:
    return make_pipeline(tmp_path)


def make_pipeline(folder: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        pipeline_name="counting",
        destination=dlt.destinations.duckdb(str(folder / "data.duckdb")),
        dataset_name="counted",
        pipelines_dir=str(folder / "pipelines"),
    )


def loaded(pipeline: dlt.Pipeline) -> list[int]:
    with pipeline.sql_client() as client:
        found = client.execute_sql("SELECT id FROM numbers ORDER BY id")
    return [int(row[0]) for row in found or ()]


def test_a_source_is_loaded(pipeline: dlt.Pipeline) -> None:
    info = load(pipeline, rows(3)).info

    assert info is not None
    assert len(info.loads_ids) == 1
    assert loaded(pipeline) == [0, 1, 2]


def test_where_nothing_is_new_nothing_is_loaded(pipeline: dlt.Pipeline) -> None:
    load(pipeline, rows(3))

    assert load(pipeline, rows(3)).info is None
    assert loaded(pipeline) == [0, 1, 2]


@pytest.mark.parametrize("normalised", [False, True])
def test_what_an_interrupted_run_left_is_loaded_with_the_new_data(
    pipeline: dlt.Pipeline, *, normalised: bool
) -> None:
    load(pipeline, rows(1))
    pipeline.extract(rows(3))
    if normalised:
        pipeline.normalize()
    assert pipeline.has_pending_data

    load(pipeline, rows(5))

    assert loaded(pipeline) == [0, 1, 2, 3, 4]
    assert not pipeline.has_pending_data


def test_what_was_left_is_reported_where_nothing_is_new(pipeline: dlt.Pipeline) -> None:
    load(pipeline, rows(1))
    pipeline.extract(rows(3))

    info = load(pipeline, rows(3)).info

    assert info is not None
    assert len(info.loads_ids) == 1
    assert loaded(pipeline) == [0, 1, 2]


def test_a_pipeline_without_its_working_folder_goes_on_from_the_database(tmp_path: Path) -> None:
    load(make_pipeline(tmp_path), rows(3))
    (tmp_path / "pipelines").rename(tmp_path / "lost")

    again = make_pipeline(tmp_path)

    assert load(again, rows(3)).info is None
    assert load(again, rows(4)).info is not None
    assert loaded(again) == [0, 1, 2, 3]


class Interrupting(Collector):
    """Press Ctrl-C when a step of the load ends."""

    def __init__(self, at: str) -> None:
        self._at = at

    def __deepcopy__(self, memo: object) -> Interrupting:
        return self

    def update(self, *_: Any, **__: Any) -> None:
        pass

    def _start(self, step: str) -> None:
        pass

    def _stop(self) -> None:
        if self.step.startswith(self._at):
            self._at = "never again"
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("step", ["Extract", "Normalize", "Load"])
def test_an_interrupt_at_the_end_of_a_step_is_not_forgotten(
    step: str, pipeline: dlt.Pipeline
) -> None:
    pipeline.collector = Interrupting(step)

    with pytest.raises((KeyboardInterrupt, PipelineStepFailed)) as raised:
        load(pipeline, rows(3))

    assert any(isinstance(each, KeyboardInterrupt) for each in causes(raised.value))
    load(pipeline, rows(5))
    assert loaded(pipeline) == [0, 1, 2, 3, 4]


def causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def test_an_interrupt_before_the_load_leaves_the_load_for_the_next_run(
    pipeline: dlt.Pipeline,
) -> None:
    load(pipeline, rows(1))
    pipeline.collector = Interrupting("Normalize")

    with pytest.raises((KeyboardInterrupt, PipelineStepFailed)):
        load(pipeline, rows(3))

    assert loaded(pipeline) == [0]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_a_source_of_that_name(platform: str) -> None:
    source, pipeline, dataset = PLATFORMS[platform]
    assert getattr(sources, source).__name__ == source
    assert pipeline.endswith("_pipeline")
    assert dataset.endswith("_data")
