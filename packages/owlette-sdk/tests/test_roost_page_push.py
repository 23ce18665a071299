"""What the reference of the SDK shows of pushes: the same imports, calls and arguments."""

# ruff: noqa: T201 - as the page has it

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_owlette import TOKEN, Reply, SmallOwlette, refusal

from roost import PushOptions, PushResult, Roost, RoostApiError
from roost.resources.roosts import PushProgressEvent


@pytest.fixture(autouse=True)
def _dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    (tmp_path / "dist").mkdir()
    for number in range(6):
        (tmp_path / "dist" / f"{number}.txt").write_text(f"content {number}")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def served(owlette: SmallOwlette) -> SmallOwlette:
    who = {"userId": "u", "email": None, "role": "member", "primarySiteId": "site-1"}
    owlette.others["/api/whoami"] = [Reply(data=who)]
    return owlette


async def test_hello_world(served: SmallOwlette, capsys: pytest.CaptureFixture[str]) -> None:
    async with Roost(token=TOKEN, api_url=served.url) as client:
        identity = await client.account.whoami()
        site_id = identity.primary_site_id or "kiosk-fleet-01"
        result = await client.roosts.push(
            "./dist", "rst_abc",
            PushOptions(site_id=site_id, description="initial publish"),
        )  # fmt: skip
        assert isinstance(result, PushResult)
        print(
            f"published v{result.version_number}", result.version_id, "—",
            result.stats.uploaded_chunks, "chunks uploaded",
        )  # fmt: skip
    version_id = served.roosts["rst_abc"].head
    assert capsys.readouterr().out == f"published v1 {version_id} — 6 chunks uploaded\n"
    assert served.head("rst_abc")["description"] == "initial publish"


async def test_printing_progress(served: SmallOwlette, capsys: pytest.CaptureFixture[str]) -> None:
    async with Roost(token=TOKEN, api_url=served.url) as client:
        await client.roosts.push(
            "./dist", "rst_abc",
            PushOptions(
                site_id="site-1",
                description="fixed broken lobby video",
                on_progress=print,
            ),
        )  # fmt: skip
    assert len(capsys.readouterr().out.splitlines()) >= 9


async def test_handling_progress(served: SmallOwlette, capsys: pytest.CaptureFixture[str]) -> None:
    stale = iter([refusal(412, "version_stale", currentVersionId="abc")])
    served.faults.append(lambda asked: next(stale, None) if asked.kind == "publish" else None)

    async def handle(evt: PushProgressEvent) -> None:
        if evt.phase == "discover":
            print(f"found {evt.file_count} files ({evt.total_bytes} bytes)")
        elif evt.phase == "hash":
            print(f"hashing {evt.file} ({evt.files_done}/{evt.files_total})")
        elif evt.phase == "check-missing":
            print(f"{evt.missing} of {evt.total} chunks need upload")
        elif evt.phase == "upload":
            print(f"{evt.uploaded}/{evt.total} chunks uploaded")
        elif evt.phase == "publish":
            print(f"publishing version (attempt {evt.attempt})")

    async with Roost(token=TOKEN, api_url=served.url) as client:
        with pytest.raises(RoostApiError):  # there is no version "abc" to publish after
            await client.roosts.push(
                "./dist", "rst_abc",
                PushOptions(site_id="site-1", on_progress=handle, on_conflict="raise"),
            )  # fmt: skip
        await client.roosts.push(
            "./dist", "rst_abc", PushOptions(site_id="site-1", on_progress=handle)
        )
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "found 6 files (54 bytes)"
    assert said[1:8] == [
        *(f"hashing {number}.txt ({number}/6)" for number in range(6)),
        "hashing  (6/6)",
    ]
    assert said[8] == "6 of 6 chunks need upload"
    assert "6/6 chunks uploaded" in said
    assert said[-1] == "0 of 6 chunks need upload"


async def test_the_options_have_their_order_and_their_defaults() -> None:
    options = PushOptions("site-1", "name", ["m"], "C:\\x", "d", print, ("*.log",))
    assert (options.site_id, options.name, options.targets) == ("site-1", "name", ["m"])
    assert (options.extract_path, options.description) == ("C:\\x", "d")
    assert (options.on_progress, options.ignore) == (print, ("*.log",))
    assert PushOptions(site_id="s").ignore == ()


async def test_one_mock_transport_takes_all_requests() -> None:
    """Tests of users have one handler for the API and for the storage."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.host}{request.url.path}")
        if request.url.host == "r2.example":
            assert "authorization" not in request.headers
            return httpx.Response(200)
        if request.url.path.endswith("/chunks/check"):
            return httpx.Response(200, json={"missing": json.loads(request.content)["hashes"]})
        if request.url.path.endswith("/upload-urls"):
            hashes = json.loads(request.content)["hashes"]
            urls = {each: f"https://r2.example/{each}?X-Amz-Signature=x" for each in hashes}
            return httpx.Response(200, json={"urls": urls, "expiresAt": "2026-01-01T00:00:00Z"})
        if request.method == "POST":
            ids: dict[str, Any] = {"versionId": "vrs_1", "currentVersionId": "vrs_1"}
            return httpx.Response(201, json={**ids, "versionNumber": 1, "previousVersionId": None})
        return httpx.Response(501)

    async with Roost(token="owk_test_x", transport=httpx.MockTransport(handler)) as client:
        result = await client.roosts.push("./dist", "rst_abc", PushOptions(site_id="site-1"))
    assert result.version_id == "vrs_1"
    assert sum(each.startswith("PUT r2.example/") for each in asked) == 6
    assert asked[-1] == "POST owlette.app/api/roosts/rst_abc/versions"


async def test_cancelling_by_time(served: SmallOwlette) -> None:
    async def slow(_: PushProgressEvent) -> None:
        await asyncio.sleep(10)

    async with Roost(token=TOKEN, api_url=served.url) as client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(
                client.roosts.push("./dist", "rst_abc", PushOptions("site-1", on_progress=slow)),
                timeout=0.05,
            )
