"""What commands are given by name: a platform, its resources, its pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opsnest.destinations import TableFormat, destination_of
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

__all__ = ["chosen", "known", "pipeline_of"]


def known(platform: str) -> str:
    """Return the name of a platform, if it is one.

    Raises:
        ConfigurationError: it is none.
    """
    if platform not in PLATFORMS:
        message = f"there is no platform {platform!r}.\n  Known: {', '.join(PLATFORMS)}."
        raise ConfigurationError(message)
    return platform


def pipeline_of(
    name: str, destination: str, dataset: str, table_format: TableFormat | None = None
) -> Pipeline:
    """Return the pipeline of this name.

    Raises:
        ConfigurationError: dlt has no such destination, or a package for it is missing.
    """
    import dlt  # noqa: PLC0415 - slow to import

    place = destination_of(destination, table_format=table_format)
    if "runtime.log_level" not in dlt.config:
        # what goes wrong is told in one message; dlt would tell it as well, with tracebacks
        logging.getLogger("dlt").setLevel(logging.CRITICAL)
    return dlt.pipeline(pipeline_name=name, destination=place, dataset_name=dataset)


def chosen(source: DltSource, names: list[str] | None) -> Any:
    """Return the source with these resources selected, or as it comes."""
    unknown = [name for name in names or () if name not in source.resources]
    if unknown:
        message = (
            f"{source.name} has no resource {unknown[0]!r}.\n"
            f"  Known: {', '.join(source.resources)}."
        )
        raise ConfigurationError(message)
    return source.with_resources(*names) if names else source
