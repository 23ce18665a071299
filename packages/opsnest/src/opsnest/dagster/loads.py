"""What a run does: load what has changed, or a month."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rich.console import Console

from opsnest.dagster.places import (
    Place,
    adopt,
    is_at_odds,
    stored_schema,
    turn,
)
from opsnest.destinations import fit
from opsnest.loading import Outcome, load_extracted, load_held, load_left
from opsnest.one_run import one_run
from opsnest.progress import Progress
from opsnest.reading.parts import Span

if TYPE_CHECKING:
    from dlt import Pipeline, Schema
    from dlt.extract import DltSource

__all__ = ["Loaded", "load_changes", "load_month"]

log = logging.getLogger("opsnest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a run.

    Attributes:
        outcome: what was loaded, marked and compared.
        rows: the rows that were read and differed from what was there, by resource.
        schema: the tables, as they are now; None if nothing was ever loaded.
    """

    outcome: Outcome
    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    schema: Schema | None = None


def load_changes(place: Place, resources: Sequence[str]) -> Loaded:
    """Load what has changed of some lists, as `opsnest load` does.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
    """
    source = _source(place, resources)
    pipeline = place.pipeline()
    progress = Progress(Console(stderr=True))
    with one_run(pipeline), turn(pipeline), _counting(progress, place, pipeline):
        # what dlt keeps itself comes first: it would put aside what is adopted
        left = load_left(pipeline)
        adopt(pipeline, stored_schema(pipeline, source.name))
        outcome = load_held(pipeline, source)
        outcome = replace(outcome, info=outcome.info or left)
    return Loaded(outcome=outcome, rows=progress.rows(place.platform), schema=_schema(pipeline))


def load_month(place: Place, resources: Sequence[str], month: str, span: Span) -> Loaded:
    """Load what was made in a month, whatever was loaded before.

    Months are read beside each other, and loaded one after the other. Where another one has been
    loaded meanwhile that takes a column for another type, this one is read again.

    Args:
        place: the platform, and where it is loaded to.
        resources: its lists.
        month: the key of the partition.
        span: from when on, and until when.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
    """
    pipeline = place.pipeline_of(month)
    with one_run(pipeline):
        with turn(pipeline):
            source = _source(place, resources, span)
            stored = stored_schema(pipeline, source.name)
        rows = _read(place, pipeline, source, stored)
        with turn(pipeline):
            now = stored_schema(pipeline, source.name)
            if is_at_odds(pipeline, now):
                log.info("%s is read again: another month has other types.", month)
                rows = _read(place, pipeline, _source(place, resources, span), now)
            info = load_extracted(pipeline)
            if now is not None and info is not None:
                # the newest schema there has the columns of all months
                adopt(pipeline, now)
                pipeline.sync_schema(source.name)
        loaded = Loaded(outcome=Outcome(info=info), rows=rows, schema=_schema(pipeline))
        shutil.rmtree(pipeline.working_dir, ignore_errors=True)
    return loaded


def _read(
    place: Place, pipeline: Pipeline, source: DltSource, stored: Schema | None
) -> Mapping[str, int]:
    """Read a month from its beginning, and return the rows by resource."""
    # what an earlier run has left is read again; it may be of other lists
    pipeline.drop()
    adopt(pipeline, stored)
    progress = Progress(Console(stderr=True))
    with _counting(progress, place, pipeline):
        pipeline.extract(source)
    return progress.rows(place.platform)


def _source(place: Place, resources: Sequence[str], span: Span | None = None) -> DltSource:
    made = place.source(between=span) if span else place.source()
    return fit(made.with_resources(*resources), place.kind)


@contextmanager
def _counting(progress: Progress, place: Place, pipeline: Pipeline) -> Generator[None]:
    with progress.showing(), progress.platform(place.platform) as collector:
        pipeline.collector = collector
        yield


def _schema(pipeline: Pipeline) -> Schema | None:
    name: str | None = pipeline.default_schema_name  # dlt says that there always is one
    return pipeline.default_schema if name else None
