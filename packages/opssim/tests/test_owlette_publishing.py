"""Publishing on the simulated Owlette: every outcome, and who wins when many publish at once."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opssim
from opssim.owlette import OwletteSimulator
from opssim.owlette.canonical import canonical_json, version_id_of

Json = dict[str, Any]
HELLO = hashlib.sha256(b"hello world").hexdigest()
PATH = "/api/roosts/rst_demo0001/versions"


class Client:
    """Publishes what is said, in the fewest words."""

    def __init__(self, running: opssim.Running[OwletteSimulator]) -> None:
        self.running = running
        self.http = httpx.Client(
            base_url=running.url,
            headers={"Authorization": f"Bearer {running.simulator.key}"},
            trust_env=False,
        )

    def store(self, body: bytes) -> Json:
        """Put a chunk, and return it as a manifest has it."""
        digest = hashlib.sha256(body).hexdigest()
        asked = {"siteId": "site-1", "hashes": [digest]}
        urls = self.http.post("/api/chunks/upload-urls", json=asked).json()["urls"]
        assert httpx.put(urls[digest], content=body, trust_env=False).status_code == 200
        return {"hash": digest, "size": len(body)}

    def manifest(self, files: Mapping[str, bytes]) -> Json:
        """Store files, and return their manifest."""
        return manifest(
            [
                {"path": path, "size": len(body), "chunks": [self.store(body)] if body else []}
                for path, body in files.items()
            ]
        )

    def publish(self, version: Json, path: str = PATH, **more: Any) -> httpx.Response:
        """Publish a manifest."""
        headers = more.pop("headers", {})
        body = {"siteId": "site-1", "version": version, **more}
        return self.http.post(path, json=body, headers=headers)


def manifest(files: list[Json], config: Json | None = None) -> Json:
    """Return a manifest of these files."""
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.owlette.version.v1+json",
        "config": config or {},
        "files": files,
    }


@pytest.fixture
def client() -> Generator[Client]:
    with opssim.serve(OwletteSimulator(pace_s=0.02)) as running:
        made = Client(running)
        with made.http:
            yield made


def test_the_ids_of_versions_are_those_that_javascript_makes() -> None:
    chunk = {"hash": HELLO, "size": 11}
    version = manifest([{"path": "a.txt", "size": 11, "chunks": [chunk]}])
    assert version_id_of(version) == (
        "37845407462617f538e03f3eae812b1fc9a4abde1105a7379b973b578d55c202"
    )
    odd = manifest([{"path": "dir/ü.bin", "size": 0, "chunks": []}])
    odd["config"] = {"producer": "x", "é": "ü😀\u2028"}
    assert version_id_of(odd) == (
        "57962a036603326420e8c164aa362f81178d138be2ce3340e5889ee6c77768b4"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123456789012345680000, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e300, "1.5e+300"),
        (-2.5e-9, "-2.5e-9"),
        (2**53, "9007199254740992"),
        (0.001, "0.001"),
        (1234.5, "1234.5"),
        ({"b": 1, "a": [True, None, "\u2028"]}, '{"a":[true,null,"\u2028"],"b":1}'),
        ({"10": 1, "9": 2, "a": 3, "01": 4}, '{"9":2,"10":1,"01":4,"a":3}'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\U0001f600":1,"\uffff":2}'),
    ],
)
def test_values_are_written_as_javascript_writes_them(value: object, text: str) -> None:
    assert canonical_json(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=500, deadline=None)
def test_numbers_mean_the_same_when_read_again(number: float) -> None:
    assert float(canonical_json(number)) == number


def test_a_first_version_is_created_with_its_roost(client: Client) -> None:
    version = client.manifest({"a.txt": b"hello world", "b.txt": b"", "c.txt": b"hello world"})
    answer = client.publish(version, expectedCurrentVersionId=None, description=" first ")
    assert answer.status_code == 201
    version_id = version_id_of(version)
    assert answer.json() == {
        "versionId": version_id,
        "versionNumber": 1,
        "currentVersionId": version_id,
        "previousVersionId": None,
    }
    roost = client.http.get("/api/roosts/rst_demo0001", params={"siteId": "site-1"}).json()
    assert (roost["name"], roost["targets"]) == ("rst_demo0001", [])
    assert roost["currentVersion"]["description"] == "first"
    assert (roost["currentVersion"]["totalFiles"], roost["currentVersion"]["totalSize"]) == (3, 22)
    shown = client.http.get(f"/api/chunks/{HELLO}/referrers", params={"siteId": "site-1"}).json()
    assert [(row["source"], row["versionNumber"]) for row in shown["referrers"]] == [("version", 1)]


def test_the_same_again_changes_nothing(client: Client) -> None:
    version = client.manifest({"a.txt": b"1"})
    first = client.publish(version).json()
    again = client.publish(version, description="other")
    assert again.status_code == 200
    assert again.json() == first
    stale = client.publish(version, expectedCurrentVersionId="x" * 64)
    assert stale.status_code == 200  # what is there already is not compared
    named = client.publish(version, expectedCurrentVersionId="x" * 64, name="new name")
    assert (named.status_code, named.json()["code"]) == (412, "version_stale")
    named = client.publish(version, expectedCurrentVersionId=first["versionId"], name="new name")
    assert named.status_code == 200
    roost = client.http.get("/api/roosts/rst_demo0001", params={"siteId": "site-1"}).json()
    assert (roost["name"], roost["versionCounter"]) == ("new name", 1)


def test_who_comes_late_is_told_the_head(client: Client) -> None:
    one, two = client.manifest({"a": b"1"}), client.manifest({"a": b"2"})
    first = client.publish(one).json()["versionId"]
    answer = client.publish(two, expectedCurrentVersionId=None)
    assert answer.status_code == 412
    problem = answer.json()
    assert (problem["code"], problem["title"]) == ("version_stale", "head changed")
    assert problem["detail"].endswith(f"({first}). re-read + retry.")
    assert problem["currentVersionId"] == first
    assert client.publish(two, expectedCurrentVersionId=first).json()["versionNumber"] == 2


def test_an_old_version_is_promoted_with_its_number(client: Client) -> None:
    one, two = client.manifest({"a": b"1"}), client.manifest({"a": b"2"})
    first = client.publish(one).json()
    second = client.publish(two).json()
    back = client.publish(one)
    assert back.status_code == 200
    assert back.json() == {**first, "previousVersionId": second["versionId"]}
    third = client.publish(client.manifest({"a": b"3"})).json()
    assert third["versionNumber"] == 3


def test_chunks_that_are_not_there_are_named(client: Client) -> None:
    lost = [{"hash": f"{number:064x}", "size": 1} for number in range(25)]
    version = manifest([{"path": "a", "size": 25, "chunks": lost}])
    answer = client.publish(version)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (412, "precondition_failed")
    assert problem["missingChunks"] == [chunk["hash"] for chunk in lost[:20]]
    assert problem["detail"].startswith("25 referenced chunk(s)")


def test_a_chunk_may_vanish_before_it_is_published(client: Client) -> None:
    version = client.manifest({"a": b"soon gone"})
    digest = version["files"][0]["chunks"][0]["hash"]
    assert client.running.simulator.forget_chunk(digest)
    assert client.publish(version).json()["missingChunks"] == [digest]
    client.store(b"soon gone")
    assert client.publish(version).status_code == 201


WRONG: list[tuple[Json, str]] = [
    ({"schemaVersion": 3}, "body.version.schemaVersion"),
    ({"mediaType": "text/plain"}, "body.version.mediaType"),
    ({"config": []}, "body.version.config"),
    ({"files": []}, "body.version.files"),
    ({"files": [{"path": "", "size": 0, "chunks": []}]}, "body.version.files[0].path"),
    ({"files": [{"path": "a", "size": -1, "chunks": []}]}, "body.version.files[0].size"),
    ({"files": [{"path": "a", "size": 0, "chunks": 1}]}, "body.version.files[0].chunks"),
    (
        {"files": [{"path": "a", "size": 1, "chunks": [{"hash": "A" * 64, "size": 1}]}]},
        "body.version.files[0].chunks[0].hash",
    ),
]


@pytest.mark.parametrize(("change", "place"), WRONG)
def test_manifests_that_are_none_are_refused_with_the_place(
    client: Client, change: Json, place: str
) -> None:
    version = {**manifest([{"path": "a", "size": 0, "chunks": []}]), **change}
    answer = client.publish(version)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [place]


def test_a_lost_answer_is_replayed(client: Client) -> None:
    version = client.manifest({"a": b"1"})
    headers = {"Idempotency-Key": "one", "Opssim-Fault": '{"lose": true}'}
    with pytest.raises(httpx.RemoteProtocolError):
        client.publish(version, headers=headers)
    again = client.publish(version, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["versionNumber"] == 1
    other = client.publish(version, headers={"Idempotency-Key": "two"})
    assert (other.status_code, other.json()) == (200, again.json())


def race(client: Client, versions: list[Json], head: str | None) -> list[httpx.Response]:
    """Let many publish at once with the same expectation."""
    answers: list[httpx.Response] = []
    start = threading.Barrier(len(versions))

    def publish(version: Json) -> None:
        start.wait()
        answers.append(client.publish(version, expectedCurrentVersionId=head))

    threads = [threading.Thread(target=publish, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("turns", [15, pytest.param(100, marks=pytest.mark.long)])
def test_one_of_twenty_wins_each_time(client: Client, turns: int) -> None:
    versions = [client.manifest({"a": f"build {number}".encode()}) for number in range(20)]
    head: str | None = None
    for turn in range(turns):
        answers = race(client, [{**each, "config": {"turn": turn}} for each in versions], head)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses == {201: 1, 412: 19}, turn
        (won,) = (answer.json() for answer in answers if answer.status_code == 201)
        assert (won["versionNumber"], won["previousVersionId"]) == (turn + 1, head)
        lost = (answer.json() for answer in answers if answer.status_code == 412)
        head = won["versionId"]
        assert {problem["code"] for problem in lost} == {"version_stale"}
