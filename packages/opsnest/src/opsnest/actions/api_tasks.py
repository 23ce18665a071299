"""Cloud bot: run a real-time API task, which needs no device and answers at once.

The Control Room tells where a task is run, which is on another host in its cloud, and with which
token. Facts are from its documentation of both requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from opsnest.actions.bot_values import BotValue, from_bot, to_bot
from opsnest.actions.calls import Call, ask, signing, text, unexpected
from opsnest.actions.control_room import DENIED, NOTHING_STARTED, Room, entered
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.json_values import is_object, look_up
from opsnest.rows import Cleaning, cleaner
from opsnest.sources.cloud_bot import SOURCE

__all__ = ["TaskResult", "run_api_task"]

_ACCESS_PATH = "orchestrator/v1/hotbot/config/accessdetails"
_SEED_PATH = "api-task-real-time-endpoint"

_ACCESS = Call(
    source=SOURCE,
    action="run_api_task",
    denied=DENIED,
    refused="Check `path`: it is that of an API task in the repository, with backslashes, such as "
    r"Automation Anywhere\Bots\Billing\Look up a customer.",
    failed=NOTHING_STARTED,
)
_TASK = Call(
    source=SOURCE,
    action="run_api_task",
    denied={**DENIED, 401: "The token of the task was refused: run it again, with a new one."},
    refused="Check `path` and `inputs`.",
    failed="The task may have run all the same, so it was not sent again: "
    "look in the Control Room before you repeat it.",
    sent_once=True,
)
_SEED_TASK = replace(_TASK, denied=DENIED)

#: dltHub's page has its endpoint answer with the token of the task.
_clean = cleaner(Cleaning(secrets=("headers", "executionResult.headers")))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What an API task answered.

    Attributes:
        path: the task.
        status: how it ended, where the answer says so; `COMPLETED` is well.
        outputs: the values of its output variables.
        raw: the whole answer, without nulls and credentials.
    """

    path: str
    status: str | None
    outputs: Mapping[str, Any] = field(compare=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def succeeded(self) -> bool:
        """Whether the task was run, and its answer does not say that it failed."""
        return self.status in {None, "COMPLETED"}


def run_api_task(
    path: str,
    inputs: Mapping[str, BotValue] | None = None,
    *,
    api: Literal["published", "seed"] = "published",
    timeout: float = 300.0,
    control_room_url: str | None = None,
    username: str | None = None,
    api_key: str | None = None,
    password: str | None = None,
) -> TaskResult:
    r"""Run a real-time API task, and return what it answers.

    The Control Room tells where the task is run and with which token; that place never sees the
    login's own. dltHub's page for Cloud bot names a single endpoint instead, which no published
    Control Room has: `api="seed"` asks that.

    Args:
        path: the task's path in the repository, such as
            `Automation Anywhere\Bots\Billing\Look up a customer`.
        inputs: values for its input variables.
        api: `published`, or `seed` for `POST api-task-real-time-endpoint`.
        timeout: seconds to wait for its answer.
        control_room_url: the Control Room;
        username: the user to log in as,
        api_key: its API key, or
        password: its password. What is not given is taken from `[sources.cloud_bot_source]`; an
            API key or password that is given counts alone.

    Raises:
        AccessError: the login was not accepted, or its user may not do this.
        AnswerError: there is no such task, or it failed.
        UnreachableError: there was no answer. The task may have run all the same.
        ConfigurationError: an argument makes no sense.
        ConfigFieldMissingException: dlt's, when there is no user or Control Room.
    """
    if api not in {"published", "seed"} or not timeout > 0:
        message = (
            f"{SOURCE}: a task cannot be run with api={api!r} and timeout={timeout!r}.\n"
            "  Use api='published' or api='seed', and more than 0 seconds."
        )
        raise ConfigurationError(message)
    body: dict[str, Any] = {"botInput": to_bot(inputs)} if inputs else {}
    with entered(control_room_url, username, api_key, password) as room:
        if api == "seed":
            answer = _run_by_seed(room, {"botRepositoryPath": path, **body}, timeout)
        else:
            url, headers = _access(room, path)
            answer = _run_at(url, headers, body, timeout)
    return _result(path, answer)


def _access(room: Room, path: str) -> tuple[str, dict[str, str]]:
    """Ask where a task is run, and with which headers."""
    answer = room.read(_ACCESS_PATH, _ACCESS, {"botRepositoryPath": [path]})
    details: object = answer.get("accessDetails")
    found: object = details.get(path) if is_object(details) else None
    url: object = look_up(found, "url")
    headers: object = look_up(found, "headers")
    if isinstance(url, str) and is_object(headers):
        return url, {name: str(value) for name, value in headers.items()}
    errors: object = answer.get("errors")
    refusal: object = errors.get(path) if is_object(errors) else None
    error = unexpected(
        _ACCESS, "POST", f"/{_ACCESS_PATH}", "the Control Room does not say where this task is run"
    )
    error.advice = _ACCESS.refused
    error.message = text(look_up(refusal, "message")) or text(refusal)
    error.code = text(look_up(refusal, "code"))
    raise error


def _run_at(
    url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float
) -> dict[str, Any]:
    # the address is described without its last step, and shown with it
    url = url.rstrip("/").removesuffix("/execute") + "/execute"
    with ApiSession(url, source=SOURCE, repeat_posts=False) as session:
        session.auth = signing(headers)
        return ask(session, "POST", url, _TASK, body=body, timeout=timeout)


def _run_by_seed(room: Room, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    answer = room.write(_SEED_PATH, _SEED_TASK, body, timeout)
    if "executionResult" not in answer:
        problem = "the answer holds no executionResult"
        raise unexpected(_SEED_TASK, "POST", f"/{_SEED_PATH}", problem)
    return answer


def _result(path: str, answer: dict[str, Any]) -> TaskResult:
    """Read an answer: `{"hotBotResult": {"botOutput": {...}}}`, or what runs of bots look like."""
    answer = _clean(answer)
    inner: object = answer.get("hotBotResult", answer.get("executionResult", answer))
    outputs: object = look_up(inner, "botOutput") or look_up(inner, "botOutVariables.values")
    return TaskResult(
        path=path,
        status=text(look_up(inner, "status")),
        outputs={name: from_bot(value) for name, value in outputs.items()}
        if is_object(outputs)
        else {},
        raw=answer,
    )
