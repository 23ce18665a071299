"""Run a pipeline as an operator would: first what an interrupted run left, then the new data."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
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
from opsnest.still_there import (
    Loads,
    loads_at,
    removing_what_holds_nothing,
    same_destination,
)

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.common.pipeline import LoadInfo
    from dlt.extract import DltSource

__all__ = ["PLATFORMS", "Outcome", "compare", "load", "load_extracted", "load_held", "load_left"]

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
    keep_journal: Path | None = None,
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
        keep_journal: where to keep the pages that are read, for `replay`.

    Raises:
        RunningError: another run has not ended, and this one was not to wait.
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; what has been extracted is loaded by the next run.
    """
    with one_run(pipeline, if_running=if_running), removing_what_holds_nothing(pipeline):
        # dlt looks at the destination in the first run of a pipeline only: it may be gone by now
        pipeline._state_restored = False  # pyright: ignore[reportPrivateUsage]
        if afresh:
            forget(pipeline, source.name, source.selected_resources)
        return load_held(pipeline, source, keep_journal=keep_journal)


def load_held(
    pipeline: Pipeline, source: DltSource, *, keep_journal: Path | None = None
) -> Outcome:
    """Load a source within `one_run`, as `load` does.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; what has been extracted is loaded by the next run.
    """
    from opsnest.journal import journaling, path_of  # noqa: PLC0415 - slow to import

    left = load_left(pipeline)
    remove_cut_off(pipeline)
    before = loads_at(pipeline)
    lists: list[ListRead] = []
    journal = path_of(pipeline)
    try:
        with (
            journaling(pipeline, source.name, source.selected_resources),
            listening_to_lists(lists.append),
        ):
            pipeline.extract(source)
        info = load_extracted(pipeline, before) or left
    finally:
        if keep_journal is not None and journal.exists():
            shutil.copy(journal, keep_journal)
    journal.unlink(missing_ok=True)
    outcome, different = compare(pipeline, source, lists, info)
    if not different:
        return outcome
    names = [difference.resource for difference in different]
    log.info("%s: read whole, as the numbers of rows differ: %s", source.name, names)
    forget(pipeline, source.name, names)
    lists = []
    with listening_to_lists(lists.append):
        pipeline.extract(source.with_resources(*names))
    info = load_extracted(pipeline, before) or info
    again, _ = compare(pipeline, source, lists, info)
    remember_differences(pipeline, source.name, again.differences)
    return replace(
        outcome,
        info=info,
        deleted=Counter(outcome.deleted) + Counter(again.deleted),
        differences=[
            *(each for each in outcome.differences if each not in different),
            *again.differences,
        ],
    )


def compare(
    pipeline: Pipeline,
    source: DltSource,
    lists: Sequence[ListRead],
    info: LoadInfo | None,
    *,
    counts: bool = True,
) -> tuple[Outcome, list[Difference]]:
    """Mark rows that are gone, and compare the tables with what the API says that it has.

    Args:
        pipeline: where it was loaded to.
        source: what was loaded.
        lists: what was found out about its lists.
        info: what was loaded.
        counts: whether the API may be asked how many rows it has; without, nothing is compared.

    Returns:
        What came of the load, and the differences that were not there before.
    """
    catalogue = next((each for each in CATALOGUES.values() if each.source == source.name), None)
    # a table that keeps each version of a row, or is made anew, has nothing to be marked
    lists = [read for read in lists if _is_merged(source, read.resource)]
    if catalogue is None or not lists or not takes_marks(pipeline):
        return Outcome(info=info), []
    entries = catalogue.by_name
    outcome = Outcome(
        info=info,
        deleted=mark_deleted(pipeline, entries, lists),
        differences=unequal(pipeline, entries, lists) if counts else (),
        compared=frozenset(
            read.resource for read in lists if counts and is_counted(entries[read.resource])
        ),
    )
    known = known_differences(pipeline, source.name)
    return outcome, [each for each in outcome.differences if known.get(each.resource) != each.by]


def remove_cut_off(pipeline: Pipeline) -> None:
    """Remove what dlt had extracted when it was cut off, which it never looks at again."""
    for folder in (Path(pipeline.working_dir) / "normalize").glob("[0-9a-f]" * 16):
        shutil.rmtree(folder, ignore_errors=True)


def _is_merged(source: DltSource, resource: str) -> bool:
    disposition = source.resources[resource].write_disposition
    return disposition == "merge" or isinstance(disposition, dict)


def load_left(pipeline: Pipeline) -> LoadInfo | None:
    """Load what an earlier run has extracted, as `load_extracted` does."""
    from opsnest.journal import note_extracted  # noqa: PLC0415 - slow to import

    if pipeline.has_pending_data:
        note_extracted(pipeline)
    return load_extracted(pipeline)


def load_extracted(pipeline: Pipeline, before: Loads = frozenset()) -> LoadInfo | None:
    """Normalise and load what has been extracted; None if that is nothing.

    Args:
        pipeline: where it is loaded to.
        before: the loads that were there when it was extracted, as `loads_at` tells them.

    Raises:
        DestinationError: they are not there any more.
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; the next call goes on.
    """
    from dlt.common.runtime import signals  # noqa: PLC0415 - slow to import

    settle_begun_jobs(pipeline)
    # dlt lets running jobs end before it heeds an interrupt, and forgets one that comes during the
    # last of them: it would go on with the next step
    with same_destination(pipeline, before), signals.intercepted_signals():
        info: LoadInfo | None = pipeline.run()
        signals.raise_if_signalled()
    return info
