"""Pushes of files that change meanwhile: one state of each of them, or its name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import httpx
import pytest
from push_cases import CHUNK, ROOST, meanwhile, options, texts
from small_owlette import TOKEN, SmallOwlette

from roost import (
    FileChangedError,
    Roost,
    UnreadableError,
)
from roost._push import hashing


@pytest.mark.parametrize("own_transport", [False, True])
async def test_a_file_that_changes_before_it_is_sent_is_read_again(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path, *, own_transport: bool
) -> None:
    def change(_: int) -> None:
        with large.open("r+b") as opened:
            opened.seek(18 * CHUNK)
            opened.write(b"changed")

    meanwhile(owlette, "mint", 1, change)
    transport = httpx.AsyncHTTPTransport() if own_transport else None
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as other:
        await (other if own_transport else client).roosts.push(root, ROOST, options())
    await client.close()
    assert owlette.files(ROOST) == texts(root)
    assert all(_hash(content) == digest for digest, content in owlette.chunks.items())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_bytes_that_change_with_all_times_as_they_were_are_noticed(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as within a tick of a coarse clock, or through a mapping: no stamp tells of it
    def is_as_it_was(*_: object) -> None: ...

    monkeypatch.setattr(hashing, "_check", is_as_it_was)

    def change(_: int) -> None:
        with large.open("r+b") as opened:
            opened.seek(18 * CHUNK)
            opened.write(b"changed")

    meanwhile(owlette, "mint", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert all(_hash(content) == digest for digest, content in owlette.chunks.items())


async def test_a_file_that_becomes_shorter_is_read_again(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    meanwhile(owlette, "mint", 1, lambda _: os.truncate(large, 18 * CHUNK + 5))
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


async def test_a_file_that_changes_all_the_time_is_named(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    turns: list[int] = []

    def change(turn: int) -> None:
        turns.append(turn)
        with large.open("r+b") as opened:
            opened.seek(19 * CHUNK)
            opened.write(os.urandom(9))

    meanwhile(owlette, "mint", 99, change)
    async with client:
        with pytest.raises(
            FileChangedError, match=r"^large\.bin changes while it is read"
        ) as raised:
            await client.roosts.push(root, ROOST, options())
    assert raised.value.path == "large.bin"
    assert len(turns) == 3
    assert "publish" not in owlette.kinds()


async def test_a_chunk_of_a_changed_file_is_sent_from_another_one(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    (root / "zz copy.bin").write_bytes(large.read_bytes())

    def change(_: int) -> None:
        with large.open("wb") as opened:
            opened.write(b"something else")

    meanwhile(owlette, "mint", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


async def test_a_file_that_becomes_empty_is_left_out_as_others_are(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    meanwhile(owlette, "mint", 1, lambda _: os.truncate(large, 0))
    async with client:
        await client.roosts.push(root, ROOST, options())
    expected = texts(root)
    assert expected.pop("large.bin") == b""
    assert owlette.files(ROOST) == expected


async def test_a_file_that_is_gone_is_named(
    owlette: SmallOwlette, client: Roost, root: Path, large: Path
) -> None:
    meanwhile(owlette, "mint", 1, lambda _: large.unlink())
    async with client:
        with pytest.raises(UnreadableError, match=r"large\.bin: No such file"):
            await client.roosts.push(root, ROOST, options())
    assert "publish" not in owlette.kinds()
