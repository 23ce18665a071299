"""Calls that take several requests: pictures of machines, and installers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost import MachineOfflineError, Roost, RoostApiError, RoostError
from roost.resources import machines
from roost.testing import RecordedTransport, Reply, answer, refusal

PICTURE = b"\x89PNG picture"
URL = "https://store.example/shot.png?X-Amz-Signature=secret"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(machines, "_PACE_S", 0.001)


def _command(status: str, **more: Any) -> Reply:
    return answer({"ok": True, "data": {"commandId": "cmd_1", "status": status, **more}})


def _picture(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=PICTURE)


async def _shot(transport: RecordedTransport, **options: Any) -> bytes:
    async with Roost(token="owk_test_secret", transport=transport) as client:
        return await client.machines.capture_screenshot("site-1", "m-1", **options)


async def test_a_picture(tmp_path: Path) -> None:
    done = _command("completed", result={"screenshot_url": URL})
    transport = RecordedTransport(
        _command("pending"), _command("pending"), _command("in_progress"), done, _picture
    )
    file = tmp_path / "shot.png"
    assert await _shot(transport, monitor="primary", download_to=file) == PICTURE
    assert file.read_bytes() == PICTURE
    sent, *looked, fetched = transport.asked
    assert sent.body == {"type": "capture_screenshot", "params": {"monitor": "primary"}}
    assert {each.target for each in looked} == {"/api/sites/site-1/machines/m-1/commands/cmd_1"}
    assert str(fetched.url) == URL


async def test_the_storage_gets_no_key() -> None:
    done = _command("completed", result={"screenshot_url": URL})
    transport = RecordedTransport(_command("pending"), done, _picture)
    await _shot(transport)
    headers = transport.last.headers
    assert not {"authorization", "roost-version", "idempotency-key"} & set(headers)
    assert "owk_" not in str(headers)


FAILURES: list[tuple[list[Reply], type[Exception], str]] = [
    ([refusal(409, "machine_offline", detail="m-1 is offline")], MachineOfflineError, "m-1"),
    ([_command("pending"), _command("failed", error="no screen")], RuntimeError, "no screen"),
    ([_command("pending"), _command("cancelled")], RuntimeError, "cancelled"),
    ([_command("pending"), _command("completed")], RoostError, "no screenshot_url"),
    ([_command("pending"), _command("pending")], TimeoutError, "pending after 0.01 s"),
    (
        [
            _command("pending"),
            _command("completed", result={"screenshot_url": URL}),
            lambda _: httpx.Response(403, text="<Error/>"),
        ],
        RoostApiError,
        "the storage refused the picture: HTTP 403",
    ),
]


@pytest.mark.parametrize(("replies", "kind", "message"), FAILURES)
async def test_no_picture(replies: list[Reply], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        await _shot(RecordedTransport(*replies), timeout_seconds=0.01)
    assert "Signature" not in str(caught.value)


# ---- installers

STARTED = {"uploadUrl": "https://store.example/up?sig=1", "uploadId": "up_1"}
DONE = {"version": "1.2.3", "download_url": "https://x", "checksum_sha256": "ab", "file_size": 9}


def _installer(folder: Path) -> Path:
    file = folder / "owlette.exe"
    file.write_bytes(b"MZ" + bytes(3_000_000))
    return file


def _stored(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


async def test_an_upload(tmp_path: Path) -> None:
    file = _installer(tmp_path)
    transport = RecordedTransport(answer(STARTED), _stored, answer(DONE))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        done = await client.installer.upload(file, version="1.2.3", release_notes="new")
    assert done == DONE
    start, put, finish = transport.asked
    assert (start.method, start.target) == ("POST", "/api/installer/upload")
    assert start.body == {
        "version": "1.2.3",
        "fileName": "owlette.exe",
        "contentType": "application/octet-stream",
        "releaseNotes": "new",
        "setAsLatest": True,
    }
    assert (put.method, str(put.url)) == ("PUT", STARTED["uploadUrl"])
    assert put.body == file.read_bytes()
    assert put.headers["content-type"] == "application/octet-stream"
    assert put.headers["content-length"] == "3000002"
    assert not {"authorization", "roost-version", "idempotency-key"} & set(put.headers)
    assert (finish.method, finish.target) == ("PUT", "/api/installer/upload")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert finish.body == {"uploadId": "up_1", "checksum_sha256": digest}
    keys = {start.headers["idempotency-key"], finish.headers["idempotency-key"]}
    assert len(keys) == 1
    assert keys.pop().startswith("py-sdk-installer-upload-")


async def test_an_upload_through_a_transport_of_its_own(tmp_path: Path) -> None:
    transport = RecordedTransport(answer(STARTED), answer(DONE))
    storage = RecordedTransport(_stored)
    async with Roost(token="owk_test_secret", transport=transport) as client:
        client.installer._upload_transport = storage  # pyright: ignore[reportPrivateUsage]
        await client.installer.upload(
            str(_installer(tmp_path)), version="1.2.3", set_as_latest=False, idempotency_key="mine"
        )
    assert [each.method for each in storage.asked] == ["PUT"]
    assert transport.asked[0].body["setAsLatest"] is False
    assert [each.headers["idempotency-key"] for each in transport.asked] == ["mine", "mine"]


async def test_an_upload_that_the_storage_refuses(tmp_path: Path) -> None:
    transport = RecordedTransport(answer(STARTED), lambda _: httpx.Response(403))
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(RoostApiError, match="the storage refused the installer: HTTP 403"):
            await client.installer.upload(_installer(tmp_path), version="1.2.3")
    assert len(transport.asked) == 2


async def test_an_installer_that_is_not_there(tmp_path: Path) -> None:
    transport = RecordedTransport()
    async with Roost(token="owk_test_secret", transport=transport) as client:
        with pytest.raises(FileNotFoundError):
            await client.installer.upload(tmp_path / "none.exe", version="1.2.3")
    assert transport.asked == []
