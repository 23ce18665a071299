"""Schedules, workload queues and their items, audit messages and licences, made up."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from opssim.cloud_bot.activity import Bot
from opssim.cloud_bot.stamps import moment_between, stamp, uuid_of
from opssim.core.store import JsonObject

_PRODUCTS = (
    ("Bot Creator", "DEVELOPMENT", "DEVICE"),
    ("Unattended Bot Runner", "RUNTIME", "DEVICE"),
    ("Attended Bot Runner", "ATTENDEDRUNTIME", "USER"),
    ("IQ Bot", "IQBOTRUNTIME", "PAGE"),
    ("Bot Insight", "ANALYTICSCLIENT", "USER"),
    ("API Tasks", "APITASKRUNTIME", "EXECUTION"),
)
_QUEUES = ("Rechnungen", "Claims", "返品", "New hires", "Address changes")
_MODELS = ("Rechnung", "Claim", "返品伝票", "New hire")
_ATTRIBUTES = (("Number", "TEXT"), ("Kunde", "TEXT"), ("金額", "NUMBER"), ("Due date", "DATE"))
_ITEM_STATUSES = (
    *("READY_TO_RUN", "DATA_ERROR", "STAGED", "QUEUED", "ACTIVE"),
    *("UNSUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "ON_HOLD"),
)
_EVENTS = (
    ("LOGIN", "User {user} logged in", "Control Room"),
    ("CLIENT_LOGIN", "Bot agent of {user} connected", "Bot Agent"),
    ("RUN_BOT", 'Bot "請求書処理" was deployed by {user}', "Control Room"),
    ("CHECKOUT", "{user} checked out Rechnungsprüfung", "Repository"),
    ("CREATE_AUTOMATION", "{user} scheduled Onboarding ✨", "Control Room"),
    ("ADD_ROLE", "{user} added a role", "Control Room"),
    ("ALLOCATE_LICENSE", "{user} allocated a licence:\nRUNTIME", "Control Room"),
    ("AUTOMATION_MISFIRED", "A schedule of {user} was missed", "Scheduler"),
)
_ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles")
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_schedule(
    rng: random.Random, number: int, bot: Bot, user_id: str, created: datetime
) -> JsonObject:
    """Make a row of the schedule list: flat, with ids that are numbers."""
    kind = rng.choice(("DAILY", "WEEKLY", "NONE"))
    return {
        "id": number,
        "activityName": f"{bot.name} {created:%y.%m.%d}",
        "taskType": "TASK_BOT",
        "activityPriority": rng.choice(("PRIORITY_LOW", "PRIORITY_MEDIUM", "PRIORITY_HIGH")),
        "scheduleType": kind,
        "timeZone": rng.choice(_ZONES),
        "startDate": f"{created:%Y-%m-%d}",
        "endDate": None if rng.random() < 0.6 else f"{created + timedelta(days=365):%Y-%m-%d}",
        "startTime": f"{rng.randrange(24):02d}:{rng.randrange(0, 60, 5):02d}",
        "repeatEnabled": kind != "NONE",
        "zonedNextRunDateTime": stamp(created + timedelta(days=1)) if kind != "NONE" else None,
        "fileId": int(bot.file_id),
        "fileName": bot.name,
        "runAsUserIds": [int(user_id)],
        "status": rng.choice(("ACTIVE", "ACTIVE", "DRAFT", "INACTIVE", "ACTIVE_WITH_ERROR")),
        "ownedBy": 1,
        "createdBy": 1,
        "createdOn": stamp(created),
        "updatedBy": 1,
        "updatedOn": stamp(created),
        "weeklyRecurrence": {"interval": 1, "daysOfWeek": ["MON", "FRI"]}
        if kind == "WEEKLY"
        else None,
        "dailyRecurrence": {"interval": 1} if kind == "DAILY" else None,
    }


def new_queue(rng: random.Random, number: int, created: datetime, tenant: str) -> JsonObject:
    """Make a row of the queue list. Its counts are strings."""
    return {
        "id": str(number),
        "name": _QUEUES[(number - 1) % len(_QUEUES)],
        "description": "" if rng.random() < 0.5 else 'Items from the "inbox" folder',
        "reactivationThreshold": str(rng.randrange(1, 20)),
        "manualProcessingTime": str(rng.randrange(1, 45)),
        "manualProcessingTimeUnit": rng.choice(("SECONDS", "MINUTES", "HOURS")),
        "status": rng.choice(("IN_USE", "IN_USE", "NOT_IN_USE", "DRAFT")),
        "workItemModelId": "1",
        "autoRetryLimit": None if rng.random() < 0.5 else "3",
        "createdBy": "1",
        "createdOn": stamp(created),
        "updatedBy": "1",
        "updatedOn": stamp(created),
        "disallowDuplicate": rng.random() < 0.3,
        "workItemProcessingOrders": [],
        "displayColumnIds": ["1", "2"],
        "expiry": None,
        "version": "0",
        "tenantUuid": tenant,
    }


def new_model(rng: random.Random, number: int, created: datetime, tenant: str) -> JsonObject:
    """Make a row of the list of work item models: what the items of a queue consist of."""
    attributes = _ATTRIBUTES[: rng.randrange(2, len(_ATTRIBUTES) + 1)]
    known = number <= len(_MODELS)
    return {
        "id": str(number),
        "name": _MODELS[number - 1] if known else f"Custom model {number}",
        "createdBy": "1",
        "createdOn": stamp(created),
        "updatedBy": "1",
        "updatedOn": stamp(created),
        "version": "0",
        "tenantUuid": tenant,
        "attributes": [
            {"id": str(10 * (number - 1) + place), "name": name, "type": kind}
            for place, (name, kind) in enumerate(attributes, start=1)
        ],
    }


def new_work_item(
    rng: random.Random, number: int, queue: JsonObject, created: datetime, *, now: datetime
) -> JsonObject:
    """Make a row of a queue's item list, none of whose times is to come; `json` is empty there."""
    status = rng.choice(_ITEM_STATUSES)
    ended = status in {"SUCCESSFUL", "UNSUCCESSFUL"}
    end = min(created + timedelta(seconds=rng.randrange(5, 900)), now)
    return {
        "id": str(number),
        "queueId": queue["id"],
        "deviceId": "0",
        "automationId": "0",
        "status": status,
        "startTime": stamp(created) if ended else None,
        "endTime": stamp(end) if ended else None,
        "col1": f"RE-{rng.randrange(10**6):06d}",
        "col2": rng.choice(("Müller & Söhne", "山田商店", "O'Neill Ltd", None)),
        "col3": f"{rng.randrange(10**5) / 100:.2f}",
        **{f"col{column}": None for column in range(4, 11)},
        "deviceUserId": "0",
        "createdBy": "1",
        "createdOn": stamp(created),
        "updatedBy": "1",
        "updatedOn": stamp(end if ended else created),
        "comment": "",
        "json": {},
        "result": "",
        "totalPausedTime": "0",
        "error": "Not found: 顧客番号" if status == "UNSUCCESSFUL" else "",
        "deferredUntil": None,
        "jobExecutionId": "",
        "retryCount": str(rng.randrange(3)),
        "hashCode": str(rng.getrandbits(31)),
        "version": "0",
        "lastPausedTime": None,
        "tenantUuid": queue["tenantUuid"],
    }


