"""Run a pipeline as an operator would: first what an interrupted run left, then the new data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.common.pipeline import LoadInfo
    from dlt.extract import DltSource

__all__ = ["PLATFORMS", "load"]

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


def load(pipeline: Pipeline, source: DltSource) -> LoadInfo | None:
    """Load a source, after whatever an earlier run has extracted and not loaded.

    `pipeline.run` alone would finish the earlier package and leave the new data for another run.

    Returns:
        What was loaded last, or None if there was nothing to load.

    Raises:
        PipelineStepFailed: a step failed; `opsnest.explain.explain` says why.
        KeyboardInterrupt: it was interrupted; what has been extracted is loaded by the next run.
    """
    left = _load_extracted(pipeline)
    pipeline.extract(source)
    return _load_extracted(pipeline) or left


def _load_extracted(pipeline: Pipeline) -> LoadInfo | None:
    """Normalise and load what has been extracted, if anything."""
    from dlt.common.runtime import signals  # noqa: PLC0415 - slow to import

    # dlt lets running jobs end before it heeds an interrupt, and forgets one that comes during the
    # last of them: it would go on with the next step
    with signals.intercepted_signals():
        info: LoadInfo | None = pipeline.run()
        signals.raise_if_signalled()
    return info
