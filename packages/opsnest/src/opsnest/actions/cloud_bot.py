"""Cloud bot: deploy bots in an Automation 360 Control Room, and follow their runs.

Facts are from a Control Room's own OpenAPI files, from its documentation and from public clients:
the runs of a deployment are found in the activity list by its id, `UPDATE` means running, and a run
that has not ended "ends" in 1970 or in an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from opsnest.actions.bot_values import BotValue, to_bot
from opsnest.actions.calls import Call, check_wait, looks, moment, started, text, unexpected
from opsnest.actions.control_room import DENIED, Room, entered
from opsnest.errors import ActionError
from opsnest.json_values import is_list, is_object, look_up
from opsnest.rows import Cleaning, cleaner
from opsnest.sources.cloud_bot import SOURCE

__all__ = ["Deployment", "Execution", "deploy"]

_DEPLOY_PATH = "v3/automations/deploy"
_ACTIVITY_PATH = "v3/activity/list"

_DEPLOY = Call(
    source=SOURCE,
    action="deploy",
    denied=DENIED,
    refused="Check `file_id`, which is that of a bot in the public workspace, `run_as_user_ids`, "
    "`pool_ids` and `bot_input`.",
    failed="It may have been started all the same, so it was not sent again: "
    "look in the Control Room under Activity before you repeat it.",
    sent_once=True,
)
_NO_NEWS = "It could not be asked how the runs are doing."
_WATCH = Call(
    source=SOURCE,
    action="deploy",
    denied={
        401: DENIED[401],
        403: "The user's role lacks the permission to view the activity.",
    },
    refused=_NO_NEWS,
    failed=_NO_NEWS,
)

_COMPLETED = "COMPLETED"
_ENDED = frozenset({_COMPLETED, "RUN_FAILED", "RUN_ABORTED", "RUN_TIMED_OUT", "DEPLOY_FAILED"})
#: Rows of the activity list asked for at a time.
_LENGTH = 1000

_clean = cleaner(Cleaning(secrets=("callbackInfo",)))


@dataclass(frozen=True, slots=True)
class Execution:
    """A run of a bot as a user on a device.

    Attributes:
        id: the id in the activity list.
        status: `QUEUED`, `UPDATE` (it is running) and so on, or how it ended: `COMPLETED`,
            `RUN_FAILED`, `RUN_ABORTED`, `RUN_TIMED_OUT` or `DEPLOY_FAILED`.
        file_name: the bot.
        user_name: the user it runs as.
        device_name: the device it runs on.
        progress: in percent.
        started_on: when it started.
        ended_on: when it ended; None while it has not.
        message: what went wrong, where something did.
        raw: the whole row, without nulls and callback.
    """

    id: str
    status: str
    file_name: str | None
    user_name: str | None
    device_name: str | None
    progress: int | None
    started_on: datetime | None
    ended_on: datetime | None
    message: str | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def ended(self) -> bool:
        """Whether it was over when it was last looked at."""
        return self.status in _ENDED

    @property
    def succeeded(self) -> bool:
        """Whether it has completed; False too while it has not ended."""
        return self.status == _COMPLETED


@dataclass(frozen=True, slots=True)
class Deployment:
    """A bot that was deployed: one run for each user that it runs as.

    Attributes:
        deployment_id: what its runs have in common in the activity list.
        executions: its runs; none unless their end was waited for.
    """

    deployment_id: str
    executions: tuple[Execution, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether all runs have completed; False too where nobody waited for them."""
        return bool(self.executions) and all(each.succeeded for each in self.executions)


