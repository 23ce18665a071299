"""Real-time API tasks: bots that run without a device and answer at once.

Sources: the OpenAPI file of /orchestrator/v1/hotbot/config/accessdetails, which tells the URL
and the token, and the documentation of `POST {url}/execute`, whose answer is not documented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.cloud_bot.errors import (
    Handler,
    answering_errors,
    as_object,
    as_strings,
    bad_request,
    json_object,
    json_response,
    not_found,
    unauthorized,
)
from opssim.cloud_bot.repository import API_TASK
from opssim.cloud_bot.sessions import Sessions
from opssim.core.store import JsonObject, Table

_EXECUTE = "/orchestrator/v1/hotbot/run/{fileId}/execute"


class ApiTasks:
    """The endpoints that say where an API task is run, and that run it.

    Args:
        automations: the repository's public files.
        sessions: what issues the tokens that tasks are run with.
    """

    def __init__(self, automations: Table, sessions: Sessions) -> None:
        self._automations = automations
        self._sessions = sessions
        self._runs = 0

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """Return the endpoints; a task's own has a token of its own."""
        return [
            Route(
                "/orchestrator/v1/hotbot/config/accessdetails",
                guarded(self._access),
                methods=["POST"],
            ),
            Route(_EXECUTE, answering_errors(self._execute), methods=["POST"]),
        ]

    async def run_any(self, request: Request) -> Response:
        """Answer as the seed page's endpoint: the access details and result of one task."""
        body = await _object_or_nothing(request)
        paths = [body["botRepositoryPath"]] if body.get("botRepositoryPath") else self._paths()
        task = self._task(paths[0]) if paths else None
        if task is None:
            msg = "API task"
            raise not_found(msg)
        access = self._access_to(request, task)
        return json_response(
            {"executionResult": {**access, **self._result(task, body.get("botInput"))}}
        )

    async def _access(self, request: Request) -> Response:
        paths = as_strings((await json_object(request)).get("botRepositoryPath"))
        if paths is None:
            msg = "botRepositoryPath is a list of paths"
            raise bad_request(msg)
        details: JsonObject = {}
        errors: JsonObject = {}
        for path in paths:
            task = self._task(path)
            if task is None:
                errors[path] = {"code": "hotbot.not.found", "message": "No API task has this path"}
            else:
                details[path] = self._access_to(request, task)
        return json_response({"accessDetails": details, "errors": errors})

    async def _execute(self, request: Request) -> Response:
        key = request.path_params["fileId"]
        if not self._sessions.valid(request.headers.get("x-authorization", ""), _holder(key)):
            raise unauthorized()
        body = await _object_or_nothing(request)
        row = self._automations.get(key)
        if row is None:
            msg = "API task"
            raise not_found(msg)
        return json_response(self._result(row.data(), body.get("botInput")))

    def _access_to(self, request: Request, task: JsonObject) -> JsonObject:
        path = _EXECUTE.removesuffix("/execute").format(fileId=task["id"])
        token = self._sessions.lend(_holder(task["id"]))
        return {
            "url": str(request.base_url).rstrip("/") + path,
            "headers": {"X-Authorization": token},
        }

    def _result(self, task: JsonObject, inputs: Any) -> JsonObject:
        self._runs += 1
        return {
            "executionId": f"api-task-{task['id']}-{self._runs}",
            "status": "COMPLETED",
            "botOutVariables": {
                "values": {
                    "task": {"type": "STRING", "string": task["name"]},
                    **(as_object(inputs) or {}),
                }
            },
        }

    def _paths(self) -> list[str]:
        return [row.fields["path"] for row in self._automations if row.fields["type"] == API_TASK]

    def _task(self, path: Any) -> JsonObject | None:
        """Find an API task by its path, or by its repository URI."""
        for row in self._automations:
            if row.fields["type"] == API_TASK:
                data = row.data()
                if path in (data["path"], data["uri"]):
                    return data
        return None


def _holder(file_id: str) -> str:
    return f"api-task:{file_id}"


async def _object_or_nothing(request: Request) -> JsonObject:
    """Read a body that may be left out.

    Raises:
        ApiError: there is one, and it is not a JSON object.
    """
    if not await request.body():
        return {}
    return await json_object(request)
