"""What is remembered from push to push, and when it is not believed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from push_cases import ROOST, files_in, old, options
from small_owlette import TOKEN, SmallOwlette

import roost._push.cache
from roost import Roost


async def test_files_that_are_too_young_are_not_remembered(
    owlette: SmallOwlette, client: Roost, dist: Path
) -> None:
    async with client:
        await client.roosts.push(dist, ROOST, options())
        # within the same tick of a clock: as large, and as old
        before = (dist / "a.txt").stat()
        (dist / "a.txt").write_bytes(b"HELLO WORLD")
        os.utime(dist / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        await client.roosts.push(dist, ROOST, options())
    assert owlette.files(ROOST)["a.txt"] == b"HELLO WORLD"


async def test_a_file_that_looks_the_same_is_read_if_its_inode_was_changed(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(dist, monkeypatch)
    async with client:
        await client.roosts.push(dist, ROOST, options())
        before = (dist / "a.txt").stat()
        await asyncio.sleep(0.02)
        (dist / "a.txt").write_bytes(b"HELLO WORLD")
        os.utime(dist / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        await client.roosts.push(dist, ROOST, options())
    assert owlette.files(ROOST)["a.txt"] == b"HELLO WORLD"


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 1000, None])
async def test_a_damaged_cache_is_done_without(
    owlette: SmallOwlette,
    client: Roost,
    dist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: bytes | None,
) -> None:
    old(dist, monkeypatch)
    cache = tmp_path / "cache.sqlite"
    async with client:
        await client.roosts.push(dist, ROOST, options(cache=cache))
        content = cache.read_bytes()
        cache.write_bytes(content[: len(content) // 2] if damage is None else damage)
        for _ in range(2):
            await client.roosts.push(dist, ROOST, options(cache=cache))
            assert owlette.files(ROOST) == files_in(dist)
        assert owlette.kinds()[-2:] == ["head", "publish"], "it was made anew"


async def test_a_python_without_sqlite(
    owlette: SmallOwlette, client: Roost, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(dist, monkeypatch)
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    async with client:
        for _ in range(2):
            await client.roosts.push(dist, ROOST, options())
    assert owlette.kinds()[-3:] == ["head", "check", "publish"]


async def test_a_cache_that_cannot_be_written(
    owlette: SmallOwlette, client: Roost, dist: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    async with client:
        await client.roosts.push(dist, ROOST, options(cache=tmp_path / "file" / "x.sqlite"))
    assert owlette.files(ROOST) == files_in(dist)


async def test_the_cache_is_in_the_users_folder_and_can_be_left_out(
    owlette: SmallOwlette,
    client: Roost,
    dist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old(dist, monkeypatch)
    async with client:
        await client.roosts.push(dist, ROOST, options(cache=False))
        assert not (tmp_path / "cache").exists()
        await client.roosts.push(dist, ROOST, options())
    assert roost._push.cache.default_path().exists()
    assert TOKEN.encode() not in roost._push.cache.default_path().read_bytes()
