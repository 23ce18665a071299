"""Coroutines as tests, each in a loop of its own; and what all tests of requests check."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from push_cases import CHUNK
from small_owlette import TOKEN, SmallOwlette, small_owlette

from roost import RetryPolicy, Roost
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


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    """Let pushes remember what they have hashed for as long as a test takes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))


@pytest.fixture
def owlette() -> Iterator[SmallOwlette]:
    """Serve a small Owlette."""
    with small_owlette() as served:
        yield served
    assert served.leaks == []


@pytest.fixture
def client(owlette: SmallOwlette) -> Roost:
    """Return a client of it that does not wait long."""
    patience = RetryPolicy(max_attempts=3, base_delay_s=0.01, max_delay_s=0.01)
    return Roost(token=TOKEN, api_url=owlette.url, retry=patience)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a folder with a dozen small files."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"content {number}")
    return folder


@pytest.fixture
def large(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large file, of which nothing is kept in memory between hashing and sending."""
    monkeypatch.setattr("roost._push._KEPT_BYTES", 0)
    file = root / "large.bin"
    with file.open("wb") as opened:
        for _ in range(20):
            opened.write(os.urandom(CHUNK))
    return file


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Make a folder with large files, two of them alike, and an empty one."""
    folder = tmp_path / "dist"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"hello world")
    (folder / "sub" / "big.bin").write_bytes(os.urandom(CHUNK) + os.urandom(CHUNK) + b"end")
    (folder / "sub" / "copy.bin").write_bytes((folder / "sub" / "big.bin").read_bytes())
    (folder / "empty.txt").touch()
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a folder with files of all kinds, in folders."""
    folder = tmp_path / "dist"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"hello world")
    (folder / "empty").touch()
    (folder / "sub" / "big.bin").write_bytes(os.urandom(2 * CHUNK + 99))
    (folder / "sub" / "deep" / "copy.bin").write_bytes((folder / "sub" / "big.bin").read_bytes())
    (folder / "ü b.txt").write_text("ü")
    return folder
