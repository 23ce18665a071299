"""The last step of a push: other writers, chunks that vanish, answers that are lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from push_cases import ROOST, meanwhile, once, options, texts
from small_owlette import TOKEN, Reply, Request, SmallOwlette, refusal

from roost import (
    PreconditionFailedError,
    Roost,
    RoostApiError,
    VersionStaleError,
)


async def test_somebody_else_is_faster(owlette: SmallOwlette, client: Roost, root: Path) -> None:
    """The version follows theirs, by the head that the server tells of; nothing is sent again."""
    told: list[Any] = []
    other = root.parent / "other"
    other.mkdir()
    (other / "x.txt").write_text("theirs")

    async def meanwhile(event: Any) -> None:
        told.append(event)
        if event.phase == "check-missing":
            async with Roost(token=TOKEN, api_url=owlette.url) as theirs:
                await theirs.roosts.push(other, ROOST, options())

    async with client:
        result = await client.roosts.push(root, ROOST, options(on_progress=meanwhile))
    assert result.version_number == 2
    assert [each.attempt for each in told if each.phase == "publish"] == [1]
    assert owlette.head(ROOST)["parentVersionId"] == result.previous_version_id
    keys = [each.headers["idempotency-key"] for each in owlette.asked if each.kind == "publish"]
    assert len(set(keys)) == 3, "another body, another key"


async def test_somebody_else_is_faster_and_that_is_an_error(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.faults.append(
        once("publish", refusal(412, "version_stale", detail="current head (abc). re-read"))
    )
    async with client:
        with pytest.raises(VersionStaleError) as raised:
            await client.roosts.push(root, ROOST, options(on_conflict="raise"))
    assert raised.value.current_version_id == "abc"
    assert owlette.kinds().count("publish") == 1


@pytest.mark.parametrize("code", ["version_stale", None])
async def test_a_refusal_that_nothing_explains_is_given_up(
    owlette: SmallOwlette, client: Roost, root: Path, code: str | None
) -> None:
    owlette.faults.append(once("publish", refusal(412, code), times=99))
    async with client:
        with pytest.raises(PreconditionFailedError):
            await client.roosts.push(root, ROOST, options())
    assert owlette.kinds().count("publish") == 5


async def test_an_answer_that_is_no_version(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.faults.append(once("publish", Reply(data="a page of a proxy")))
    async with client:
        with pytest.raises(RoostApiError, match="has no versionId, versionNumber"):
            await client.roosts.push(root, ROOST, options())


async def test_another_412_is_raised_at_once(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    owlette.faults.append(once("publish", refusal(412, "checksum_mismatch"), times=99))
    async with client:
        with pytest.raises(PreconditionFailedError):
            await client.roosts.push(root, ROOST, options())
    assert owlette.kinds().count("publish") == 1


async def test_chunks_that_vanish_are_uploaded_again(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    meanwhile(owlette, "publish", 1, lambda _: [owlette.chunks.popitem() for _ in range(3)])
    async with client:
        result = await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)
    assert result.stats.uploaded_chunks == 15
    keys = {each.headers["idempotency-key"] for each in owlette.asked if each.kind == "publish"}
    assert len(keys) == 1, "the same body, the same key"


async def test_chunks_that_vanish_for_ever(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    meanwhile(owlette, "publish", 99, lambda _: owlette.chunks.popitem())
    async with client:
        with pytest.raises(PreconditionFailedError) as raised:
            await client.roosts.push(root, ROOST, options())
    assert raised.value.code == "precondition_failed"
    assert owlette.kinds().count("publish") == 4


async def test_a_vanished_chunk_of_a_file_that_has_changed_since(
    owlette: SmallOwlette, client: Roost, root: Path
) -> None:
    def change(_: int) -> None:
        owlette.chunks.clear()
        (root / "00.txt").write_text("another content")

    meanwhile(owlette, "publish", 1, change)
    async with client:
        await client.roosts.push(root, ROOST, options())
    assert owlette.files(ROOST) == texts(root)


def _loses(owlette: SmallOwlette, *, forgets: bool) -> Callable[[Request], Reply | None]:
    """Publish, and lose the answer; and forget the key, as after a day."""
    count = itertools.count()

    def fault(request: Request) -> Reply | None:
        if request.kind != "publish" or next(count):
            return None
        if forgets:
            request.headers.pop("idempotency-key")
        owlette._publish(request)  # pyright: ignore[reportPrivateUsage]
        return Reply(drops=True)

    return fault


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("more", [{}, {"name": "Lobby"}])
async def test_an_answer_that_is_lost(
    owlette: SmallOwlette, client: Roost, root: Path, more: dict[str, Any], *, forgets: bool
) -> None:
    owlette.faults.append(_loses(owlette, forgets=forgets))
    async with client:
        result = await client.roosts.push(root, ROOST, options(**more))
    assert (result.version_number, result.version_id) == (1, owlette.roosts[ROOST].head)
    assert owlette.roosts[ROOST].counter == 1


@pytest.mark.parametrize("on_conflict", ["retry", "raise"])
async def test_a_head_that_may_not_be_read(
    owlette: SmallOwlette, client: Roost, root: Path, on_conflict: Literal["retry", "raise"]
) -> None:
    owlette.faults.append(once("head", refusal(403, "scope_insufficient"), times=99))
    async with client:
        pushing = client.roosts.push(root, ROOST, options(on_conflict=on_conflict))
        if on_conflict == "raise":
            with pytest.raises(Exception, match="scope_insufficient"):
                await pushing
            return
        await pushing
    assert "expectedCurrentVersionId" not in owlette.asked[-1].json


async def test_a_removed_roost_is_pointed_out(
    owlette: SmallOwlette, client: Roost, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client:
        await client.roosts.push(root, ROOST, options())
        owlette.roosts[ROOST].fields["deletedAt"] = "2026-01-01T00:00:00.000Z"
        await client.roosts.push(root, ROOST, options())
    assert "roost rst_abc was removed" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("writers", [8, pytest.param(20, marks=pytest.mark.long)])
async def test_many_writers_at_once(owlette: SmallOwlette, tmp_path: Path, writers: int) -> None:
    folders: list[Path] = []
    for number in range(writers):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        (folder / "a.txt").write_text(f"by writer {number}")
        folders.append(folder)

    async def write(folder: Path) -> int:
        async with Roost(token=TOKEN, api_url=owlette.url, timeout=60) as client:
            return (await client.roosts.push(folder, ROOST, options())).version_number

    numbers = await asyncio.gather(*map(write, folders))
    assert sorted(numbers) == list(range(1, writers + 1)), "no gaps, and nobody is lost"
    versions = sorted(
        owlette.roosts[ROOST].versions.items(), key=lambda each: each[1]["versionNumber"]
    )
    parents = [each["parentVersionId"] for _, each in versions]
    assert parents == [None, *(version_id for version_id, _ in versions[:-1])]
