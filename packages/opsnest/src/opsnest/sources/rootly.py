"""Rootly: incidents, alerts and on-call, from its JSON:API at https://api.rootly.com/v1.

Facts are from Rootly's OpenAPI file of 2026-07 and from what its public clients handle: cursors
exist on incidents and alerts only, deep offsets on incidents are refused, only these two lists can
be filtered by the time of the last change, and parameters that a list does not know are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dlt
from requests import Response

from opsnest.answers import checker
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.json_values import look_up
from opsnest.sources.paging import CaughtUp, Settled
from opsnest.sources.rest import (
    BasePaginator,
    JSONResponseCursorPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
    rest_resources,
)
from opsnest.sources.rows import DEEP, Cleaning, cleaner
from opsnest.sources.watermark import changed_since, latest_wins

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["ROOTLY_API", "rootly_incident_management_source"]

#: The public service.
ROOTLY_API = "https://api.rootly.com/v1"
SOURCE = "rootly_incident_management_source"

_MEDIA_TYPE = "application/vnd.api+json"
_CHANGED = "attributes.updated_at"
#: The most that Rootly gives at once.
_PAGE_SIZE = 100

ADVICE: Mapping[int, str] = {
    401: f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml; API keys can expire.",
    403: "The key may not read this, or the address asks for a browser. Use a Global API key.",
    404: "Rootly answers 404 for lists that a key may not read: a Team key cannot read incidents. "
    "Use a Global API key, or leave the resource out with `with_resources`.",
    415: f"Rootly wants Content-Type {_MEDIA_TYPE}; a proxy may have removed it.",
}

#: Fields that hold secrets, on whichever resource they are. They are not loaded.
_SECRETS = tuple(
    f"attributes.{field}"
    for field in (
        "secret",
        "ping_url",
        "zoom_meeting_password",
        "zoom_meeting_pstn_password",
        "zoom_meeting_h323_password",
        "authentication_password",
    )
)


@dataclass(frozen=True, slots=True)
class _List:
    """One list: its name (which is also its path) and how it is read.

    Attributes:
        cursor: whether it pages by cursor and filters by the time of the last change.
        sort: what to sort by, where the list can.
        json: fields of any shape, kept as JSON.
    """

    name: str
    cursor: bool = False
    sort: str | None = None
    json: tuple[str, ...] = ()


_LISTS = (
    _List("incidents", cursor=True, sort="updated_at", json=("attributes.labels",)),
    _List("alerts", cursor=True, json=("attributes.data",)),
    _List("users"),
    _List("services"),
    _List("schedules"),
    _List("teams"),
    _List("heartbeats"),
    _List("dashboards"),
    _List("authorizations"),
)


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def rootly_incident_management_source(
    token: str = dlt.secrets.value,
    base_url: str = ROOTLY_API,
    any_single_resource: Sequence[str] = (),
) -> Iterator[DltResource]:
    """Load Rootly's incidents, alerts, users, services, schedules, teams and more.

    Each list is a resource and a table of its name, merged on `id`. Incidents and alerts ask Rootly
    for what changed since the last load; the other lists cannot be asked that, so they are read
    whole and only changed rows are loaded.

    Args:
        token: an API key, best a Global one: Team keys cannot read incidents.
        base_url: where the API is.
        any_single_resource: paths of single resources to fetch into the table
            `any_single_resource`, such as `incidents/142` or `services/checkout-api`.

    Raises:
        ConfigurationError: an argument makes no sense.
    """
    session = ApiSession(base_url, source=SOURCE)
    client: Any = {
        "base_url": base_url,
        "auth": {"type": "bearer", "token": token},
        "headers": {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE},
        "session": session,
    }
    yield from rest_resources(client, map(_resource, _LISTS))
    yield from _singles(client, any_single_resource)


def _resource(listing: _List) -> dict[str, Any]:
    params: dict[str, Any] = {"page[size]": _PAGE_SIZE}
    if listing.cursor:
        params["filter[updated_at][gte]"] = "{incremental.start_value}"
    if listing.sort:
        params["sort"] = listing.sort
    return {
        "name": listing.name,
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": {**_json_columns(listing.json), **latest_wins(_CHANGED)},
        "endpoint": {
            "path": listing.name,
            "params": params,
            "data_selector": "data",
            "paginator": _paginator(listing),
            # sorted by it, or caught up with: either way the newest time seen is a safe watermark
            "incremental": changed_since(_CHANGED, server_filters=listing.cursor),
            "response_actions": [checker(SOURCE, listing.name, ADVICE, holds=["data"])],
        },
        "processing_steps": [
            {"map": cleaner(Cleaning(changed=_CHANGED, secrets=_SECRETS, json=listing.json))}
        ],
    }


def _json_columns(paths: Sequence[str]) -> dict[str, Any]:
    return {path.replace(".", "__"): {"data_type": "json"} for path in paths}


def _paginator(listing: _List) -> BasePaginator:
    if not listing.cursor:
        return Settled(_NumberedPages(), total="meta.total_count")
    by_cursor = JSONResponseCursorPaginator(
        cursor_path="meta.next_cursor", cursor_param="page[after]"
    )
    if listing.sort:
        return by_cursor  # a row that changes moves ahead of the reader, never behind
    return CaughtUp(by_cursor, changed=_CHANGED, since="filter[updated_at][gte]")


class _NumberedPages(PageNumberPaginator):
    """Page by number until Rootly names no next page, or sends an empty one.

    Counts cannot be trusted here: `total_count` may be that of the unfiltered list.
    """

    def __init__(self) -> None:
        super().__init__(base_page=1, page_param="page[number]", total_path=None)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Go to the next page, if there is one."""
        super().update_state(response, data)
        body = response.json()
        if look_up(body, "meta") is not None and look_up(body, "meta.next_page") is None:
            self._has_next_page = False


def _singles(client: Any, paths: Sequence[str]) -> list[DltResource]:
    """Return the resource that fetches single resources by their paths."""
    name = "any-single-resource"
    any_shape = ("attributes.labels", "attributes.data")
    cleaning = Cleaning(secrets=_SECRETS, json=any_shape, nulls_within=DEEP)

    @dlt.resource(name="single_paths", selected=False)
    def single_paths() -> Iterator[list[dict[str, str]]]:
        yield [{"path": _single_path(path)} for path in paths]

    resource = {
        "name": name,
        "selected": bool(paths),
        "primary_key": ["type", "id"],
        "write_disposition": "merge",
        "columns": _json_columns(any_shape),
        "endpoint": {
            "path": "{resources.single_paths.path}",
            "data_selector": "data",
            "paginator": SinglePagePaginator(),
            "response_actions": [
                checker(SOURCE, name, {**ADVICE, 404: _NO_SUCH}, holds=["data"]),
            ],
        },
        "processing_steps": [{"map": cleaner(cleaning)}],
    }
    return [each for each in rest_resources(client, [single_paths, resource]) if each.name == name]


_NO_SUCH = "There is no such resource, or the key may not read it: check the path and the id."


def _single_path(path: str) -> str:
    kind, _, key = path.strip("/").removeprefix("v1/").partition("/")
    if not kind or not key or "?" in path or "//" in path or ".." in path:
        message = (
            f"{SOURCE}: {path!r} is not the path of a single resource.\n"
            "  Name the list and the id, like 'incidents/142'."
        )
        raise ConfigurationError(message)
    return f"{kind}/{key}"
