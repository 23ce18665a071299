"""Runs of bots: how a row of the activity list comes about, goes on and ends."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from opssim.cloud_bot.stamps import (
    EMPTY,
    EPOCH,
    fine_stamp,
    just_before,
    moment_between,
    stamp,
    uuid_of,
)
from opssim.core.store import JsonObject

#: The statuses that a run leaves again; the API calls a running one UPDATE, or RUNNING.
OPEN = frozenset({"QUEUED", "UPDATE", "RUNNING", "PENDING_EXECUTION", "RUN_PAUSED"})
_OPEN_CHOICES = ("UPDATE", "UPDATE", "UPDATE", "RUNNING", "QUEUED", "PENDING_EXECUTION")
_ENDS = ("COMPLETED", "RUN_FAILED", "RUN_ABORTED", "RUN_TIMED_OUT", "DEPLOY_FAILED", "UNKNOWN")
_END_WEIGHTS = (82, 11, 3, 2, 1, 1)
_FAILURES = frozenset({"RUN_FAILED", "RUN_TIMED_OUT", "DEPLOY_FAILED"})
_PRIORITIES = ("PRIORITY_LOW", "PRIORITY_MEDIUM", "PRIORITY_MEDIUM", "PRIORITY_HIGH")
_MESSAGES = (
    ("bot.execution.error", "Window not found", ""),
    ("bot.execution.error", 'Fenster "SAP: Rechnung" nicht gefunden', "Zeile 57\nSchritt 3 🧨"),
    ("bot.execution.timeout", "タイムアウトしました", "120 s"),
    ("device.not.connected", "The device is not connected", ""),
)


@dataclass(frozen=True, slots=True)
class Bot:
    """What a run needs to know of its bot."""

    file_id: str
    name: str
    path: str
    activity_type: str = "BOT"

    @property
    def fails(self) -> bool:
        """Whether runs of this bot always fail: its name says so."""
        return self.name.split(" ", maxsplit=1)[0].endswith("Fails")


@dataclass(frozen=True, slots=True)
class Runner:
    """The device that a run is on, and the user that it runs as."""

    user_id: str
    user_name: str
    device_id: str
    device_name: str


class Activity:
    """Makes and changes rows of the activity list.

    Args:
        rng: what to choose with.
        tenant: the `tenantUuid` of every row.
        open_end: what `endDateTime` is until the end.
    """

    def __init__(
        self, rng: random.Random, tenant: str, open_end: Literal["epoch", "empty", "mixed"]
    ) -> None:
        self._rng = rng
        self._tenant = tenant
        self._open_ends = {"epoch": (EPOCH,), "empty": (EMPTY,), "mixed": (EPOCH, EMPTY)}[open_end]

    def queue(self, bot: Bot, runner: Runner, created: datetime) -> JsonObject:
        """Make the row of a run that has been asked for and waits for its device."""
        rng = self._rng
        total = rng.randrange(20, 400)
        moment = stamp(created)
        return {
            "id": f"{uuid_of(rng)}_{rng.getrandbits(64):016x}",
            "automationName": f"{bot.name}.{created:%Y.%m.%d.%H.%M.%S}.{runner.user_name}",
            "fileName": bot.name,
            "filePath": bot.path,
            "type": "RUN_NOW",
            "startDateTime": fine_stamp(created, created.microsecond * 1000),
            "endDateTime": rng.choice(self._open_ends),
            "command": "",
            "status": "QUEUED",
            "progress": 0,
            "automationId": "0",
            "userId": runner.user_id,
            "deviceId": runner.device_id,
            "currentLine": 0,
            "totalLines": total,
            "fileId": bot.file_id,
            "modifiedBy": runner.user_id,
            "createdBy": "1",
            "modifiedOn": moment,
            "createdOn": moment,
            "deploymentId": uuid_of(rng),
            "queueName": "",
            "queueId": "",
            "usingRdp": False,
            "message": "",
            "canManage": True,
            "deviceName": runner.device_name,
            "userName": runner.user_name,
            "tenantUuid": self._tenant,
            "automationPriority": rng.choice(_PRIORITIES),
            "runElevated": False,
            "botLabel": "",
            "currentBotName": bot.name,
            "callbackInfo": "",
            "rolesWithAccess": [],
            "workspaceType": "PUBLIC",
            "parentId": None,
            "initiationType": "RUN_NOW",
            "activityType": bot.activity_type,
            "deviceHostType": "CUSTOMER_WINDOWS",
            "refId": None,
            "error": None,
            "userGroupName": "",
        }

    def past(self, bot: Bot, runner: Runner, created: datetime, before: datetime) -> JsonObject:
        """Make the row of a run that ended before a given time."""
        rng = self._rng
        row = self.queue(bot, runner, created)
        started = created + timedelta(seconds=rng.randrange(1, 15))
        ended = started + timedelta(seconds=min(rng.lognormvariate(4.5, 1.2), 14_400))
        row["startDateTime"] = just_before(min(started, before), rng)
        if rng.random() < 0.4:
            row["initiationType"] = row["type"] = "SCHEDULED"
            row["automationId"] = str(rng.randrange(1, 40))
        status = "RUN_FAILED" if bot.fails else rng.choices(_ENDS, _END_WEIGHTS)[0]
        self.finish(row, status, min(ended, before))
        return row

    def current(self, bot: Bot, runner: Runner, created: datetime, now: datetime) -> JsonObject:
        """Make the row of a run that has not ended."""
        row = self.queue(bot, runner, created)
        status = self._rng.choice(_OPEN_CHOICES)
        if status not in {"QUEUED", "PENDING_EXECUTION"}:
            self.advance(row, self._rng.randrange(1, 95), moment_between(self._rng, created, now))
            within = created.microsecond * 1000 + self._rng.randrange(1000)
            row["startDateTime"] = fine_stamp(created, within)
        row["status"] = status
        return row

    def advance(self, row: JsonObject, progress: int, moment: datetime) -> None:
        """Let a run go on; if it was waiting, it starts."""
        if row["status"] in {"QUEUED", "PENDING_EXECUTION"}:
            row["startDateTime"] = just_before(moment, self._rng)
        row["status"] = "UPDATE"
        row["progress"] = progress
        row["currentLine"] = row["totalLines"] * progress // 100
        row["modifiedOn"] = stamp(moment)

    def finish(self, row: JsonObject, status: str, moment: datetime) -> None:
        """Let a run end."""
        rng = self._rng
        completed = status == "COMPLETED"
        row["status"] = status
        row["progress"] = 100 if completed else min(99, row["progress"] + rng.randrange(1, 60))
        row["currentLine"] = row["totalLines"] * row["progress"] // 100
        row["endDateTime"] = just_before(moment, rng)
        row["modifiedOn"] = stamp(moment)
        if status in _FAILURES:
            code, message, details = rng.choice(_MESSAGES)
            row["message"] = message
            row["error"] = {
                "message": message,
                "details": details,
                "correctiveAction": "",
                "code": code,
                "messageValues": [],
                "detailsValues": [],
                "correctiveActionValues": [],
            }


def out_variables(row: JsonObject) -> JsonObject:
    """Return the `botOutVariables` of a run: what the bot returned, if it has got that far."""
    if row["status"] != "COMPLETED":
        return {"values": {}}
    return {
        "values": {
            "processed": {"type": "NUMBER", "number": str(row["totalLines"])},
            "summary": {"type": "STRING", "string": f"{row['fileName']}: 完了 ✔"},
            "complete": {"type": "BOOLEAN", "boolean": True},
        }
    }
