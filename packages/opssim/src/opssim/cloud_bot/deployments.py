"""Runs that clients start: deployments, how they go on, and what is said about one run.

Sources: the OpenAPI files of /v3/automations/deploy, /v4/automations/deploy and
/v3/activity/execution/{id}.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.cloud_bot.activity import OPEN, Bot, Runner, out_variables
from opssim.cloud_bot.errors import (
    ApiError,
    Handler,
    as_list,
    as_object,
    bad_request,
    json_object,
    json_response,
    not_found,
)
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.cloud_bot.stamps import uuid_of
from opssim.cloud_bot.world import World
from opssim.core.clock import Clock
from opssim.core.store import JsonObject, encode

#: The parts of a run's duration that it has behind it when its row changes, and the progress
#: that the row shows then. Few steps: each is a change of the list for those who page it.
_STEPS = ((0.2, 10), (0.5, 50), (0.8, 90))

#: What a deployment may say about its runs, with the type that it is of.
_OPTIONS = {"automationName": str, "automationPriority": str, "botLabel": str, "runElevated": bool}


@dataclass(slots=True)
class _Run:
    """A deployed run that has not ended: when it was started, and how far its row says it is."""

    started: float
    failing: bool
    progress: int = 0


class Deployments:
    """The endpoints that start runs and follow them.

    Args:
        world: the bots, the run-as users and the activity list.
        clock: what stamps the rows.
        quirks: whether all runs fail.
        rng: what makes ids.
        run_seconds: how long a run takes, in real time.
        timer: the real time.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        quirks: CloudBotQuirks,
        *,
        rng: random.Random,
        run_seconds: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._clock = clock
        self._quirks = quirks
        self._rng = rng
        self._seconds = run_seconds
        self._timer = timer
        self._runs: dict[str, _Run] = {}
        self._callbacks: dict[str, JsonObject] = {}
        self._automations = 1000
        self._lock = threading.Lock()

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """Return the endpoints, each behind the guard."""
        deploy = guarded(self._deploy)
        return [
            Route("/v3/automations/deploy", deploy, methods=["POST"]),
            Route("/v4/automations/deploy", deploy, methods=["POST"]),
            Route("/v3/activity/execution/{id}", guarded(self.show), methods=["GET"]),
        ]

    def secrets(self) -> frozenset[str]:
        """Return the values of headers that clients asked for in callbacks."""
        with self._lock:
            headers = [as_object(call.get("headers")) or {} for call in self._callbacks.values()]
            return frozenset(str(value) for each in headers for value in each.values())

    def proceed(self) -> None:
        """Bring the rows of deployed runs up to the present."""
        with self._lock:
            for key in list(self._runs):
                self._proceed(key, self._runs[key])

    async def show(self, request: Request) -> Response:
        """Answer with one run: its row, what the bot returned, and the callback asked for."""
        self.proceed()
        key = request.path_params["id"]
        row = self._world.tables["executions"].get(key)
        if row is None:
            msg = f"execution {key}"
            raise not_found(msg)
        data = row.data()
        callback = self._callbacks.get(data["deploymentId"])
        data["callbackInfo"] = encode(callback).decode() if callback else ""
        data["botOutVariables"] = out_variables(data)
        return json_response(data)

    async def _deploy(self, request: Request) -> Response:
        return json_response(self.start(await json_object(request)))

    def start(self, body: JsonObject) -> JsonObject:
        """Start what a request asks for: a run of its bot for each of its users.

        Returns:
            The ids by which the runs are found again: `deploymentId` and `automationId`.

        Raises:
            ApiError: the request is malformed, or names a bot or a user that is not there.
        """
        bot = self._bot(body.get("fileId"))
        runners = self._runners(body)
        for name, kind in _OPTIONS.items():
            if not isinstance(body.get(name), kind | None):
                msg = f"{name} is of the wrong type"
                raise bad_request(msg)
        callback = as_object(body.get("callbackInfo") or {})
        if callback is None or as_object(callback.get("headers") or {}) is None:
            msg = "callbackInfo is an object with url and headers"
            raise bad_request(msg)
        self._automations += 1
        shared = {
            "deploymentId": uuid_of(self._rng),
            "automationId": str(self._automations),
        }
        if callback:
            with self._lock:
                self._callbacks[shared["deploymentId"]] = callback
        for runner in runners:
            self._start(bot, runner, body, shared)
        return shared

    def _start(self, bot: Bot, runner: Runner, body: JsonObject, shared: JsonObject) -> None:
        row = self._world.activity.queue(bot, runner, self._clock.now())
        row |= {"initiationType": "API", "type": "API", **shared}
        row |= {name: body[name] for name in _OPTIONS if body.get(name) is not None}
        failing = bot.fails or self._quirks.runs_fail
        with self._lock:
            self._runs[row["id"]] = _Run(self._timer(), failing=failing)
            self._world.tables["executions"].insert(row)

    def _proceed(self, key: str, run: _Run) -> None:
        executions, activity = self._world.tables["executions"], self._world.activity
        row = executions.get(key)
        if row is None or row.fields["status"] not in OPEN:
            del self._runs[key]  # deleted, or ended by somebody else
            return
        done = (self._timer() - run.started) / self._seconds if self._seconds > 0 else 1.0
        progress = max((step for part, step in _STEPS if part <= done), default=0)
        if progress > run.progress:
            run.progress = progress
            executions.update(key, lambda data: activity.advance(data, progress, self._clock.now()))
        if done >= 1:
            status = "RUN_FAILED" if run.failing else "COMPLETED"
            executions.update(key, lambda data: activity.finish(data, status, self._clock.now()))
            del self._runs[key]

    def _bot(self, file_id: Any) -> Bot:
        key = _as_id("fileId", file_id)
        for bot in self._world.bots:
            if bot.file_id == key and key in self._world.tables["automations"]:
                return bot
        msg = f"file {key}"
        raise not_found(msg)

    def _runners(self, body: JsonObject) -> list[Runner]:
        asked = as_list(body.get("runAsUserIds"))
        if not asked:
            msg = "runAsUserIds is a list with at least one id"
            raise bad_request(msg)
        keys = [_as_id("runAsUserIds", value) for value in asked]
        count = body.get("numOfRunAsUsersToUse")
        if count is not None and (type(count) is not int or count < 1):
            msg = "numOfRunAsUsersToUse is a whole number from 1"
            raise bad_request(msg)
        return [self._runner(key) for key in keys][:count]

    def _runner(self, key: str) -> Runner:
        row = self._world.tables["run_as_users"].get(key)
        if row is None:
            msg = f"run-as user {key}"
            raise not_found(msg)
        data = row.data()
        return Runner(key, data["username"], data["deviceId"], data["device"])


def _as_id(name: str, value: Any) -> str:
    """Read an id, which clients send as a string or as a number.

    Raises:
        ApiError: it is neither.
    """
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise _bad_id(name)
    return str(value)


def _bad_id(name: str) -> ApiError:
    return bad_request(f"{name} is missing or no id")
