"""Roost.ai: tests, test plans and the events that ran them, from https://app.roost.ai/api.

Facts are from RoostGPT's OpenAPI file (v1.1.15), its database schema, and recorded answers. The
lists cannot be filtered by the time of a change: they are read whole, and only rows that changed
since the last load are loaded. What belongs to a single event is fetched for those only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dlt
from requests import Response

from opsnest.answers import check_answer, checker, keep_json
from opsnest.http import ApiSession
from opsnest.json_values import is_list, is_object, look_up
from opsnest.rows import Cleaning, cleaner, from_text
from opsnest.sources.paging import OffsetByRows, Settled
from opsnest.sources.rest import SinglePagePaginator, given, parent_of, rest_resources
from opsnest.sources.watermark import changed_since, latest_wins

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["ROOST_API", "roost_source"]

#: The public service; others have the same paths.
ROOST_API = "https://app.roost.ai/api"
SOURCE = "roost_source"

#: Rows asked for at a time. The server's cap is not documented; a lower one is lived with.
_TAKE = 100

ADVICE: Mapping[int, str] = {
    401: f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml; "
    "Roost.ai's tokens expire: make a new one in the account's settings.",
    403: "The token may not read this: check the role of its user.",
}

#: Columns in which the API sends JSON inside a string.
_JSON_IN_TESTS = (
    "git_info",
    "ai_model_info",
    "integration_info",
    "additional_info",
    "ui_test_info",
    "trigger_events",
    "connector_ids",
    "labels",
)
_JSON_IN_EVENTS = (
    "git_info",
    "ai_model_info",
    "additional_info",
    "integration_info",
    "ui_test_info",
    "retrigger_data",
    "labels",
    "test_report",
    "test_endpoints",
    "test_result",
)
#: Where that JSON holds secrets. They are not loaded.
SECRETS = (
    "git_info.source.access_token",
    "git_info.target.access_token",
    "ai_model_info.access_token",
    "integration_info.jira_password",
    "integration_info.azure_token",
    "additional_info.slackConfig.slackToken",
    "additional_info.msTeamsConfig.ms_teams_access_token",
    "additional_info.log_stash_api_key",
    "additional_info.log_stash_token",
    "additional_info.cloudWatchConfig.cw_credentials.secret_access_key",
    "additional_info.cloudWatchConfig.cw_credentials.session_token",
    "additional_info.cloudWatchConfig.cw_credentials.access_key_id",
    "additional_info.env_config[secret].value",
)
_TEST_CLEANING = Cleaning(changed="updated_on", json_text=_JSON_IN_TESTS, secrets=SECRETS)
_EVENT_CLEANING = Cleaning(changed="modification_time", json_text=_JSON_IN_EVENTS, secrets=SECRETS)

#: These must be sent, although they narrow nothing down.
_EVERYTHING = {
    "get_for_all": "true",
    "getAll": "true",
    "searchTerm": "",
    "isCaseSensitive": "false",
    "isWholeWord": "false",
}


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def roost_source(
    token: str = dlt.secrets.value,
    base_url: str = ROOST_API,
    test_ids: Sequence[str] = (),
    trigger_ids: Sequence[str] = (),
    report_file_choice: str = "test",
) -> Iterator[DltResource]:
    """Load Roost.ai's tests, test plans and events.

    `tests`, `test_plans` and `events` are loaded by default, merged on `id`. `test`, `event_logs`,
    `execution_report` and `execution_status` cost a call for each test, event or file: choose them
    with `with_resources`, and they are fetched for what changed; or give ids.

    Args:
        token: a personal API token.
        base_url: where the API is.
        test_ids: fetch `test` for these only.
        trigger_ids: fetch what belongs to an event for these only.
        report_file_choice: the `file_choice` that `execution_report` asks for.
    """
    client: Any = {
        "base_url": base_url,
        "auth": {"type": "bearer", "token": token},
        "session": ApiSession(base_url, source=SOURCE),
    }
    plans = _list("test_plans", "test/getAllTestPlan", _EVERYTHING, _TEST_CLEANING)
    yield from rest_resources(client, (_tests(), plans, _events()))
    for name in _DETAILS:
        ids = test_ids if name == "test" else trigger_ids
        parent = _parent(client, name, ids)
        detail = _detail(name, parent.name, report_file_choice, selected=bool(ids))
        made = rest_resources(client, (parent, detail))
        yield next(each for each in made if each.name == name)


#: What costs a call for each test, event or file.
_DETAILS = ("test", "event_logs", "execution_report", "execution_status")


def _tests() -> dict[str, Any]:
    return _list("tests", "test", _EVERYTHING, _TEST_CLEANING)


def _events() -> dict[str, Any]:
    # in the order of creation, which no change of a row disturbs
    return _list("events", "test/event", {"order_by": "creation_time"}, _EVENT_CLEANING)


def _parent(client: Any, detail: str, ids: Sequence[str]) -> DltResource:
    """Return what a detail is fetched for: tests, events, or the files of events."""
    if detail == "test":
        return given("test_ids", ids) if ids else _hidden(client, detail, _tests())
    events = _given_events(client, detail, ids) if ids else _hidden(client, detail, _events())
    if detail == "event_logs":
        return events
    files = dlt.transformer(
        files_of_event, data_from=events, name=f"files_for_{detail}", selected=False
    )
    return files()


def _hidden(client: Any, detail: str, listing: dict[str, Any]) -> DltResource:
    return rest_resources(client, [parent_of(detail, listing)])[0]


def _detail(name: str, parent: str, file_choice: str, *, selected: bool) -> dict[str, Any]:
    match name:
        case "test":
            return _test(parent, selected=selected)
        case "event_logs":
            return _event_logs(parent, selected=selected)
        case "execution_report":
            return _execution(
                name, "report", parent, {"file_choice": file_choice}, selected=selected
            )
        case _:
            return _execution(name, "status", parent, {}, selected=selected)


def _list(name: str, path: str, params: Mapping[str, str], cleaning: Cleaning) -> dict[str, Any]:
    return {
        "name": name,
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": {**_columns(cleaning), **latest_wins(str(cleaning.changed))},
        "endpoint": {
            "path": path,
            "params": dict(params),
            "data_selector": "data",
            # whether `count` is that of the list or of the page is not documented
            "paginator": Settled(
                OffsetByRows(_TAKE, offset_at="skip", limit_at="take", source=SOURCE),
                total="count",
            ),
            "incremental": changed_since(str(cleaning.changed), server_filters=False),
            "response_actions": [checker(SOURCE, name, ADVICE, holds=["data"])],
        },
        "processing_steps": [{"map": cleaner(cleaning)}],
    }


def _columns(cleaning: Cleaning) -> dict[str, Any]:
    columns: dict[str, Any] = {column: {"data_type": "json"} for column in cleaning.json_text}
    if columns:
        columns["test_timeout"] = {"data_type": "double"}  # in hours, and some are whole numbers
    return columns


def _single(
    name: str,
    path: str,
    *,
    cleaning: Cleaning,
    selected: bool,
    params: Mapping[str, str] | None = None,
    include: Sequence[str] = (),
    key: str | list[str] = "id",
    actions: Sequence[Any] = (),
) -> dict[str, Any]:
    return {
        "name": name,
        "selected": selected,
        "primary_key": key,
        "write_disposition": "merge",
        "columns": _columns(cleaning),
        "include_from_parent": list(include),
        "endpoint": {
            "path": path,
            "params": dict(params or {}),
            "data_selector": "$",
            "paginator": SinglePagePaginator(),
            "response_actions": list(actions)
            or [checker(SOURCE, name, ADVICE, holds=["id"] if key == "id" else [])],
        },
        "processing_steps": [{"map": cleaner(cleaning)}],
    }


def _test(parent: str, *, selected: bool) -> dict[str, Any]:
    return _single(
        "test",
        f"test/{{resources.{parent}.id}}",
        params={"clone_test": "false"},
        cleaning=_TEST_CLEANING,
        selected=selected,
    )


def _event_logs(parent: str, *, selected: bool) -> dict[str, Any]:
    return _single(
        "event_logs",
        f"test/event/{{resources.{parent}.id}}/logs",
        include=["id"],
        key=["trigger_id", "line"],
        cleaning=Cleaning(renamed={f"_{parent}_id": "trigger_id"}),
        selected=selected,
        actions=[_logs_as_rows],
    )


def _execution(
    name: str, kind: str, files: str, params: Mapping[str, str], *, selected: bool
) -> dict[str, Any]:
    return _single(
        name,
        f"test/event/{{resources.{files}.trigger_id}}/execute/{kind}",
        params={"file_path": f"{{resources.{files}.file_path}}", **params},
        include=["trigger_id", "file_path"],
        key=["trigger_id", "file_path"],
        cleaning=Cleaning(
            renamed={
                f"_{files}_trigger_id": "trigger_id",
                f"_{files}_file_path": "file_path",
            }
        ),
        selected=selected,
        actions=[_status_as_row] if kind == "status" else (),
    )


def _given_events(client: Any, detail: str, ids: Sequence[str]) -> DltResource:
    """Return a resource with the events of these ids, which is not loaded itself."""
    name = f"event_for_{detail}"
    one_by_one = _single(
        name,
        "test/event/{resources.trigger_ids.id}",
        cleaning=_EVENT_CLEANING,
        selected=False,
    )
    made = rest_resources(client, (given("trigger_ids", ids), one_by_one))
    return next(each for each in made if each.name == name)


def files_of_event(events: list[dict[str, Any]]) -> Iterator[list[dict[str, str]]]:
    """Yield the event and path of each test file that the reports of a page of events name.

    They are in `advancedDetails`, an object of files of paths of methods.
    """
    for event in events:
        report: object = event.get("test_report")
        details = look_up(
            from_text(report) if isinstance(report, str) else report, "advancedDetails"
        )
        paths = sorted({path for path in _file_paths(details) if path})
        yield [{"trigger_id": event["id"], "file_path": path} for path in paths]


def _file_paths(details: object) -> Iterator[str]:
    if not is_object(details):
        return
    if isinstance(details.get("testFilePath"), str):
        yield details["testFilePath"]
        return
    for inner in details.values():
        yield from _file_paths(inner)


def _logs_as_rows(response: Response) -> None:
    """Turn the logs, whose shape is not documented, into rows of one line each."""
    if response.status_code >= 300 or "json" in response.headers.get("Content-Type", ""):
        check_answer(response, source=SOURCE, resource="event_logs", advice=ADVICE)
        logs: object = response.json()
        if is_object(logs):
            logs = logs.get("logs", logs.get("data", logs))
    else:
        logs = response.text
    if isinstance(logs, str):
        logs = logs.splitlines()
    entries = logs if is_list(logs) else [logs]
    keep_json(
        response,
        [
            {"line": line, **(entry if is_object(entry) else {"message": entry})}
            for line, entry in enumerate(entries, start=1)
        ],
    )


def _status_as_row(response: Response) -> None:
    """Turn the status, which is a bare string, into a row."""
    if response.status_code >= 300:
        check_answer(response, source=SOURCE, resource="execution_status", advice=ADVICE)
    # "text" where the server sends JSON, and text without quotes where it does not
    keep_json(response, {"status": from_text(response.text)})
