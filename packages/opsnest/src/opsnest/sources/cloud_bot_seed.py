"""The lists that dltHub's page for Cloud bot names, for servers that have them.

No published Control Room API has `GET v3/automations`, `v1/robots` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opsnest.answers import checker
from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.rows import Cleaning, cleaner
from opsnest.secret_scan import Choice, SecretScan
from opsnest.sources.cloud_bot_rows import NOT_YET
from opsnest.sources.rest import SinglePagePaginator, given, parent_of, rest_resources
from opsnest.sources.watermark import changed_since, latest_wins

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["seed_resources"]

_PATHS: Final = {
    "automations": "v3/automations",
    "executions": "v3/automations/executions",
    "users": "v1/users",
    "robots": "v1/robots",
}


def seed_resources(
    client: Any, advice: Mapping[int, str], ids: Mapping[str, Sequence[str]], choice: Choice
) -> Iterator[DltResource]:
    """Yield the lists, and what fetches single bots and runs.

    Args:
        client: the client of the REST configuration.
        advice: what to do next, by status, for messages.
        ids: for `automation` and `execution`, the ids to fetch, if not those of the lists.
        choice: what to do with secrets that people pasted into texts.
    """

    def lists() -> dict[str, dict[str, Any]]:
        return {name: _list(name, advice, choice) for name in _PATHS}

    yield from rest_resources(client, lists().values())
    for name in ("automation", "execution"):
        chosen = ids.get(name, ())
        parent = (
            given(f"{name}_ids", chosen)
            if chosen
            else rest_resources(client, [parent_of(name, lists()[f"{name}s"])])[0]
        )
        child = {**_detail(name, parent.name, advice, choice), "selected": bool(chosen)}
        made = rest_resources(client, (parent, child))
        yield next(each for each in made if each.name == name)


def _list(name: str, advice: Mapping[int, str], choice: Choice) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "path": _PATHS[name],
        "data_selector": name,
        "paginator": SinglePagePaginator(),
    }
    if name == "robots":
        snapshot = _resource(name, endpoint, advice, choice, holds=name)
        return {**snapshot, "write_disposition": "replace", "columns": {}}
    endpoint["incremental"] = changed_since(_changed(name), server_filters=False)
    return _resource(name, endpoint, advice, choice, holds=name)


def _detail(name: str, parent: str, advice: Mapping[int, str], choice: Choice) -> dict[str, Any]:
    endpoint = {
        "path": f"{_PATHS[f'{name}s']}/{{resources.{parent}.id}}",
        "data_selector": "$",
        "paginator": SinglePagePaginator(),
    }
    resource = _resource(name, endpoint, advice, choice, holds="id")
    if name == "execution":
        # a bot names its variables as it likes: as columns they would be without number
        resource["columns"]["bot_out_variables"] = {"data_type": "json"}
    return resource


def _resource(
    name: str, endpoint: dict[str, Any], advice: Mapping[int, str], choice: Choice, *, holds: str
) -> dict[str, Any]:
    entry = CLOUD_BOT.by_name[name]
    cleaning = Cleaning(
        changed=_changed(name),
        nulls=dict.fromkeys(entry.times, NOT_YET),
        secrets=entry.secrets,
        json=entry.json,
    )
    return {
        "name": name,
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": latest_wins(_changed(name)),
        "endpoint": {
            **endpoint,
            "response_actions": [checker(CLOUD_BOT.source, name, advice, holds=[holds])],
        },
        "processing_steps": [
            {"map": cleaner(cleaning)},
            {"map": SecretScan(CLOUD_BOT.source, name, choice, entry.key).one},
        ],
    }


def _changed(name: str) -> str:
    return str(CLOUD_BOT.by_name[name].cursor)
