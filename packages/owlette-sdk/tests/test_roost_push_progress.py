"""What a push tells on its way: every event, in order, and awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from push_cases import CHUNK, ROOST, files_in, options
from small_owlette import SmallOwlette

from roost import Roost
from roost.resources.roosts import PushProgressEvent


async def test_events_are_told_in_order(owlette: SmallOwlette, client: Roost, dist: Path) -> None:
    told: list[Any] = []
    async with client:
        await client.roosts.push(dist, ROOST, options(on_progress=told.append))
    size = sum(map(len, files_in(dist).values()))
    shown = [
        (
            each.phase,
            *[getattr(each, name) for name in each.__dataclass_fields__ if name != "phase"],
        )
        for each in told
    ]
    big = 2 * CHUNK + 3
    assert shown == [
        ("discover", 3, size),
        ("hash", "a.txt", 0, 3, 0, size),
        ("hash", "sub/big.bin", 1, 3, 11, size),
        ("hash", "sub/copy.bin", 2, 3, 11 + big, size),
        ("hash", "", 3, 3, size, size),
        ("check-missing", 4, 4),
        ("upload", 4, 4),
    ]


async def test_uploads_are_told_of_every_four_chunks(
    owlette: SmallOwlette, client: Roost, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(10):
        (folder / str(number)).write_text(str(number))
    told: list[Any] = []
    async with client:
        await client.roosts.push(folder, ROOST, options(on_progress=told.append, concurrency=1))
    uploads = [(each.uploaded, each.total) for each in told if each.phase == "upload"]
    assert uploads[-1] == (10, 10)
    assert uploads in ([(4, 10), (8, 10), (10, 10)], [(1, 10), (4, 10), (8, 10), (10, 10)])


def _sync(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    return lambda event: seen.append(event.phase)


def _async(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    async def told(event: PushProgressEvent) -> None:
        await asyncio.sleep(0.001)
        seen.append(event.phase)

    return told


def _object(seen: list[str]) -> Callable[[PushProgressEvent], object]:
    class Telling:
        async def __call__(self, event: PushProgressEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event.phase)

    return Telling()


@pytest.mark.parametrize("make", [_sync, _async, _object])
async def test_callbacks_of_every_kind(
    owlette: SmallOwlette,
    client: Roost,
    dist: Path,
    make: Callable[[list[str]], Callable[[PushProgressEvent], Any]],
) -> None:
    seen: list[str] = []
    async with client:
        await client.roosts.push(dist, ROOST, options(on_progress=make(seen)))
    assert seen == ["discover", "hash", "hash", "hash", "hash", "check-missing", "upload"]


@pytest.mark.parametrize("phase", ["discover", "hash", "check-missing", "upload"])
@pytest.mark.parametrize("waits", [False, True])
async def test_what_a_callback_raises_ends_the_push(
    owlette: SmallOwlette, client: Roost, dist: Path, phase: str, *, waits: bool
) -> None:
    def told(event: PushProgressEvent) -> None:
        if event.phase == phase:
            raise ZeroDivisionError

    async def told_later(event: PushProgressEvent) -> None:
        await asyncio.sleep(0)
        told(event)

    async with client:
        with pytest.raises(ZeroDivisionError):
            await client.roosts.push(
                dist, ROOST, options(on_progress=told_later if waits else told)
            )
    assert "publish" not in owlette.kinds()
