"""Make tables from the pages of an earlier load, without a call: after a mend, or elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest import sources
from opsnest.errors import ReplayError
from opsnest.events import ListRead, listening_to_lists
from opsnest.journal import Replay, opened, path_of
from opsnest.loading import Outcome, compare, load_extracted
from opsnest.one_run import one_run
from opsnest.reconcile import forget

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

__all__ = ["replay", "source_to_replay"]

log = logging.getLogger("opsnest")

#: Lists that an error names.
_NAMED: Final = 5
#: What sources are given in place of credentials, as nobody is asked.
_NOBODY: Final[Mapping[str, Mapping[str, Any]]] = {
    "roost": {"token": "none"},
    "rootly": {"token": "none"},
    "cloud-bot": {
        "control_room_url": "https://replay.invalid",
        "username": "none",
        "api_key": "none",
    },
    "owlette": {"token": "owk_none"},
}
_SOURCES: Final[Mapping[str, Callable[..., Any]]] = {
    "roost": sources.roost_source,
    "rootly": sources.rootly_incident_management_source,
    "cloud-bot": sources.cloud_bot_source,
    "owlette": sources.owlette_source,
}


def source_to_replay(platform: str) -> DltSource:
    """Return the source of a platform, without credentials."""
    made: DltSource = _SOURCES[platform](**_NOBODY[platform])
    return made


def replay(pipeline: Pipeline, source: DltSource, journal: Path | None = None) -> Outcome:
    """Load a source from the pages of a journal, with the rows and the state that they lead to.

    What an earlier run has extracted and not loaded is thrown away, as it is made of these pages.

    Args:
        pipeline: where it is loaded to.
        source: what is loaded; the resources are those of the journal.
        journal: the pages; those that the pipeline itself has kept, as its last load has not been
            loaded, without any.

    Raises:
        ReplayError: there is no such journal, not all is in it, or the pipeline is elsewhere.
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
    """
    with one_run(pipeline):
        pages = Replay(journal or path_of(pipeline))
        lists: list[ListRead] = []
        try:
            if pages.head.source != source.name:
                message = (
                    f"the page journal is of {pages.head.source}, not of {source.name}.\n"
                    "  Name the platform that it is of."
                )
                raise ReplayError(message)
            unknown = sorted(set(pages.head.resources) - set(source.resources))
            if unknown:
                message = (
                    f"the page journal has lists that {source.name} does not have: "
                    f"{', '.join(unknown[:_NAMED])}.\n"
                    "  Replay it with the version of Opsnest that has kept it."
                )
                raise ReplayError(message)
            log.info("%s: replaying a load of %s", source.name, pages.began.isoformat())
            goes_on = _go_back(pipeline, source, pages.head.state)
            selected = source.with_resources(*pages.head.resources)
            with opened(source.name, pages), listening_to_lists(lists.append):
                pipeline.extract(selected)
        finally:
            pages.close()
        info = load_extracted(pipeline)
        if journal is None:
            path_of(pipeline).unlink(missing_ok=True)
        outcome, _ = compare(pipeline, source, lists, info, counts=False)
        if not goes_on:
            # what was loaded before the journal begins is not here
            forget(pipeline, source.name, pages.head.resources)
        return outcome


def _go_back(pipeline: Pipeline, source: DltSource, state: Mapping[str, Any]) -> bool:
    """Bring a pipeline to where it was before the load; tell whether the next load can go on.

    Raises:
        ReplayError: a part of it is in tables that are appended to, where it would be there twice;
            or the pipeline was never where the journal begins, so that rows would be missed.
    """
    for load_id in pipeline.list_normalized_load_packages():
        jobs = pipeline.get_load_package_info(load_id).jobs
        appends = any(
            each.write_disposition == "append" for each in source.selected_resources.values()
        )
        if appends and (jobs["completed_jobs"] or jobs["started_jobs"]):
            message = (
                f"{pipeline.pipeline_name}: a part of the load is in the tables, which are "
                "appended to: its rows would be there twice.\n"
                "  Load the rest of it (opsnest load), or replay into another dataset."
            )
            raise ReplayError(message)
    if pipeline.has_pending_data:
        pipeline.abort_packages()
    with pipeline.managed_state() as now:
        states: dict[str, Any] = now.setdefault("sources", {})
        here = states.get(source.name, {})
        if state and here and here != state:
            message = (
                f"{pipeline.pipeline_name} has gone on since the load of this journal, or was "
                "never there: rows would be missed.\n"
                "  Replay it with an empty DLT_DATA_DIR, into another dataset."
            )
            raise ReplayError(message)
        states[source.name] = dict(state)
    return not state or here == state
