"""The one place that knows which REST engine turns a configuration into dlt resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from opsnest.destinations import fitted
from restarrow.dlt import rest_api_resources

if TYPE_CHECKING:
    from dlt.extract import DltResource
    from dlt.sources.rest_api.typing import ClientConfig

__all__ = [
    "SinglePagePaginator",
    "given",
    "parent_of",
    "rest_resources",
]


def rest_resources(
    client: ClientConfig, resources: Iterable[dict[str, Any] | DltResource]
) -> list[DltResource]:
    """Return the dlt resources of a REST API configuration, parents that were given included."""
    configured = [each if not isinstance(each, dict) else _fitted(each) for each in resources]
    config: Any = {"client": client, "resources": configured}
    return rest_api_resources(config)


def _fitted(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource that refuses to be merged where that is not possible."""
    if resource.get("write_disposition") != "merge":
        return resource
    steps = [*resource.get("processing_steps", ()), {"map": fitted(resource["name"])}]
    return {**resource, "processing_steps": steps}


def given(name: str, ids: Sequence[str]) -> DltResource:
    """Return a parent that holds these ids, for single fetches; it is not loaded itself."""
    # one page: children take their parents page by page
    return dlt.resource([[{"id": each} for each in ids]], name=name, selected=False)


def parent_of(detail: str, listing: dict[str, Any]) -> dict[str, Any]:
    """Return a list, freshly configured, as the parent of a detail: it is not loaded itself.

    It has a name of its own, because dlt keeps the watermark of a list under its name. With that of
    the loaded list, loading details alone would make the list skip rows, and the other way round.
    """
    return {**listing, "name": f"{listing['name']}_for_{detail}", "selected": False}
