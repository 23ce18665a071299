"""The bodies of POST requests, checked as the DTOs of the OpenAPI file demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from starlette.requests import Request

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject
from opssim.roost import vocabulary
from opssim.roost.entities import text_of
from opssim.roost.errors import RefusedError
from opssim.roost.secret_paths import value_below

#: A check of one field: the message after the field's name, or None if the value will do.
Check = Callable[[Any], str | None]


def _string(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a string"


def _number(value: Any) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None
    return "must be a number conforming to the specified constraints"


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def _array(value: Any) -> str | None:
    return None if isinstance(value, list) else "must be an array"


def _present(value: Any) -> str | None:
    return "should not be empty" if value in (None, "") else None


def _git_type(value: Any) -> str | None:
    allowed = vocabulary.GIT_TYPES
    return (
        None if value in allowed else f"must be one of the following values: {', '.join(allowed)}"
    )


ADD_TEST: Final[Mapping[str, Check]] = {
    "app_id": _string,
    "test_name": _string,
    "git_type": _git_type,
    "ai_model_info": _object,
    "git_info": _object,
    "integration_info": _object,
    "additional_info": _object,
    "test_timeout": _number,
    "test_scope": _present,
}
CREATE_TEST_PLAN: Final[Mapping[str, Check]] = {
    "appId": _string,
    "testName": _string,
    "aiModelConfiguration": _object,
    "gitConfiguration": _object,
    "testConfiguration": _object,
    "timeoutInHours": _number,
    "scopeType": _present,
}
TRIGGER: Final[Mapping[str, Check]] = {
    "event_type": _string,
    "license_key": _string,
    "runtime_variables": _present,
}
RETRIGGER: Final[Mapping[str, Check]] = {
    "improve_data": _array,
    "head_branch": _string,
    "event_type": _string,
}
EXECUTE: Final[Mapping[str, Check]] = {"target_url": _string, "file_path": _array}


async def read_body(request: Request, checks: Mapping[str, Check]) -> JsonObject:
    """Return the JSON object that a client sent, with the fields that it must have.

    Raises:
        RefusedError: it is none, or one of its fields is missing or wrong.
    """
    raw = await request.body()
    try:
        body = msgspec.json.decode(raw or b"{}", type=JsonObject)
    except msgspec.DecodeError:
        raise RefusedError(400, "Unexpected token in JSON at position 0") from None
    messages = [
        f"{name} {complaint}"
        for name, check in checks.items()
        if (complaint := check(body.get(name))) is not None
    ]
    if messages:
        raise RefusedError(400, ", ".join(messages))
    return body


def event_type_in(body: JsonObject) -> str:
    """Return the `event_type` of a trigger.

    Raises:
        RefusedError: it is not one of those that the API knows.
    """
    allowed = vocabulary.EVENT_TYPES
    if body["event_type"] not in allowed:
        msg = f"event_type must be one of the following values: {', '.join(allowed)}"
        raise RefusedError(400, msg)
    return str(body["event_type"])


def added_test(body: JsonObject, *, row_id: str, user_id: str, now: datetime) -> JsonObject:
    """Return the row that an AddTestDto makes."""
    additional: JsonObject = body["additional_info"]
    tags: object = additional.get("custom_tags")
    labels = [str(tag) for tag in cast("list[object]", tags)] if isinstance(tags, list) else []
    branch = value_below(body["git_info"], "source", "selected_branch")
    return {
        "id": row_id,
        "user_id": user_id,
        "thirdparty_app_id": body["app_id"],
        "test_name": body["test_name"],
        "git_info": text_of(body["git_info"]),
        "ai_model_info": text_of(body["ai_model_info"]),
        "integration_info": text_of(body["integration_info"]),
        "additional_info": text_of(additional),
        "ui_test_info": None,
        "trigger_events": text_of(body.get("trigger_events", [])),
        "created_on": iso_utc(now),
        "updated_on": iso_utc(now),
        "deleted": 0,
        "test_timeout": body["test_timeout"],
        "webhook_error": None,
        "test_framework": body.get("test_framework", additional.get("test_framework")),
        "git_type": body["git_type"],
        "source_repo": body.get("source_repo"),
        "source_branch": body.get("source_branch", branch),
        "connector_ids": "[]",
        "git_ops": int(bool(body.get("git_ops", True))),
        "labels": text_of(labels),
        "test_source": None,
        "test_scope": str(body["test_scope"]),
    }


def as_test(plan: JsonObject) -> JsonObject:
    """Return a CreateTestPlanDto in the words of an AddTestDto."""
    git: JsonObject = plan["gitConfiguration"]
    host = git.get("host_type")
    return {
        "app_id": plan["appId"],
        "test_name": plan["testName"],
        "git_type": host if host in vocabulary.GIT_TYPES else "github",
        "ai_model_info": plan["aiModelConfiguration"],
        "git_info": git,
        "integration_info": plan.get("integrationConfiguration") or {"type": "none"},
        "additional_info": plan["testConfiguration"],
        "test_timeout": plan["timeoutInHours"],
        "test_scope": plan["scopeType"],
        "trigger_events": plan.get("triggerEvents", []),
        "git_ops": plan.get("enableGitOperations", True),
    }
