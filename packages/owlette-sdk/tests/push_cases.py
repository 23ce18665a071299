"""What tests of pushes have in common: what is asked for, and what happens meanwhile."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_owlette import SITE, Reply, Request, SmallOwlette

from roost import PushOptions, Roost
from roost._push.cache import GRAIN_NS

CHUNK = 4 * 1024 * 1024
ROOST = "rst_abc"


def options(**more: Any) -> PushOptions:
    return PushOptions(site_id=SITE, **more)


def files_in(root: Path, *, empty: bool = False) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): content
        for path in root.rglob("*")
        if path.is_file() and ((content := path.read_bytes()) or empty)
    }


def old(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files be old enough to be remembered."""
    latest = max(max(each.stat().st_mtime_ns, each.stat().st_ctime_ns) for each in root.rglob("*"))
    ahead = latest + GRAIN_NS + 1 - time.time_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + max(0, ahead) + 10**9)


def texts(root: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in root.iterdir()}


def once(kind: str, reply: Reply, *, times: int = 1) -> Callable[[Request], Reply | None]:
    """Answer the first requests of a kind with something else."""
    count = itertools.count()
    return lambda request: reply if request.kind == kind and next(count) < times else None


def meanwhile(
    owlette: SmallOwlette, kind: str, times: int, change: Callable[[int], object]
) -> None:
    """Let something happen when a request of a kind comes."""
    count = itertools.count(1)

    def fault(request: Request) -> None:
        if request.kind == kind and (turn := next(count)) <= times:
            change(turn)

    owlette.faults.append(fault)


async def pushed(client: Roost, root: Path) -> str:
    options = PushOptions(site_id=SITE, include_empty=True, cache=False)
    return (await client.roosts.push(root, ROOST, options)).version_id
