"""Pushes that are cancelled, at every step: no task, no thread, no connection is left."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_cases import ROOST, options
from small_owlette import TOKEN, Reply, Request, SmallOwlette

from roost import (
    Roost,
)


@pytest.mark.parametrize("kind", ["head", "check", "mint", "put", "publish"])
@pytest.mark.parametrize("own_transport", [False, True])
async def test_cancelling_leaves_nothing_behind(
    owlette: SmallOwlette, root: Path, kind: str, *, own_transport: bool
) -> None:
    reached, over = threading.Event(), threading.Event()

    def fault(request: Request) -> Reply | None:
        if request.kind == kind:
            reached.set()
            over.wait(10)
        return None

    owlette.faults.append(fault)
    before = {each.name for each in threading.enumerate()}
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as client:
        pushing = asyncio.ensure_future(client.roosts.push(root, ROOST, options()))
        await asyncio.to_thread(reached.wait, 10)
        began = time.monotonic()
        pushing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pushing
        assert time.monotonic() - began < 5, "what was on its way is not waited for"
    left = {each.name for each in threading.enumerate()} - before
    assert not [name for name in left if name.startswith("roost")]
    over.set()
    assert await asyncio.to_thread(owlette.is_left)
    assert kind == "publish" or ROOST not in owlette.roosts


async def test_cancelling_while_files_are_hashed(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    async def told(event: Any) -> None:
        if event.phase == "hash" and event.file == "large.bin":
            await asyncio.sleep(60)

    async with client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(
                client.roosts.push(root, ROOST, options(on_progress=told)), timeout=1
            )
    assert "put" not in owlette.kinds()
