"""Pulls and comparisons: equal byte for byte, and nothing is written outside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_cases import CHUNK, ROOST, files_in, pushed
from small_owlette import SITE, TOKEN, Reply, Request, SmallOwlette

from roost import (
    NotFoundError,
    PullError,
    PullOptions,
    PullProgress,
    Roost,
    RoostApiError,
    TransferError,
)

OPTIONS = PullOptions(SITE)


async def test_a_pull_and_a_comparison(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    there = tmp_path / "new" / "there"
    told: list[PullProgress] = []
    async with client:
        version_id = await pushed(client, tree)
        owlette.asked.clear()
        options = PullOptions(SITE, on_progress=told.append)
        result = await client.roosts.pull(ROOST, "current", there, options)
        assert owlette.kinds() == ["version", "mint", *["get"] * 5]
        assert owlette.asked[1].path == "/api/chunks/download-urls"
        assert files_in(there, empty=True) == files_in(tree, empty=True)
        assert result.version_id == version_id
        assert (result.version_number, result.unchanged, result.fetched_chunks) == (1, 0, 5)
        assert result.written == sorted(files_in(tree, empty=True))
        assert result.fetched_bytes == 2 * CHUNK + 99 + 11 + 2
        last = told[-1]
        assert (last.files_done, last.files_total) == (5, 5)
        assert (
            last.bytes_done
            == last.bytes_total
            == sum(map(len, files_in(tree, empty=True).values()))
        )
        assert sorted(each.file for each in told) == result.written
        verified = await client.roosts.verify(ROOST, 1, there, OPTIONS)
        assert verified.is_equal
        assert [*verified.missing, *verified.changed, *verified.extra] == []
    assert not (there / ".roost-pull").exists()


async def test_a_second_pull_fetches_nothing(
    owlette: SmallOwlette, client: Roost, tree: Path
) -> None:
    async with client:
        await pushed(client, tree)
        owlette.asked.clear()
        stamps = {each: each.stat().st_mtime_ns for each in tree.rglob("*")}
        result = await client.roosts.pull(ROOST, 1, tree, OPTIONS)
    assert owlette.kinds() == ["version"]
    assert (result.written, result.unchanged, result.fetched_chunks) == ([], 5, 0)
    assert all(
        each.stat().st_mtime_ns == before for each, before in stamps.items() if each.is_file()
    )


async def test_only_what_differs_is_fetched(
    owlette: SmallOwlette, client: Roost, tree: Path
) -> None:
    async with client:
        await pushed(client, tree)
        expected = files_in(tree, empty=True)
        with (tree / "sub" / "big.bin").open("r+b") as file:
            file.seek(CHUNK + 5)
            file.write(b"other")
        with (tree / "sub" / "deep" / "copy.bin").open("ab") as file:
            file.write(b"longer")
        (tree / "a.txt").unlink()
        (tree / "extra.txt").write_text("mine")
        before = await client.roosts.verify(ROOST, 1, tree, OPTIONS)
        assert before.missing == ["a.txt"]
        assert before.changed == ["sub/big.bin", "sub/deep/copy.bin"]
        assert before.extra == ["extra.txt"]
        assert not before.is_equal
        result = await client.roosts.pull(ROOST, 1, tree, OPTIONS)
        after = await client.roosts.verify(ROOST, 1, tree, OPTIONS)
    assert result.fetched_chunks == 2
    assert files_in(tree, empty=True) == {**expected, "extra.txt": b"mine"}
    assert after.is_equal
    assert after.extra == ["extra.txt"]


async def test_through_a_transport_of_the_callers(
    owlette: SmallOwlette, tree: Path, tmp_path: Path
) -> None:
    transport = httpx.AsyncHTTPTransport()
    async with Roost(token=TOKEN, api_url=owlette.url, transport=transport) as client:
        await pushed(client, tree)
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there", empty=True) == files_in(tree, empty=True)


async def test_what_is_not_there(client: Roost, tree: Path, tmp_path: Path) -> None:
    async with client:
        with pytest.raises(NotFoundError):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
        await pushed(client, tree)
        with pytest.raises(FileNotFoundError):
            await client.roosts.verify(ROOST, 1, tmp_path / "nowhere", OPTIONS)
        with pytest.raises(ValueError, match="at least 1: 0"):
            await client.roosts.pull(ROOST, 1, tree, PullOptions(SITE, concurrency=0))


# ---- what the storage and the server may do


async def test_a_chunk_that_the_storage_has_lost(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    async with client:
        await pushed(client, tree)
        digest = next(each for each, content in owlette.chunks.items() if content == b"hello world")
        del owlette.chunks[digest]
        with pytest.raises(TransferError, match=rf"{digest}: the storage does not have it"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there" / "a.txt").exists()


@pytest.mark.parametrize("content", [b"HELLO WORLD", b"hello", b"hello world!", b""])
async def test_a_chunk_that_is_another_one(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path, content: bytes
) -> None:
    async with client:
        await pushed(client, tree)
        digest = next(each for each, have in owlette.chunks.items() if have == b"hello world")
        owlette.chunks[digest] = content
        with pytest.raises(TransferError, match="other bytes under this hash"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there" / "a.txt").exists()


@pytest.mark.parametrize("data", [None, [], "a page", {"versionId": "x"}])
async def test_an_answer_that_is_no_version(
    owlette: SmallOwlette, client: Roost, tmp_path: Path, data: Any
) -> None:
    owlette.faults.append(lambda request: Reply(data=data))
    async with client:
        with pytest.raises(RoostApiError, match="has no versionId, versionNumber, version"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)


STRANGE: list[Any] = [
    {"files": [{"name": "a"}]},
    {"files": 5},
    {"files": [5]},
    [],
    None,
    {"files": [{"path": 5, "size": 1, "chunks": []}]},
    {"files": [{"path": "a", "size": "1", "chunks": []}]},
    {"files": [{"path": "a", "size": 1, "chunks": [{"hash": "ab" * 32, "size": None}]}]},
    {"files": [{"path": "a", "size": 1, "chunks": [{"hash": 5, "size": 1}]}]},
    {"files": [{"path": "a", "size": 1, "chunks": [{"hash": "../x", "size": 1}]}]},
]


@pytest.mark.parametrize("version", STRANGE)
async def test_a_manifest_of_another_kind(
    owlette: SmallOwlette, client: Roost, tmp_path: Path, version: Any
) -> None:
    odd = {"versionId": "vrs_x", "versionNumber": 1, "version": version}
    owlette.faults.append(lambda request: Reply(data=odd))
    async with client:
        with pytest.raises(PullError, match="none that this release can read"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)


@pytest.mark.skipif(sys.platform == "win32", reason="needs modes of POSIX")
async def test_files_are_not_made_executable(client: Roost, tree: Path, tmp_path: Path) -> None:
    async with client:
        await pushed(client, tree)
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there" / "a.txt").stat().st_mode & 0o111


async def test_urls_are_renewed_and_failures_are_tried_again(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    replies = iter([Reply(503), Reply(403), Reply(drops=True)])
    owlette.faults.append(lambda request: next(replies, None) if request.kind == "get" else None)
    async with client:
        await pushed(client, tree)
        await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert files_in(tmp_path / "there", empty=True) == files_in(tree, empty=True)


def _tamper(change: Callable[[dict[str, Any]], object], *, id_too: bool) -> Any:
    """Let the server tell of a manifest that is another one."""

    def fault(owlette: SmallOwlette, request: Request) -> Reply | None:
        if request.kind != "version":
            return None
        reply = owlette._version(request)  # pyright: ignore[reportPrivateUsage]
        change(reply.data["version"])
        if id_too:
            reply.data["versionId"] = "vrs_of_another_server"
        return reply

    return fault


async def test_a_manifest_that_is_not_what_its_id_says(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path
) -> None:
    fault = _tamper(lambda version: version["files"].pop(), id_too=False)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match="not the one that was published"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "path",
    ["../out", "/etc/out", "a/../../out", "C:\\out", "a\\..\\..\\out", "", ".roost-pull/x", "sub"],
)
async def test_paths_that_lead_elsewhere_are_refused_before_anything_is_written(
    owlette: SmallOwlette, client: Roost, tree: Path, tmp_path: Path, path: str
) -> None:
    fault = _tamper(lambda version: version["files"][0].update(path=path), id_too=True)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match="cannot be written to a folder"):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"size": 10}, "not as large as it is"),
        ({"chunks": [{"hash": "ab" * 32, "size": 0}]}, "no bytes"),
        ({"chunks": [{"hash": "ab" * 32, "size": 2**40}]}, "or more than"),
    ],
)
async def test_manifests_that_make_no_sense(
    owlette: SmallOwlette,
    client: Roost,
    tree: Path,
    tmp_path: Path,
    change: dict[str, Any],
    why: str,
) -> None:
    fault = _tamper(lambda version: version["files"][0].update(change), id_too=True)
    owlette.faults.append(lambda request: fault(owlette, request))
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match=why):
            await client.roosts.pull(ROOST, 1, tmp_path / "there", OPTIONS)


# ---- what may be in the folder


async def test_links_that_lead_out_are_not_followed(
    client: Roost, tree: Path, tmp_path: Path
) -> None:
    there, outside = tmp_path / "there", tmp_path / "outside"
    there.mkdir()
    (outside / "deep").mkdir(parents=True)
    (there / "sub").symlink_to(outside)
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match="leads out of the folder"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        (there / "sub").unlink()
        (there / "inside").mkdir()
        (there / "sub").symlink_to("inside")
        (there / "a.txt").symlink_to(outside / "a.txt")
        await client.roosts.pull(ROOST, 1, there, OPTIONS)
    assert (there / "inside" / "big.bin").read_bytes() == (tree / "sub" / "big.bin").read_bytes()
    assert not (there / "a.txt").is_symlink(), "the link is replaced, not what it leads to"
    assert list(outside.iterdir()) == [outside / "deep"]


async def test_a_link_where_the_work_is_done(client: Roost, tree: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "outside").mkdir()
    (there / ".roost-pull").symlink_to("../outside")
    async with client:
        await pushed(client, tree)
        with pytest.raises(PullError, match=r"\.roost-pull is a link"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)


async def test_something_in_the_way(client: Roost, tree: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    async with client:
        await pushed(client, tree)
        (there / "a.txt").mkdir(parents=True)
        with pytest.raises(PullError, match="a folder is where a file has to be"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        (there / "a.txt").rmdir()
        (there / "sub").write_text("a file")
        with pytest.raises(PullError, match="a file is where a folder has to be"):
            await client.roosts.pull(ROOST, 1, there, OPTIONS)
        with pytest.raises(PullError, match="cannot be written"):
            await client.roosts.pull(ROOST, 1, tree / "a.txt", OPTIONS)
