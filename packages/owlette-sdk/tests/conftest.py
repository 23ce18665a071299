"""Coroutines as tests, each in a loop of its own; and what all tests of requests check."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import Roost
from roost.testing import RecordedTransport, answer


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, and fail if it leaves a task behind."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {
        name: pyfuncitem.funcargs[name]
        for name in inspect.signature(pyfuncitem.obj).parameters
        if name in pyfuncitem.funcargs
    }

    async def run() -> None:
        await pyfuncitem.obj(**arguments)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks that are left: {left}"

    asyncio.run(run())
    return True


Case = tuple[Callable[[Roost], Awaitable[Any]], str, str, Any]


@pytest.fixture
def sends() -> Callable[[Case], Awaitable[None]]:
    """Return what makes a call, and fails unless it sends one request, to the letter."""

    async def check(case: Case) -> None:
        call, method, target, body = case
        transport = RecordedTransport(answer({}))
        async with Roost(token="owk_test_secret", transport=transport) as client:
            await call(client)
        assert len(transport.asked) == 1
        asked = transport.last
        assert (asked.method, asked.target, asked.body) == (method, target, body)
        assert str(asked.url).startswith("https://owlette.app/api/")
        assert asked.headers["authorization"] == "Bearer owk_test_secret"
        assert asked.headers["roost-version"] == "2026-04-22"
        assert asked.headers["user-agent"].startswith("owlette-sdk-python/")
        assert asked.headers["accept"] == "application/json"
        assert ("idempotency-key" in asked.headers) == (method != "GET")
        assert ("content-type" in asked.headers) == (body is not None)
        assert transport.is_closed

    return check
