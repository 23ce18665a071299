"""The versions of the installer: uploaded in three steps, made the latest, deleted."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Generator, Mapping
from typing import Any, Final

import httpx
import pytest
from owlette_client import Room, code_of, opened

UPLOAD: Final = "/api/installer/upload"
BINARY: Final = b"MZ an installer" * 50
DIGEST: Final = hashlib.sha256(BINARY).hexdigest()


@pytest.fixture
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def start(room: Room, version: str = "3.0.0", **changes: Any) -> dict[str, Any]:
    body = {"version": version, "fileName": "Owlette.exe", **changes}
    answer = room.ask("POST", UPLOAD, body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def put(room: Room, started: Mapping[str, Any], body: bytes = BINARY) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return room.http.put(started["uploadUrl"], content=body, headers=headers)


def finish(room: Room, started: Mapping[str, Any], checksum: str = DIGEST) -> httpx.Response:
    body = {"uploadId": started["uploadId"], "checksum_sha256": checksum}
    return room.ask("PUT", UPLOAD, body)


def uploaded(room: Room, version: str, **changes: Any) -> None:
    started = start(room, version, **changes)
    assert put(room, started).status_code == 200
    assert finish(room, started).status_code == 200


def test_a_version_is_uploaded_in_three_steps(room: Room) -> None:
    started = start(room, releaseNotes="faster")
    assert set(started) == {"uploadUrl", "uploadId", "storagePath", "expiresAt"}
    assert put(room, started).status_code == 200
    answer = finish(room, started)
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"version", "download_url", "checksum_sha256", "file_size"}
    assert (told["version"], told["checksum_sha256"]) == ("3.0.0", DIGEST)
    assert told["file_size"] == len(BINARY)
    latest = room.ask("GET", "/api/installer/latest").json()
    assert set(latest) == {
        *("version", "download_url", "checksum_sha256", "release_notes", "file_size"),
        *("uploaded_at", "uploaded_by", "release_date", "deletedAt", "promoted_at"),
        "promoted_by",
    }
    assert (latest["version"], latest["release_notes"]) == ("3.0.0", "faster")
    assert isinstance(latest["uploaded_at"], int)
    assert latest["release_date"].endswith("Z")


def test_one_key_is_good_for_both_requests_of_an_upload(room: Room) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"version": "3.0.0", "fileName": "Owlette.exe"}
    started = room.ask("POST", UPLOAD, body, headers=key).json()
    put(room, started)
    finishing = {"uploadId": started["uploadId"]}
    first, again = (room.ask("PUT", UPLOAD, finishing, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    for method, sent in (("POST", body), ("PUT", finishing)):
        bare = room.ask(method, UPLOAD, sent, headers={"Idempotency-Key": ""})
        assert code_of(bare, 400) == "idempotency_key_required"


def test_an_upload_becomes_the_latest_only_if_it_is_to(room: Room) -> None:
    uploaded(room, "3.0.0", setAsLatest=False)
    assert room.ask("GET", "/api/installer/latest").json()["version"] == "2.4.1"
    rows = room.ask("GET", "/api/installer").json()["versions"]
    assert [each["version"] for each in rows] == ["3.0.0", "2.4.1", "2.4.0", "2.3.0"]
    assert "promoted_at" not in rows[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "3.0"},
        {"version": "v3.0.0"},
        {"fileName": "Owlette.msi"},
        {"fileName": ""},
        {"setAsLatest": "yes"},
    ],
)
def test_an_upload_that_cannot_be_is_refused(room: Room, changes: dict[str, Any]) -> None:
    answer = room.ask("POST", UPLOAD, {"version": "3.0.0", "fileName": "x.exe", **changes})
    assert code_of(answer, 400) == "validation_failed"


def test_nothing_is_finished_before_its_bytes_are_there(room: Room) -> None:
    started = start(room)
    assert code_of(finish(room, started), 404) == "binary_missing"
    put(room, started)
    assert finish(room, started).status_code == 200
    assert code_of(finish(room, started), 409) == "upload_not_pending"
    assert code_of(finish(room, {"uploadId": "upl_absent"}), 404) == "not_found"


def test_bytes_that_are_others_than_said_are_refused(room: Room) -> None:
    started = start(room)
    put(room, started, BINARY[:-1])
    assert code_of(finish(room, started), 412) == "checksum_mismatch"
    assert room.ask("GET", "/api/installer/latest").json()["version"] == "2.4.1"
    put(room, started)
    assert finish(room, started).status_code == 200


def test_an_upload_expires_after_a_quarter_of_an_hour(room: Room) -> None:
    started = start(room)
    put(room, started)
    room.simulator.skip(15 * 60 + 1)
    assert put(room, started).status_code == 403
    assert code_of(finish(room, started), 410) == "upload_expired"


def test_the_storage_takes_no_credential_of_the_api(room: Room) -> None:
    leaked = {"Authorization": f"Bearer {room.simulator.key}"}
    answer = room.http.put(start(room)["uploadUrl"], content=BINARY, headers=leaked)
    assert answer.status_code == 400


def test_an_older_version_is_made_the_latest_again(room: Room) -> None:
    answer = room.ask("POST", "/api/installer/2.3.0/set-latest", {})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["version"], told["latest"]["version"]) == ("2.3.0", "2.3.0")
    assert room.ask("GET", "/api/installer/latest").json()["version"] == "2.3.0"
    assert room.ask("POST", "/api/installer/9.9.9/set-latest", {}).status_code == 404
    bare = room.ask("POST", "/api/installer/2.3.0/set-latest", {}, headers={"Idempotency-Key": ""})
    assert code_of(bare, 400) == "idempotency_key_required"


def test_a_deleted_version_is_hidden_and_cannot_be_the_latest(room: Room) -> None:
    told = room.ask("DELETE", "/api/installer/2.3.0").json()
    assert set(told) == {"version", "deletedAt", "alreadyDeleted"}
    assert (told["version"], told["alreadyDeleted"]) == ("2.3.0", False)
    again = room.ask("DELETE", "/api/installer/2.3.0").json()
    assert again == {**told, "alreadyDeleted": True}
    answer = room.ask("POST", "/api/installer/2.3.0/set-latest", {})
    assert code_of(answer, 409) == "version_deleted"
    for query, is_there in (("", False), ("?includeDeleted=true", True)):
        rows = room.ask("GET", f"/api/installer{query}").json()["versions"]
        assert ("2.3.0" in {each["version"] for each in rows}) is is_there


def test_the_latest_version_and_the_last_two_stay(room: Room) -> None:
    protected = room.ask("DELETE", "/api/installer/2.4.1")
    assert code_of(protected, 409) == "latest_version_protected"
    assert room.ask("DELETE", "/api/installer/2.3.0").status_code == 200
    few = room.ask("DELETE", "/api/installer/2.4.0")
    assert code_of(few, 409) == "min_versions_violated"
    assert (few.json()["minActiveVersions"], few.json()["currentActiveCount"]) == (2, 2)
    assert room.ask("DELETE", "/api/installer/9.9.9").status_code == 404


def test_without_any_version_there_is_no_latest(room: Room) -> None:
    room.simulator.world.database.delete("installer-latest", "latest")
    answer = room.ask("GET", "/api/installer/latest")
    assert code_of(answer, 404) == "latest_installer_not_found"


def test_versions_come_in_pages(room: Room) -> None:
    page = room.ask("GET", "/api/installer?page_size=2").json()
    assert page["next_page_token"] == page["nextPageToken"] == "2.4.0"
    rest = room.ask("GET", "/api/installer?page_size=2&page_token=2.4.0").json()
    assert [each["version"] for each in rest["versions"]] == ["2.3.0"]
    assert rest["next_page_token"] == ""
    assert room.ask("GET", "/api/installer?page_size=101").status_code == 400


def test_the_installer_is_for_superadmins_with_its_scope(room: Room) -> None:
    admin = room.simulator.new_key(uid="usr_admin")
    assert code_of(room.ask("GET", "/api/installer", key=admin), 403) == "forbidden"
    scope = {"resource": "installer", "id": "*", "permissions": ["read", "write"]}
    key = room.simulator.new_key(scope)
    assert room.ask("GET", "/api/installer", key=key).status_code == 200
    changes: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "/api/installer/2.3.0/set-latest", {}),
        ("DELETE", "/api/installer/2.3.0", None),
    ]
    for method, path, body in changes:
        answer = room.ask(method, path, body, key=key)
        assert code_of(answer, 403) == "scope_insufficient"
        required = {"resource": "installer", "id": "*", "permission": "admin"}
        assert answer.json()["required"] == required


def test_every_installer_can_be_downloaded_from_its_url(room: Room) -> None:
    uploaded(room, "3.0.0")
    rows = room.ask("GET", "/api/installer").json()["versions"]
    for row in [*rows, room.ask("GET", "/api/installer/latest").json()]:
        answer = room.http.get(row["download_url"])
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == row["checksum_sha256"]
