"""The state of the simulated Owlette: what was acknowledged is there after a kill, and no half."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from opssim.owlette.database import Database


@contextmanager
def served(file: Path) -> Generator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Serve an Owlette from a process of its own, which is killed at the end."""
    command = [sys.executable, "-m", "opssim", "serve", "owlette", "--state", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if "Ctrl-C" in line:
                break
        url, key = (
            re.search(rf"export {name}=(\S+)", told)
            for name in ("OWLETTE_API_URL", "OWLETTE_TOKEN")
        )
        assert url is not None
        assert key is not None
        headers = {"Authorization": f"Bearer {key[1]}"}
        with httpx.Client(base_url=url[1], headers=headers, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def manifest_of(client: httpx.Client, body: bytes) -> dict[str, Any]:
    """Store a chunk, and return the manifest of one file that has it."""
    digest = hashlib.sha256(body).hexdigest()
    asked = {"siteId": "site-1", "hashes": [digest]}
    urls = client.post("/api/chunks/upload-urls", json=asked).json()["urls"]
    httpx.put(urls[digest], content=body, trust_env=False).raise_for_status()
    chunks = [{"hash": digest, "size": len(body)}]
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.owlette.version.v1+json",
        "config": {},
        "files": [{"path": "a.bin", "size": len(body), "chunks": chunks}],
    }


def publish_until_killed(client: httpx.Client, name: str, acknowledged: dict[str, int]) -> None:
    """Publish version after version, and note those that were acknowledged."""
    for number in range(10_000):
        try:
            version = manifest_of(client, f"{name} {number}".encode())
            body = {"siteId": "site-1", "version": version}
            answer = client.post("/api/roosts/rst_killed1/versions", json=body)
        except httpx.HTTPError:
            return
        assert answer.status_code == 201, answer.text
        acknowledged[answer.json()["versionId"]] = answer.json()["versionNumber"]


@pytest.mark.timeout(120)
def test_every_version_that_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "owlette.db"
    acknowledged: dict[str, int] = {}
    for turn in range(3):
        with served(file) as (process, client):
            threads = [
                threading.Thread(
                    target=publish_until_killed, args=(client, f"{turn}-{each}", acknowledged)
                )
                for each in range(3)
            ]
            before = len(acknowledged)
            for thread in threads:
                thread.start()
            while len(acknowledged) < before + 15 + turn * 4:
                threads[0].join(0.01)
            os.kill(process.pid, signal.SIGKILL)
            for thread in threads:
                thread.join(30)
    with served(file) as (_, client):
        versions = all_versions(client)
        numbers = sorted(row["versionNumber"] for row in versions.values())
        assert numbers == list(range(1, len(numbers) + 1))
        for version_id, number in acknowledged.items():
            assert versions[version_id]["versionNumber"] == number
        for version_id in versions:  # none is half there: its manifest and its chunk can be had
            answer = client.get(
                f"/api/roosts/rst_killed1/versions/{version_id}", params={"siteId": "site-1"}
            )
            (entry,) = answer.json()["version"]["files"]
            asked = {"siteId": "site-1", "hashes": [entry["chunks"][0]["hash"]]}
            assert client.post("/api/chunks/check", json=asked).json() == {"missing": []}
        roost = client.get("/api/roosts/rst_killed1", params={"siteId": "site-1"}).json()
        assert roost["versionCounter"] == len(numbers)
        assert versions[roost["currentVersionId"]]["versionNumber"] == len(numbers)


def all_versions(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Return all versions of the roost, by id."""
    found: dict[str, dict[str, Any]] = {}
    token = ""
    while True:
        query = {"siteId": "site-1", "page_size": "100", "page_token": token}
        page = client.get("/api/roosts/rst_killed1/versions", params=query).json()
        found |= {row["versionId"]: row for row in page["versions"]}
        token = page["next_page_token"]
        if not token:
            return found


def test_documents_keep_the_order_of_their_making() -> None:
    database = Database()
    for key in ("b", "a", "c"):
        database.put("place", key, {"key": key})
    database.put("place", "b", {"key": "b", "new": True})
    assert [each["key"] for each in database.documents("place")] == ["b", "a", "c"]
    newest = database.documents("place", newest_first=True)
    assert [each["key"] for each in newest] == ["c", "a", "b"]
    assert database.get("place", "b") == {"key": "b", "new": True}
    assert database.delete("place", "a")
    assert not database.delete("place", "a")
    database.close()


def test_a_transaction_that_fails_leaves_nothing() -> None:
    database = Database()
    with database.transaction():
        database.put("place", "kept", {})

    def lose() -> None:
        with database.transaction():
            database.put("place", "lost", {})
            with database.transaction():
                database.put_object("object", b"lost")
            raise LookupError

    with pytest.raises(LookupError):
        lose()
    assert [key for key, _ in database.items("place")] == ["kept"]
    assert database.object("object") is None
    database.close()


def test_transactions_of_many_threads_take_turns() -> None:
    database = Database()
    database.put("place", "count", {"value": 0})

    def add() -> None:
        for _ in range(100):
            with database.transaction():
                document = database.get("place", "count")
                assert document is not None
                database.put("place", "count", {"value": document["value"] + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.get("place", "count") == {"value": 400}
    database.close()


def test_places_with_a_star_count_all_that_fit() -> None:
    database = Database()
    for site in ("one", "two"):
        database.put(f"sites/{site}/machines", "m", {})
        database.put(f"sites/{site}/machines/m/pending", "c", {})
    assert database.count("sites/*/machines") == 2
    assert database.count("sites/*/machines/*/pending") == 2
    assert database.count("sites/one/machines") == 1
    database.close()


def test_objects_are_counted_by_prefix() -> None:
    database = Database()
    database.put_object("a/1", b"12")
    database.put_object("a/2", b"345")
    database.put_object("b/1", b"6")
    assert database.stored_bytes("a/") == 5
    assert database.object_size("a/2") == 3
    assert database.object_size("a/3") is None
    assert database.delete_object("a/2")
    assert database.stored_bytes("a/") == 2
    database.close()
    with pytest.raises(sqlite3.ProgrammingError):
        database.object("a/1")
