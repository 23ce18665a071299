"""dlt's REST API source with Arrow tables behind it: the same configuration, the same tables.

dlt's own code reads the configuration, so every option means the same. What differs is behind it:
pages are handed on in batches, and rows become Arrow tables in `bridge`. Resources that are fed by
another one keep dlt's own path: they come in pages of a few rows, where tables gain nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dlt
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items_transform import LimitItem
from dlt.sources import rest_api as dlt_rest_api
from dlt.sources.helpers.rest_client.client import PageData, RESTClient
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import Response

from restarrow.dlt.answers import decode_once
from restarrow.dlt.bridge import attach

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

__all__ = ["RESTAPIConfig", "rest_api_resources", "rest_api_source"]

#: Rows in a batch: below some thousands, what each table costs dlt outweighs what it saves.
_BATCH_ROWS = 5000

_lock = threading.Lock()


def rest_api_resources(config: RESTAPIConfig) -> list[DltResource]:
    """Return the dlt resources of a REST API configuration, as dlt's function of this name.

    Raises:
        ValueError: and other errors of dlt's, where the configuration makes no sense.
    """
    with _batching_clients():
        resources = dlt_rest_api.rest_api_resources(config)
    _attach_all(config, resources)
    return resources


def rest_api_source(config: RESTAPIConfig, name: Any = None, **options: Any) -> DltSource:
    """Return a dlt source of a REST API configuration, as dlt's function of this name.

    Args:
        config: the configuration.
        name: the name of the source.
        options: what dlt's function takes beside these.
    """
    with _batching_clients():
        source = dlt_rest_api.rest_api_source(config, name, **options)
    _attach_all(config, source.resources.values())
    return source


def _attach_all(config: RESTAPIConfig, resources: Iterable[DltResource]) -> None:
    """Attach to what was made of the configuration, but not to resources that were put into it."""
    given = {each.name for each in config["resources"] if isinstance(each, dlt.sources.DltResource)}
    for resource in resources:
        if resource.name not in given and not resource.is_transformer:
            attach(resource)


@contextmanager
def _batching_clients() -> Generator[None]:
    """Let dlt make its resources with the client of this module."""
    module: Any = dlt_rest_api
    with _lock:
        module.RESTClient = BatchingClient
        try:
            yield
        finally:
            module.RESTClient = RESTClient


class BatchingClient(RESTClient):
    """dlt's client, which hands its pages on in batches where nobody counts pages."""

    def _send_request(self, *args: Any, **kwargs: Any) -> Response:
        response = super()._send_request(*args, **kwargs)
        decode_once(response)
        return response

    def paginate(self, *args: Any, **kwargs: Any) -> Iterator[PageData[Any]]:
        """Yield the pages of a list as dlt's client does, several in one where that is the same."""
        pages = super().paginate(*args, **kwargs)
        if not _may_batch():
            yield from pages
            return
        batch: PageData[Any] | None = None
        for page in pages:
            if batch is None:
                batch = page
            else:
                batch.extend(page)
            if len(batch) >= _BATCH_ROWS:
                yield batch
                batch = None
        if batch is not None:
            yield batch


def _may_batch() -> bool:
    """Tell whether it is all the same to the pipe how many pages come at once."""
    try:
        pipe: Any = dlt.current.pipe()
    except Exception:  # noqa: BLE001 - dlt has no way to ask: the client is used on its own
        return False
    for step in pipe._steps:
        if isinstance(step, LimitItem):
            return False
        if isinstance(step, IncrementalResourceWrapper) and _stops_early(step):
            return False
    return True


def _stops_early(step: IncrementalResourceWrapper) -> bool:
    """Tell whether an incremental ends the pages at the first row out of its range."""
    incremental: Any = step.incremental
    return bool(incremental and incremental.row_order)
