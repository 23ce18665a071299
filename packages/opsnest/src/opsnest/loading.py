"""Run a pipeline as an operator would: first what an interrupted run left, then the new data."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsnest.begun_jobs import settle_begun_jobs
from opsnest.catalogue import CATALOGUES
from opsnest.events import ListRead, listening_to_lists
from opsnest.one_run import IfRunning, one_run
from opsnest.reconcile import (
    Difference,
    forget,
    is_counted,
    known_differences,
    mark_deleted,
    remember_differences,
    takes_marks,
    unequal,
)

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.common.pipeline import LoadInfo
    from dlt.extract import DltSource

__all__ = ["PLATFORMS", "Outcome", "load", "load_extracted", "load_held"]

log = logging.getLogger("opsnest")

#: The platforms by the names that the command line has for them: source, pipeline and dataset.
PLATFORMS: dict[str, tuple[str, str, str]] = {
    "roost": ("roost_source", "roost_pipeline", "roost_data"),
    "rootly": (
        "rootly_incident_management_source",
        "rootly_incident_management_pipeline",
        "rootly_incident_management_data",
    ),
    "cloud-bot": ("cloud_bot_source", "cloud_bot_pipeline", "cloud_bot_data"),
    "owlette": ("owlette_source", "owlette_pipeline", "owlette_data"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a load.

    Attributes:
        info: what was loaded last; None if there was nothing to load.
        deleted: rows that were found to be gone and marked so, by resource.
        differences: tables that have not as many rows as the API says that there are.
        compared: the resources whose tables were compared with what the API says.
    """

    info: LoadInfo | None
    deleted: Mapping[str, int] = field(default_factory=dict[str, int])
    differences: Sequence[Difference] = ()
    compared: frozenset[str] = frozenset()

    def __str__(self) -> str:
        lines = [str(self.info) if self.info else "Nothing has changed since the last load."]
        if self.deleted:
            counts = ", ".join(f"{name} {count:,}" for name, count in sorted(self.deleted.items()))
            lines.append(f"Marked as deleted: {counts}.")
        lines += [f"Not equal: {difference}." for difference in self.differences]
        return "\n".join(lines)


def load(
    pipeline: Pipeline,
    source: DltSource,
    *,
    afresh: bool = False,
    if_running: IfRunning = "wait",
) -> Outcome:
    """Load a source, after whatever an earlier run has extracted and not loaded.

    `pipeline.run` alone would finish the earlier package and leave the new data for another run.
    Beyond that, rows that are gone are marked, and the tables are compared with what the API says
    that it has. Where they differ, and not by as many as when that was of no help, the list is read
    whole once.

    Args:
        pipeline: where it is loaded to.
        source: what is loaded.
        afresh: read lists whole, however far they were read before.
        if_running: whether to wait where another run of the pipeline has not ended.

    Raises:
        RunningError: another run has not ended, and this one was not to wait.
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; what has been extracted is loaded by the next run.
    """
    with one_run(pipeline, if_running=if_running):
        if afresh:
            forget(pipeline, source.name, source.selected_resources)
        return load_held(pipeline, source)


def load_held(pipeline: Pipeline, source: DltSource) -> Outcome:
    """Load a source within `one_run`, as `load` does.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; what has been extracted is loaded by the next run.
    """
    from opsnest.journal import journaling  # noqa: PLC0415 - slow to import

    left = load_extracted(pipeline)
    lists: list[ListRead] = []
    with journaling(pipeline, source.name), listening_to_lists(lists.append):
        pipeline.extract(source)
    info = load_extracted(pipeline) or left
    catalogue = next((each for each in CATALOGUES.values() if each.source == source.name), None)
    # a table that keeps each version of a row, or is made anew, has nothing to be marked
    lists = [read for read in lists if _is_merged(source, read.resource)]
    if catalogue is None or not lists or not takes_marks(pipeline):
        return Outcome(info=info)
    entries = catalogue.by_name
    counted = {read.resource for read in lists if is_counted(entries[read.resource])}
    deleted = mark_deleted(pipeline, entries, lists)
    differences = unequal(pipeline, entries, lists)
    known = known_differences(pipeline, source.name)
    new = [each for each in differences if known.get(each.resource) != each.by]
    if new:
        names = [difference.resource for difference in new]
        log.info("%s: read whole, as the numbers of rows differ: %s", source.name, names)
        forget(pipeline, source.name, names)
        lists = []
        with listening_to_lists(lists.append):
            pipeline.extract(source.with_resources(*names))
        info = load_extracted(pipeline) or info
        for name, count in mark_deleted(pipeline, entries, lists).items():
            deleted[name] = deleted.get(name, 0) + count
        left_over = unequal(pipeline, entries, lists)
        remember_differences(pipeline, source.name, left_over)
        differences = [*(each for each in differences if each not in new), *left_over]
    return Outcome(info=info, deleted=deleted, differences=differences, compared=frozenset(counted))


def _is_merged(source: DltSource, resource: str) -> bool:
    disposition = source.resources[resource].write_disposition
    return disposition == "merge" or isinstance(disposition, dict)


def load_extracted(pipeline: Pipeline) -> LoadInfo | None:
    """Normalise and load what has been extracted; None if that is nothing.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; the next call goes on.
    """
    from dlt.common.runtime import signals  # noqa: PLC0415 - slow to import

    settle_begun_jobs(pipeline)
    # dlt lets running jobs end before it heeds an interrupt, and forgets one that comes during the
    # last of them: it would go on with the next step
    with signals.intercepted_signals():
        info: LoadInfo | None = pipeline.run()
        signals.raise_if_signalled()
    return info
