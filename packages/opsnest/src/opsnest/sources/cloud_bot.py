"""Cloud bot: bots and their runs, from an Automation Anywhere Automation 360 Control Room.

The lists are the published ones: a POST with filter, sort and page, an answer with `list` and
`page`. dltHub's page names others (`GET v3/automations`, `v1/robots`) that no published Control
Room API has; `api="seed"` asks those instead, for servers that have them.

Facts are from a Control Room's own OpenAPI files and from public clients: servers cap pages below
what was asked (400 audit rows, 10,000 runs), `totalFilter` can be 0 beside rows, a run that has not
ended "ends" in 1970 or in an empty string, and times have nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import dlt
from dlt.common.typing import TSecretStrValue

from opsnest.answers import checker
from opsnest.control_room import ControlRoomLogin
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.rows import Cleaning, cleaner
from opsnest.sources.paging import KeysetByFilter, OffsetByRows, Settled
from opsnest.sources.rest import (
    BasePaginator,
    SinglePagePaginator,
    given,
    parent_of,
    rest_resources,
)
from opsnest.sources.watermark import changed_since, latest_wins

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["cloud_bot_source"]

SOURCE = "cloud_bot_source"

#: Rows asked for at a time; below every cap that is known, bar that of the audit log.
_LENGTH = 1000

ADVICE: dict[int, str] = {
    400: "The Control Room does not know this request: its release may be older or newer than the "
    "ones this was made for. Please report it with this message.",
    401: f"Check `username` and `api_key` (or `password`) under [sources.{SOURCE}] in "
    ".dlt/secrets.toml; API keys can expire.",
    403: "The user's role lacks the permission to view this: give it, or leave the resource out.",
}

#: How a run that has not ended says so.
_NOT_YET = frozenset({"", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"})

_EXECUTION_CLEANING = Cleaning(
    changed="modifiedOn",
    nulls={"endDateTime": _NOT_YET, "startDateTime": _NOT_YET},
    secrets=("callbackInfo",),  # holds the headers of the call, in the answer for a single run
    json=("botOutVariables",),
)
_CLEANING = {
    "automations": Cleaning(changed="lastModified"),
    "executions": _EXECUTION_CLEANING,
    "users": Cleaning(changed="updatedOn"),
    "robots": Cleaning(changed="updatedOn"),
    "audit_messages": Cleaning(changed="createdOn"),
}


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def cloud_bot_source(
    control_room_url: str = dlt.config.value,
    username: str = dlt.secrets.value,
    api_key: TSecretStrValue | None = None,
    password: TSecretStrValue | None = None,
    api: Literal["published", "seed"] = "published",
    workspace: Literal["public", "private"] = "public",
    automation_ids: Sequence[str] = (),
    execution_ids: Sequence[str] = (),
) -> Iterator[DltResource]:
    """Load a Control Room's bots (`automations`), runs (`executions`), `users` and `robots`.

    Runs are asked for by the time of their last change, so that one which was running is loaded
    again when it has ended. `automations` are the files of the public workspace, folders included
    (`folder` tells). `robots` is a snapshot of the devices and is replaced. `automation` and
    `execution` cost a call for each bot or run, and `audit_messages` is long: choose them with
    `with_resources`, or give ids.

    Args:
        control_room_url: the address of the Control Room.
        username: the user to log in as.
        api_key: its API key, or
        password: its password.
        api: `published` for the Control Room's published lists, `seed` for those that dltHub's page
            for Cloud bot names.
        workspace: whose files are the `automations`.
        automation_ids: fetch `automation` for these only.
        execution_ids: fetch `execution` for these only.

    Raises:
        ConfigurationError: an argument is missing or makes no sense.
    """
    if api not in {"published", "seed"}:
        message = f"{SOURCE}: api={api!r} is not known.\n  Use 'published' or 'seed'."
        raise ConfigurationError(message)
    session = ApiSession(control_room_url, source=SOURCE)
    session.auth = ControlRoomLogin(
        session,
        control_room_url,
        username,
        api_key=api_key,
        password=password,
        source=SOURCE,
        advice=ADVICE,
    )
    client: Any = {"base_url": control_room_url, "session": session}

    def lists() -> dict[str, dict[str, Any]]:
        made = _seed_lists() if api == "seed" else _published_lists(workspace)
        return {each["name"]: each for each in made}

    yield from rest_resources(client, lists().values())
    for name, ids in (("automation", automation_ids), ("execution", execution_ids)):
        parent = (
            given(f"{name}_ids", ids)
            if ids
            else rest_resources(client, [parent_of(name, lists()[f"{name}s"])])[0]
        )
        detail = _seed_detail if api == "seed" else _published_detail
        child = {**detail(name, parent.name, workspace), "selected": bool(ids)}
        made = rest_resources(client, (parent, child))
        yield next(each for each in made if each.name == name)


def _published_lists(workspace: str) -> list[dict[str, Any]]:
    return [
        _posted("automations", _files(workspace), _whole_list()),
        _posted("executions", "v3/activity/list", KeysetByFilter("modifiedOn", length=_LENGTH)),
        _posted("users", "v2/usermanagement/users/list", _whole_list()),
        # read once: what replaces a table is not merged, and a second reading would double it
        _snapshot(_posted("robots", "v2/devices/list", _by_offset(), incremental=False)),
        {
            **_posted(
                "audit_messages",
                "v1/audit/messages/list",
                KeysetByFilter("createdOn", length=_LENGTH),
            ),
            "selected": False,
        },
    ]


def _files(workspace: str) -> str:
    return f"v2/repository/workspaces/{workspace}/files/list"


def _whole_list() -> BasePaginator:
    return Settled(_by_offset(), total="page.total")


def _by_offset() -> BasePaginator:
    return OffsetByRows(
        _LENGTH,
        offset_at="page.offset",
        limit_at="page.length",
        total="page.totalFilter",
        in_body=True,
        source=SOURCE,
    )


def _posted(
    name: str, path: str, paginator: BasePaginator, *, incremental: bool = True
) -> dict[str, Any]:
    """Return a list of the published protocol, sorted so that its pages can be told apart."""
    changed = str(_CLEANING[name].changed)
    by_keyset = isinstance(paginator, KeysetByFilter)
    body: dict[str, Any] = {"sort": [{"field": "id", "direction": "asc"}]}
    if by_keyset:
        body = {
            "sort": [{"field": changed, "direction": "asc"}, {"field": "id", "direction": "asc"}],
            "filter": {"operator": "ge", "field": changed, "value": "{incremental.start_value}"},
        }
    endpoint: dict[str, Any] = {
        "path": path,
        "method": "POST",
        "json": body,
        "data_selector": "list",
        "paginator": paginator,
    }
    if incremental:
        endpoint["incremental"] = changed_since(changed, server_filters=by_keyset)
    return _resource(name, endpoint, _CLEANING[name])


def _published_detail(name: str, parent: str, workspace: str) -> dict[str, Any]:
    if name == "execution":
        return _execution(f"v3/activity/execution/{{resources.{parent}.id}}")
    by_id = {"operator": "eq", "field": "id", "value": f"{{resources.{parent}.id}}"}
    endpoint = {
        "path": _files(workspace),
        "method": "POST",
        "json": {"filter": by_id},
        "data_selector": "list",
        "paginator": SinglePagePaginator(),
    }
    return _resource(name, endpoint, _CLEANING["automations"])


def _seed_lists() -> list[dict[str, Any]]:
    paths = {
        "automations": "v3/automations",
        "executions": "v3/automations/executions",
        "users": "v1/users",
        "robots": "v1/robots",
    }
    lists: list[dict[str, Any]] = []
    for name, path in paths.items():
        endpoint: dict[str, Any] = {
            "path": path,
            "data_selector": name,
            "paginator": SinglePagePaginator(),
        }
        if name != "robots":
            changed = str(_CLEANING[name].changed)
            endpoint["incremental"] = changed_since(changed, server_filters=False)
        lists.append(_resource(name, endpoint, _CLEANING[name]))
    lists[-1] = _snapshot(lists[-1])
    return lists


def _seed_detail(name: str, parent: str, _workspace: str) -> dict[str, Any]:
    if name == "execution":
        return _execution(f"v3/automations/executions/{{resources.{parent}.id}}")
    endpoint = {
        "path": f"v3/automations/{{resources.{parent}.id}}",
        "data_selector": "$",
        "paginator": SinglePagePaginator(),
    }
    return _resource(name, endpoint, _CLEANING["automations"])


def _execution(path: str) -> dict[str, Any]:
    resource = _resource(
        "execution",
        {"path": path, "data_selector": "$", "paginator": SinglePagePaginator()},
        _EXECUTION_CLEANING,
    )
    # a bot names its variables as it likes: as columns they would be without number
    resource["columns"]["bot_out_variables"] = {"data_type": "json"}
    return resource


def _snapshot(resource: dict[str, Any]) -> dict[str, Any]:
    """Return the resource as one whose rows replace those of the load before."""
    return {**resource, "write_disposition": "replace", "columns": {}}


def _resource(name: str, endpoint: dict[str, Any], cleaning: Cleaning) -> dict[str, Any]:
    selector: str = endpoint["data_selector"]
    # a list without rows may be left out, as protocol buffers do it
    holds = {"list": ["list", "page"], "$": ["id"]}.get(selector, [selector])
    return {
        "name": name,
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": latest_wins(str(cleaning.changed)),
        "endpoint": {
            **endpoint,
            "response_actions": [checker(SOURCE, name, ADVICE, holds=holds)],
        },
        "processing_steps": [{"map": cleaner(cleaning)}],
    }
