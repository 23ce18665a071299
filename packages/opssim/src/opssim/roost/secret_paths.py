"""Where Roost's rows carry secrets: inside columns that hold JSON in a string."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

import msgspec

from opssim.core.store import JsonObject

#: Column, then the keys below it. The schema of Roost's database names all of them.
SECRET_PATHS: Final = (
    ("git_info", "source", "access_token"),
    ("git_info", "target", "access_token"),
    ("ai_model_info", "access_token"),
    ("integration_info", "jira_password"),
    ("integration_info", "azure_token"),
    ("additional_info", "slackConfig", "slackToken"),
    ("additional_info", "msTeamsConfig", "ms_teams_access_token"),
    ("additional_info", "log_stash_api_key"),
    ("additional_info", "log_stash_token"),
    ("additional_info", "cloudWatchConfig", "cw_credentials", "secret_access_key"),
    ("additional_info", "cloudWatchConfig", "cw_credentials", "session_token"),
    ("additional_info", "cloudWatchConfig", "cw_credentials", "access_key_id"),
)
#: Columns that hold the above.
SECRET_COLUMNS: Final = frozenset(path[0] for path in SECRET_PATHS)


def secrets_in(column: str, text: str) -> Iterator[str]:
    """Yield the secrets in one column of a test or an event.

    Besides the fixed paths, a value of `additional_info.env_config` is one where it says so.
    """
    info = msgspec.json.decode(text)
    for name, *keys in SECRET_PATHS:
        if name == column:
            value = value_below(info, *keys)
            if isinstance(value, str) and value:
                yield value
    entries = value_below(info, "env_config") if column == "additional_info" else None
    if isinstance(entries, list):
        for entry in cast("list[object]", entries):
            value = value_below(entry, "value")
            if value_below(entry, "secret") and isinstance(value, str) and value:
                yield value


def value_below(value: object, *keys: str) -> object:
    """Return what lies below `keys` in nested objects, or None; clients send what they like."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = cast("JsonObject", value).get(key)
    return value
