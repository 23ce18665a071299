"""The one place that knows which REST engine turns a configuration into dlt resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    JSONResponseCursorPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)
from dlt.sources.rest_api import rest_api_resources

if TYPE_CHECKING:
    from dlt.extract import DltResource
    from dlt.sources.rest_api.typing import ClientConfig

__all__ = [
    "BasePaginator",
    "JSONResponseCursorPaginator",
    "PageNumberPaginator",
    "SinglePagePaginator",
    "given",
    "rest_resources",
]


def rest_resources(
    client: ClientConfig, resources: Iterable[dict[str, Any] | DltResource]
) -> list[DltResource]:
    """Return the dlt resources of a REST API configuration, parents that were given included."""
    config: Any = {"client": client, "resources": list(resources)}
    return rest_api_resources(config)


def given(name: str, ids: Sequence[str]) -> DltResource:
    """Return a parent that holds these ids, for single fetches; it is not loaded itself."""
    # one page: children take their parents page by page
    return dlt.resource([[{"id": each} for each in ids]], name=name, selected=False)
