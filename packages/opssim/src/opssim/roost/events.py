"""Events: the runs of a test, the rows of `test_gpt_events`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject
from opssim.roost import vocabulary
from opssim.roost.entities import labels_in, new_id, subject_of, text_of
from opssim.roost.reports import HUGE_REPORT_METHODS, report

#: Columns of an event that repeat its test as it was when the event began.
_COPIED = (
    "thirdparty_app_id",
    "git_info",
    "ai_model_info",
    "additional_info",
    "integration_info",
    "ui_test_info",
    "labels",
    "test_timeout",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What events take from their test, read once and not for every event."""

    test_id: str
    test_type: str | None
    copied: JsonObject
    entity: JsonObject


def origin_of(entity: JsonObject) -> Origin:
    """Return what the events of a test take from it."""
    info = msgspec.json.decode(entity["additional_info"], type=JsonObject)
    return Origin(
        test_id=entity["id"],
        test_type=info.get("test_type"),
        copied={name: entity[name] for name in _COPIED},
        entity=entity,
    )


def new_event(
    rng: random.Random,
    origin: Origin,
    *,
    user_id: str,
    begun: datetime,
    status: str = "in_queue",
    retrigger: JsonObject | None = None,
) -> JsonObject:
    """Return an event that has begun and has not ended.

    `retrigger` is what repeated an earlier event; its `event_type` is that of the event. Without
    it the event is of the type `generate`: the table has no column for the type.
    """
    return {
        "id": new_id(rng),
        "user_id": user_id,
        "git_event_id": new_id(rng) if rng.random() < 0.3 else None,
        "status": status,
        "time": iso_utc(begun),
        "test_id": origin.test_id,
        "status_details": vocabulary.STATUS_DETAILS[status],
        "completion_time": None,
        "pr_create_duration": None,
        "test_endpoints": None,
        "test_report": None,
        "test_type": origin.test_type,
        "test_result": None,
        "slack_timestamp": None,
        "modification_time": iso_utc(begun),
        "retrigger_data": None if retrigger is None else text_of(retrigger),
        "deleted": 0,
        **origin.copied,
    }


def finish(
    rng: random.Random,
    event: JsonObject,
    origin: Origin,
    *,
    status: str,
    ended: datetime,
    noticed: datetime | None = None,
    huge: bool = False,
) -> None:
    """Let an event end, with the report that its status leaves behind.

    `modification_time` is the moment at which the row changed, which is `noticed` when nobody
    had looked before: a row must never turn up behind a time stamp that was read already.
    """
    event["status"] = status
    event["status_details"] = vocabulary.STATUS_DETAILS[status]
    event["completion_time"] = iso_utc(ended)
    event["modification_time"] = iso_utc(noticed or ended)
    if status == "aborted":
        return
    if status == "completed" or rng.random() < 0.5:
        methods = HUGE_REPORT_METHODS if huge else rng.randrange(2, 9)
        event["test_report"] = report(
            rng, subject_of(origin.entity), status=status, methods=methods
        )
    if status == "completed":
        event["pr_create_duration"] = f"{rng.uniform(2, 40):.1f}"
    if origin.copied["ui_test_info"] or event["test_type"] in {"artillery", "api-spec-test"}:
        event["test_endpoints"] = text_of(["/v1/orders", "/v1/größen/{id}"])
        event["test_result"] = text_of({"passed": rng.randrange(20), "failed": rng.randrange(3)})
    if rng.random() < 0.2:
        event["slack_timestamp"] = f"{ended.timestamp():.6f}"


def past_event(
    rng: random.Random,
    origin: Origin,
    *,
    user_id: str,
    begun: datetime,
    until: datetime,
    huge: bool,
) -> JsonObject:
    """Return an event that began and ended before `until`; some were changed again later."""
    kind = rng.random()
    retrigger: JsonObject | None = None
    if kind < 0.3:
        # "generate" is what an event without this column is
        kinds = [name for name in vocabulary.EVENT_TYPES if name != "generate"]
        retrigger = {"event_type": rng.choice(kinds), "head_branch": "main", "improve_data": []}
    event = new_event(rng, origin, user_id=user_id, begun=begun, retrigger=retrigger)
    ended = min(begun + timedelta(seconds=rng.uniform(20, 3000)), until)
    finish(rng, event, origin, status=rng.choice(vocabulary.OUTCOMES), ended=ended, huge=huge)
    if rng.random() < 0.1:
        event["modification_time"] = iso_utc(ended + (until - ended) * rng.random())
        event["deleted"] = int(rng.random() < 0.3)
    return event


def event_fields(data: JsonObject) -> JsonObject:
    """Return what the list of events filters and sorts by."""
    return {
        "user_id": data["user_id"],
        "test_id": data["test_id"],
        "status": data["status"],
        "details": data["status_details"],
        "time": data["time"],
        "completion_time": data["completion_time"],
        "modification_time": data["modification_time"],
        "test_type": data["test_type"],
        "event_type": event_type_of(data),
        "labels": labels_in(data["labels"]),
    }


def event_type_of(data: JsonObject) -> str:
    """Return the type of an event, which its row tells in `retrigger_data` alone."""
    text = data["retrigger_data"]
    if not text:
        return "generate"
    return str(msgspec.json.decode(text, type=JsonObject).get("event_type", "retrigger"))
