"""What a load would cost, with the credentials that dlt finds, whose values stay here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from opsnest.errors import ConfigurationError
from opsnest.mcp.pipelines import Pipelines

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["plan_of"]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What a plan asks of a pipeline: its state alone."""

    state: Mapping[str, Any]


def plan_of(platform: str, resources: Sequence[str], pipelines: Pipelines) -> dict[str, Any]:
    """Return the calls and rows that a load of a platform would take, list by list.

    Raises:
        ConfigurationError: a setting is missing, the platform or a resource is not known, the
            pipeline may not be seen, or the platform has no plan.
        SourceError: the API could not be asked.
    """
    from opsnest import sources  # noqa: PLC0415 - slow to import
    from opsnest.cli.choices import chosen, known  # noqa: PLC0415
    from opsnest.loading import PLATFORMS  # noqa: PLC0415
    from opsnest.planning import plan, total_calls  # noqa: PLC0415
    from opsnest.reading import watching_lists  # noqa: PLC0415

    source_name, pipeline_name, _ = PLATFORMS[known(platform)]
    if not pipelines.may_see(pipeline_name):
        message = (
            f"the pipeline {pipeline_name} may not be seen here.\n"
            "  `opsnest mcp --allow` says which may."
        )
        raise ConfigurationError(message)
    with watching_lists() as made:
        source = chosen(getattr(sources, source_name)(), list(resources))
    if not made:
        message = (
            f"{platform} has no plan: its calls depend on what the SDK finds.\n"
            "  A load of it tells before it begins."
        )
        raise ConfigurationError(message)
    record = pipelines.find(pipeline_name)
    remembered = cast("Pipeline", _Remembered(record.state)) if record else None
    lines = plan(made[-1], list(source.selected_resources), remembered)
    return {
        "calls": total_calls(lines),
        "at_least": any(line.at_least for line in lines),
        "lists": [
            {
                "list": line.resource,
                "how": line.strategy,
                "first_time": line.first,
                "rows": line.rows,
                "calls": line.calls,
                "at_least": line.at_least,
            }
            for line in lines
        ],
    }
