"""Roost.ai: tests, test plans and the events that ran them, from https://app.roost.ai/api.

Facts are from RoostGPT's OpenAPI file (v1.1.15), its database schema, and recorded answers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from opsnest.catalogue.entry import SECRETS_IN_ROWS, Catalogue, Entry

__all__ = ["ROOST_AI", "SECRETS", "SOURCE"]

SOURCE: Final = "roost_source"

#: Columns in which the API sends JSON inside a string.
_JSON_IN_TESTS: Final = (
    "git_info",
    "ai_model_info",
    "integration_info",
    "additional_info",
    "ui_test_info",
    "trigger_events",
    "connector_ids",
    "labels",
)
_JSON_IN_EVENTS: Final = (
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
SECRETS: Final = (
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
_MARKED: Final = "Roost.ai keeps most rows that are deleted, with 1 in `deleted`."


def _list(name: str, path: str, **facts: Any) -> Entry:
    # whether `count` is that of the list or of the page is not documented: it is no total
    return Entry(
        name=name,
        path=path,
        total=None,
        paging="offset",
        overlaps=True,
        secrets=SECRETS,
        selected=True,
        **facts,
    )


def _detail(name: str, path: str, parent: str, parent_key: str, **facts: Any) -> Entry:
    return Entry(
        name=name,
        path=path,
        total=None,
        paging="none",
        parent=parent,
        parent_key=parent_key,
        of_changed=True,
        **facts,
    )


_LISTS: Final = (
    _list(
        "tests",
        "test",
        cursor="updated_on",
        json_text=_JSON_IN_TESTS,
        note=_MARKED,
    ),
    _list(
        "test_plans",
        "test/getAllTestPlan",
        cursor="updated_on",
        json_text=_JSON_IN_TESTS,
        note=_MARKED,
    ),
    # `time_filter` would narrow it down, but goes by the time of creation (`time`): an older event
    # that changes, as each does when it ends or is retriggered, would be lost
    _list(
        "events",
        "test/event",
        strategy="newest_first",
        cursor="modification_time",
        sort="modification_time",
        whole_after=timedelta(days=1),
        single="test/event/{id}",
        json_text=_JSON_IN_EVENTS,
        note=f"{_MARKED} Others that are gone are found when the list is read whole: at the first "
        "change of an event that is a day (`whole_events_after`) younger than the newest one was "
        "when it last was; at each load if the API does not sort the newest first.",
    ),
)

#: What costs a call for each test, event or file, and what is asked of them.
_DETAILS: Final = (
    _detail(
        "test",
        "test/{id}",
        "tests",
        "id",
        holds=("id",),
        cursor="updated_on",
        secrets=SECRETS,
        json_text=_JSON_IN_TESTS,
        note="A call for each test that changed, or for those in `test_ids`.",
    ),
    _detail(
        "event_logs",
        "test/event/{trigger_id}/logs",
        "events",
        "trigger_id",
        holds=(),
        key=("trigger_id", "line"),
        plain=True,
        note="A call for each event that changed, or for those in `trigger_ids`.",
    ),
    _detail(
        "execution_report",
        "test/event/{trigger_id}/execute/report",
        "events",
        "trigger_id",
        holds=(),
        key=("trigger_id", "file_path"),
        note="A call for each test file of each event that changed, or of those in `trigger_ids`.",
    ),
    _detail(
        "execution_status",
        "test/event/{trigger_id}/execute/status",
        "events",
        "trigger_id",
        holds=(),
        key=("trigger_id", "file_path"),
        plain=True,
        note="A call for each test file of each event that changed, or of those in `trigger_ids`.",
    ),
)

_METHODS: Final = _detail(
    "event_methods",
    "test/event",
    "events",
    "event_id",
    key=("event_id", "file", "path", "method_key"),
    within="test_report",
    json=("existingTestCase", "feedback", "other"),
    note="A row for each method in the `test_report` of each event that changed, without calls "
    "of its own. Members that Roost.ai's reports are not known to have are in `other`.",
)

ROOST_AI: Final = Catalogue(
    platform="roost",
    title="Roost.ai",
    source=SOURCE,
    about="Tests, test plans and the events that ran them, from `https://app.roost.ai/api`.",
    entries=(*_LISTS, *_DETAILS, _METHODS),
    settings=(
        ("token", "secrets", "a personal API token; they expire"),
        ("base_url", "config", "default `https://app.roost.ai/api`"),
        ("test_ids", "argument", "fetch `test` for these only"),
        ("trigger_ids", "argument", "fetch what belongs to an event for these only"),
        (
            "report_file_choice",
            "argument",
            "the `file_choice` that `execution_report` asks for, default `test`",
        ),
        (
            "whole_events_after",
            "argument",
            "days of changes after which `events` are read whole again, default 1; 0 for always",
        ),
        SECRETS_IN_ROWS,
    ),
    troubles=(
        (
            "401, the credentials were not accepted",
            (
                "Roost.ai's tokens expire: make a new one in the account's settings, and put it "
                f"into `token` under `[sources.{SOURCE}]`."
            ),
        ),
        (
            "400, `searchTerm must be longer than or equal to 3 characters`",
            (
                "This release refuses the empty search that its OpenAPI file requires: please "
                "report it with the message."
            ),
        ),
        (
            "404 for everything of `execution_report`",
            "The files of these events are gone from Roost.ai: leave the resource out.",
        ),
        (
            "a list kept changing while it was read",
            "It was read five times, and rows went each time. The next load reads it again.",
        ),
    ),
)
