"""What can be started in the platforms: tests in Roost.ai, bots and API tasks in a Control Room.

Each action is one function. Settings and secrets that are not given are those of the dlt source of
the same platform: `[sources.roost_source]` and `[sources.cloud_bot_source]`.

An action writes, so its request is sent once: again only where the server surely has not acted on
it, because there was no connection to it or because it answered 429. Errors say whether it may have
been done all the same.
"""

from __future__ import annotations

from opsnest.actions.api_tasks import TaskResult, run_api_task
from opsnest.actions.cloud_bot import Deployment, Execution, deploy
from opsnest.actions.control_room import Login, authenticate
from opsnest.actions.roost_ai import NewTest, Test, TestEvent, create_test, trigger_test

__all__ = [
    "Deployment",
    "Execution",
    "Login",
    "NewTest",
    "TaskResult",
    "Test",
    "TestEvent",
    "authenticate",
    "create_test",
    "deploy",
    "run_api_task",
    "trigger_test",
]