def deploy(  # noqa: PLR0913 - the fields of the request, the wait and the credentials
    file_id: str | int,
    run_as_user_ids: str | int | Sequence[str | int],
    *,
    pool_ids: Sequence[str | int] = (),
    bot_input: Mapping[str, BotValue] | None = None,
    automation_name: str | None = None,
    automation_priority: Literal["PRIORITY_LOW", "PRIORITY_MEDIUM", "PRIORITY_HIGH"] | None = None,
    bot_label: str | None = None,
    num_of_run_as_users_to_use: int | None = None,
    override_default_device: bool | None = None,
    run_elevated: bool | None = None,
    hide_bot_agent_ui: bool | None = None,
    callback_url: str | None = None,
    callback_headers: Mapping[str, str] | None = None,
    wait: bool = False,
    timeout: float = 3600.0,
    poll_every: float = 2.0,
    control_room_url: str | None = None,
    username: str | None = None,
    api_key: str | None = None,
    password: str | None = None,
) -> Deployment:
    """Run a bot on bot runners, as `POST v3/automations/deploy`, and wait for its end if asked to.

    A run that fails is returned like any other: look at `succeeded`. Ctrl-C ends the wait and
    nothing else: the runs go on, and a warning in the log says how to look them up.

    Args:
        file_id: the bot, in the public workspace.
        run_as_user_ids: the users to run it as, each with a bot runner licence.
        pool_ids: device pools to run it on.
        bot_input: values for the bot's input variables.
        automation_name: what the runs are called in the activity list.
        automation_priority: which runs go first on a device.
        bot_label: the version of the bot with this label.
        num_of_run_as_users_to_use: how many of the users.
        override_default_device: whether to use the pools even for users with a device.
        run_elevated: whether to run it as an administrator of the device.
        hide_bot_agent_ui: whether to hide its window.
        callback_url: what the Control Room is to call at the end.
        callback_headers: with which headers.
        wait: whether to wait until all runs have ended.
        timeout: seconds to wait at most.
        poll_every: seconds between two looks.
        control_room_url: the Control Room;
        username: the user to log in as,
        api_key: its API key, or
        password: its password. What is not given is taken from `[sources.cloud_bot_source]`; an
            API key or password that is given counts alone.

    Raises:
        ActionError: the wait ran out; the runs go on.
        AccessError: the login was not accepted, or its user may not do this.
        AnswerError: the Control Room refused the deployment, or failed.
        UnreachableError: there was no answer. The runs may have started all the same.
        ConfigurationError: an argument makes no sense.
        ConfigFieldMissingException: dlt's, when there is no user or Control Room.
    """
    check_wait(SOURCE, timeout, poll_every)
    users = [run_as_user_ids] if isinstance(run_as_user_ids, str | int) else list(run_as_user_ids)
    callback = {"url": callback_url, "headers": dict(callback_headers or {})}
    options = {
        "poolIds": list(pool_ids) or None,
        "botInput": to_bot(bot_input) if bot_input else None,
        "automationName": automation_name,
        "automationPriority": automation_priority,
        "botLabel": bot_label,
        "numOfRunAsUsersToUse": num_of_run_as_users_to_use,
        "overrideDefaultDevice": override_default_device,
        "runElevated": run_elevated,
        "hideBotAgentUi": hide_bot_agent_ui,
        "callbackInfo": callback if callback_url else None,
    }
    body: dict[str, Any] = {"fileId": file_id, "runAsUserIds": users}
    body |= {name: value for name, value in options.items() if value is not None}
    with entered(control_room_url, username, api_key, password) as room:
        answer = room.write(_DEPLOY_PATH, _DEPLOY, body)
        deployment_id = text(answer.get("deploymentId"))
        if deployment_id is None:
            problem = "the answer holds no deploymentId"
            raise unexpected(_DEPLOY, "POST", f"/{_DEPLOY_PATH}", problem)
        if not wait:
            return Deployment(deployment_id)
        runs = min(len(users), num_of_run_as_users_to_use or len(users))
        return _ended_deployment(room, deployment_id, runs, timeout, poll_every)


def _ended_deployment(
    room: Room, deployment_id: str, runs: int, timeout: float, poll_every: float
) -> Deployment:
    what = f"deployment {deployment_id}"
    where = (
        "Look it up in the Control Room under Activity, or in the `executions` of "
        f"{SOURCE} by its deploymentId."
    )
    executions: tuple[Execution, ...] = ()
    with started(what, where):
        for _ in looks(timeout, poll_every):
            before, executions = executions, _executions(room, deployment_id)
            # the list may lag behind: fewer runs than users count once nothing moves any more
            complete = len(executions) >= runs or executions == before
            if executions and complete and all(each.ended for each in executions):
                return Deployment(deployment_id, executions)
    statuses = ", ".join(sorted(each.status for each in executions)) or "not in the list yet"
    message = (
        f"{SOURCE} / {_DEPLOY.action}: {what} has not ended after {timeout:g} s, and goes on\n"
        f"  the last status of its runs: {statuses}\n"
        f"  {where}"
    )
    raise ActionError(message)


def _executions(room: Room, deployment_id: str) -> tuple[Execution, ...]:
    """Return the runs of a deployment, as far as the activity list has them."""
    found: dict[str, Execution] = {}
    offset = 0
    while True:
        body = {
            "filter": {"operator": "eq", "field": "deploymentId", "value": deployment_id},
            "sort": [{"field": "id", "direction": "asc"}],
            "page": {"offset": offset, "length": _LENGTH},
        }
        answer = room.read(_ACTIVITY_PATH, _WATCH, body)
        rows: object = answer.get("list")
        if not is_list(rows):
            raise unexpected(_WATCH, "POST", f"/{_ACTIVITY_PATH}", "the answer holds no list")
        fresh = [row for row in map(_execution, filter(is_object, rows)) if row.id not in found]
        found |= {row.id: row for row in fresh}
        offset += len(rows)
        # `totalFilter` can be 0 beside rows: then the end is a page that brings nothing new
        total: object = look_up(answer, "page.totalFilter")
        if not fresh or (isinstance(total, int) and 0 < total <= offset):
            return tuple(found.values())


def _execution(row: dict[str, Any]) -> Execution:
    row = _clean(row)
    progress: object = row.get("progress")
    return Execution(
        id=str(row.get("id")),
        status=str(row.get("status")),
        file_name=text(row.get("fileName")),
        user_name=text(row.get("userName")),
        device_name=text(row.get("deviceName")),
        progress=progress if isinstance(progress, int) else None,
        started_on=moment(row.get("startDateTime")),
        ended_on=moment(row.get("endDateTime")),
        message=text(row.get("message")) or text(look_up(row, "error.message")),
        raw=row,
    )
