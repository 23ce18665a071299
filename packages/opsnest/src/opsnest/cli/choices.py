"""What commands are given by name: a platform, its resources, its pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def pipeline_of(name: str, destination: str, dataset: str) -> Pipeline:
    """Return the pipeline of this name.

    Raises:
        ConfigurationError: dlt has no such destination.
    """
    import dlt  # noqa: PLC0415
    from dlt.common.destination.exceptions import UnknownDestinationModule  # noqa: PLC0415

    try:
        return dlt.pipeline(pipeline_name=name, destination=destination, dataset_name=dataset)
    except UnknownDestinationModule:
        known = sorted(set(dlt.destinations.__all__) - {"destination"})
        message = f"dlt has no destination {destination!r}.\n  Known: {', '.join(known)}."
        raise ConfigurationError(message) from None


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