def new_audit_message(rng: random.Random, user: JsonObject, created: datetime) -> JsonObject:
    """Make a row of the audit log. Ids are in no order."""
    activity, text, source = rng.choice(_EVENTS)
    return {
        "id": "AY" + "".join(rng.choices(_BASE32, k=18)),
        "eventDescription": text.format(user=user["username"]),
        "activityType": activity,
        "environmentName": "N/A",
        "hostName": f"10.0.{rng.randrange(4)}.{rng.randrange(1, 255)}",
        "userName": user["username"],
        "status": rng.choices(("Successful", "Unsuccessful", "Unknown"), (90, 9, 1))[0],
        "source": source,
        "objectName": "N/A",
        "createdOn": stamp(created),
        "requestId": uuid_of(rng),
        "createdBy": user["id"],
    }


def new_product(rng: random.Random, number: int) -> JsonObject:
    """Make a row of the licence list: how many were bought, and how many are in use."""
    name, feature, unit = _PRODUCTS[(number - 1) % len(_PRODUCTS)]
    bought = rng.randrange(5, 60)
    used = rng.randrange(bought + 1)
    return {
        "id": number,
        "name": name,
        "licenseType": "PURCHASED",
        "feature": {
            "id": number * 10,
            "name": feature,
            "enable": True,
            "purchasedCount": bought,
            "usedCountByThisCr": used,
            "usedCountByAllCr": used,
            "availableCount": bought - used,
            "licenseCountUnit": unit,
        },
    }


def some_time(rng: random.Random, end: datetime) -> datetime:
    """Choose a time in the two years before `end`."""
    return moment_between(rng, end - timedelta(days=730), end)
