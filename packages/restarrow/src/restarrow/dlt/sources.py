"""dlt's REST API source with the engine behind it: the same configuration, the same tables.

dlt's own code reads the configuration, so every option means the same. What differs is behind it:
`client` reads the pages, and `bridge` hands their rows on as Arrow tables. Resources that are fed
by another one keep dlt's own path: they come in pages of a few rows, where tables gain nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.sources import rest_api as dlt_rest_api
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.rest_api.typing import RESTAPIConfig
from dlt.sources.rest_api.utils import check_connection

from restarrow.http.urls import is_absolute

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

__all__ = [
    "RESTAPIConfig",
    "accelerate",
    "check_connection",
    "rest_api",
    "rest_api_resources",
    "rest_api_source",
]

log = logging.getLogger("restarrow.dlt")
_lock = threading.RLock()


def rest_api_resources(
    config: RESTAPIConfig, *, allowed_origins: Iterable[str] = ()
) -> list[DltResource]:
    """Return the dlt resources of a REST API configuration, as dlt's function of this name.

    Args:
        config: the configuration.
        allowed_origins: other hosts, such as `https://eu.example.com`, that are the same API: links
            to them are followed, with the credentials. Without this, they are refused.

    Raises:
        ValueError: and other errors of dlt's, where the configuration makes no sense.
    """
    with _fast_clients(config, allowed_origins):
        resources = dlt_rest_api.rest_api_resources(config)
    _attach_all(config["resources"], resources)
    return resources


def rest_api_source(
    config: RESTAPIConfig, name: Any = None, *, allowed_origins: Iterable[str] = (), **options: Any
) -> DltSource:
    """Return a dlt source of a REST API configuration, as dlt's function of this name.

    Args:
        config: the configuration.
        name: the name of the source.
        allowed_origins: as for `rest_api_resources`.
        options: what dlt's function takes beside these.
    """
    with _fast_clients(config, allowed_origins):
        source = dlt_rest_api.rest_api_source(config, name, **options)
    _attach_all(config["resources"], source.resources.values())
    return source


@dlt.source(section="rest_api")  # as dlt names it after the module
def rest_api(
    client: Any = dlt.config.value,
    resources: Any = dlt.config.value,
    resource_defaults: Any = None,
) -> list[DltResource]:
    """Make a source of a REST API whose configuration may come from dlt's, as dlt's factory does.

    Args:
        client: how to ask the API.
        resources: what to load.
        resource_defaults: what holds for all resources.
    """
    config: Any = {
        "client": client,
        "resources": resources,
        "resource_defaults": resource_defaults,
    }
    return rest_api_resources(config)


def accelerate(resource: DltResource) -> DltResource:
    """Let the pages that any resource yields become Arrow tables on their way, and return it.

    The tables are those that dlt would make of the rows. What they cannot express takes dlt's own
    path, as `report` tells.

    Args:
        resource: a resource that yields lists of dicts.
    """
    _attach_all((), [resource])
    return resource


@cache
def engine() -> tuple[Any, Any] | None:
    """Return the modules that touch the inside of dlt; None if that is not as they know it."""
    try:
        from restarrow.dlt import bridge, client  # noqa: PLC0415 - it may not work

        missing = bridge.missing()
    except (ImportError, AttributeError, TypeError) as error:
        missing = [str(error)]
    else:
        if not missing:
            return bridge, client
    log.warning(
        "everything takes dlt's own path, as dlt %s is not what restarrow was made for: "
        "it lacks %s; install dlt 1.31, or a newer restarrow",
        dlt.__version__,
        ", ".join(missing),
    )
    return None


def _attach_all(configured: Iterable[Any], resources: Iterable[DltResource]) -> None:
    """Attach to what was made of the configuration, but not to resources that were put into it."""
    parts = engine()
    given = {each.name for each in configured if isinstance(each, dlt.sources.DltResource)}
    for resource in resources:
        if parts and resource.name not in given and not resource.is_transformer:
            parts[0].attach(resource)


def _origins(config: Any) -> Iterator[str]:
    """Return the origins of the whole URLs that a configuration has in the place of paths."""
    for each in config.get("resources") or ():
        path = _path(each)
        if is_absolute(path):
            scheme, _, rest = path.partition("://")
            host = rest.partition("/")[0]
            if host and "{" not in host:
                yield f"{scheme}://{host}"


def _path(resource: Any) -> str:
    path: Any = resource
    for key in ("endpoint", "path"):
        if isinstance(path, Mapping):
            path = cast("Mapping[str, Any]", path).get(key)
    return path if isinstance(path, str) else ""


@contextmanager
def _fast_clients(config: Any, allowed_origins: Iterable[str]) -> Generator[None]:
    """Let dlt make its resources with clients of ours, which share their connections."""
    parts = engine()
    module: Any = dlt_rest_api
    with _lock:
        module.RESTClient = (
            parts[1].sharing([*_origins(config), *allowed_origins]) if parts else RESTClient
        )
        try:
            yield
        finally:
            module.RESTClient = RESTClient
