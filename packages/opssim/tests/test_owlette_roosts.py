"""Roosts and versions of the simulated Owlette."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx
import pytest

import opssim
from opssim.owlette import OwletteHabits, OwletteSimulator, sample
from opssim.owlette.versions import manifest_key

SITE = {"siteId": "site-1"}
ROOST = sample.ROOST
Json = dict[str, Any]


def client_of(simulator: OwletteSimulator) -> Generator[httpx.Client]:
    with opssim.serve(simulator) as running:
        headers = {"Authorization": f"Bearer {simulator.key}"}
        with httpx.Client(base_url=running.url, headers=headers, trust_env=False) as made:
            yield made


@pytest.fixture
def simulator() -> OwletteSimulator:
    return OwletteSimulator()


@pytest.fixture
def client(simulator: OwletteSimulator) -> Generator[httpx.Client]:
    yield from client_of(simulator)


@pytest.fixture
def true_client() -> Generator[httpx.Client]:
    yield from client_of(OwletteSimulator(habits=OwletteHabits.strict()))


def create(client: httpx.Client, **body: Any) -> httpx.Response:
    """Create a roost."""
    return client.post("/api/roosts", json={**SITE, **body})


def get(client: httpx.Client, path: str, **query: Any) -> httpx.Response:
    """Get something of the site."""
    return client.get(f"/api/roosts/{path}", params={**SITE, **query})


def test_a_new_roost_has_only_what_was_given(client: httpx.Client) -> None:
    answer = create(client, name="  Door  ", targets=["m-01", "m-02", "m-01"], extractPath=" D:/x ")
    assert answer.status_code == 201
    made = answer.json()
    assert made["roostId"].startswith("rst_")
    assert len(made["roostId"]) == 22
    assert made == {
        "roostId": made["roostId"],
        "siteId": "site-1",
        "name": "Door",
        "targets": ["m-01", "m-02"],
        "extractPath": "D:/x",
    }
    assert "extractPath" not in create(client, name="Other").json()


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "   "}, {"name": None}, {"name": 7}])
def test_a_roost_needs_a_name(client: httpx.Client, body: Json) -> None:
    answer = create(client, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "roost_name_required")


def test_ids_are_short_only_where_they_may_be(
    client: httpx.Client, true_client: httpx.Client
) -> None:
    assert create(client, name="x", roostId="rst_abc").status_code == 201
    refused = create(true_client, name="x", roostId="rst_abc")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["body.roostId"])
    assert get(true_client, "rst_abc").status_code == 400


def test_a_deleted_roost_comes_back_with_its_versions(client: httpx.Client) -> None:
    assert create(client, name="x", roostId=ROOST).json()["code"] == "conflict"
    deleted = client.delete(f"/api/roosts/{ROOST}", params=SITE).json()
    assert deleted["softDeleted"] is True
    assert client.delete(f"/api/roosts/{ROOST}", params=SITE).status_code == 200
    assert get(client, ROOST).json()["deletedAt"]
    patched = client.patch(f"/api/roosts/{ROOST}", json={**SITE, "name": "y"})
    assert (patched.status_code, patched.json()["code"]) == (409, "conflict")
    listed = client.get("/api/roosts", params=SITE).json()["roosts"]
    assert listed == []
    everything = client.get("/api/roosts", params={**SITE, "includeDeleted": "true"}).json()
    assert [row["roostId"] for row in everything["roosts"]] == [ROOST]
    assert create(client, name="again", roostId=ROOST).status_code == 201
    back = get(client, ROOST).json()
    assert (back["name"], back["versionCounter"], back["deletedAt"]) == ("again", 2, None)
    assert client.delete("/api/roosts/rst_nowhere1", params=SITE).status_code == 404


def test_a_patch_changes_what_is_given(client: httpx.Client) -> None:
    body = {**SITE, "name": "Wall", "extractPath": "D:/wall"}
    answer = client.patch(f"/api/roosts/{ROOST}", json=body).json()
    assert answer["updated"] == ["name", "extractPath", "updatedAt"]
    cleared = client.patch(f"/api/roosts/{ROOST}", json={**SITE, "extractPath": ""}).json()
    assert cleared["updated"] == ["extractPath", "updatedAt"]
    assert get(client, ROOST).json()["extractPath"] is None
    assert client.patch(f"/api/roosts/{ROOST}", json=SITE).status_code == 400


def test_a_roost_is_shown_with_both_versions(client: httpx.Client) -> None:
    shown = get(client, ROOST).json()
    assert shown["currentVersion"]["versionNumber"] == 2
    assert shown["previousVersion"]["versionNumber"] == 1
    assert shown["currentVersion"]["parentVersionId"] == shown["previousVersionId"]
    assert shown["schemaVersion"] == 2


def test_versions_come_newest_first_page_by_page(client: httpx.Client) -> None:
    first = get(client, f"{ROOST}/versions", page_size=1).json()
    assert [row["versionNumber"] for row in first["versions"]] == [2]
    assert first["next_page_token"] == first["nextPageToken"] == first["nextCursor"]
    last = get(client, f"{ROOST}/versions", limit=1, cursor=first["nextCursor"]).json()
    assert [row["versionNumber"] for row in last["versions"]] == [1]
    assert (last["next_page_token"], last["nextCursor"]) == ("", None)


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        ("current", 2),
        ("previous", 1),
        ("first", 1),
        ("1", 1),
        ("%232", 2),
        ("v2", 2),
        ("V1", 1),
        ("%20current%20", 2),
    ],
)
def test_versions_are_named_in_many_ways(client: httpx.Client, ref: str, number: int) -> None:
    assert get(client, f"{ROOST}/versions/{ref}").json()["versionNumber"] == number


def test_versions_are_named_by_id_with_or_without_a_prefix(client: httpx.Client) -> None:
    version_id = get(client, ROOST).json()["currentVersionId"]
    for ref in (version_id, f"vrs_{version_id}"):
        assert get(client, f"{ROOST}/versions/{ref}").json()["versionId"] == version_id


@pytest.mark.parametrize(
    ("ref", "status", "code"),
    [
        ("9", 404, "version_not_found"),
        ("f" * 64, 404, "version_not_found"),
        ("0", 400, "version_ref_malformed"),
        ("latest", 400, "version_ref_malformed"),
        ("v", 400, "version_ref_malformed"),
        ("F" * 64, 400, "version_ref_malformed"),
        ("%20", 400, "version_ref_malformed"),
    ],
)
def test_versions_that_are_none(client: httpx.Client, ref: str, status: int, code: str) -> None:
    answer = get(client, f"{ROOST}/versions/{ref}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_version_has_its_manifest_and_no_time_of_its_own(client: httpx.Client) -> None:
    shown = get(client, f"{ROOST}/versions/current").json()
    assert [file["path"] for file in shown["version"]["files"]] == [
        "index.html",
        "media/intro.bin",
        "readme.txt",
    ]
    assert shown["metadata"]["totalFiles"] == 3
    assert "createdAt" not in shown


def test_a_manifest_that_the_storage_lost_is_gone(
    client: httpx.Client, simulator: OwletteSimulator
) -> None:
    version_id = get(client, ROOST).json()["currentVersionId"]
    simulator.world.database.delete_object(manifest_key("site-1", ROOST, version_id))
    answer = get(client, f"{ROOST}/versions/current")
    assert (answer.status_code, answer.json()["code"]) == (410, "not_found")
    assert answer.json()["type"].endswith("/not-found")


def test_only_the_description_of_a_version_changes(client: httpx.Client) -> None:
    path = f"/api/roosts/{ROOST}/versions/current"
    answer = client.patch(path, json={**SITE, "description": " better "}).json()
    assert (answer["description"], answer["versionNumber"]) == ("better", 2)
    assert client.patch(path, json={**SITE, "description": None}).json()["description"] is None
    assert client.patch(path, json=SITE).status_code == 400
    assert client.patch(path, json={**SITE, "description": "x" * 501}).status_code == 400
    refused = client.patch(path, json={**SITE, "description": "x", "files": []}).json()
    assert refused["code"] == "version_content_immutable"


def test_files_are_paged_by_number(client: httpx.Client) -> None:
    first = get(client, f"{ROOST}/versions/current/files", page_size=2).json()
    assert first["files"] == first["items"]
    assert (first["total"], first["next_page_token"]) == (3, "2")
    rest = get(client, f"{ROOST}/versions/current/files", page_token="2").json()
    assert [file["path"] for file in rest["files"]] == ["readme.txt"]
    assert rest["next_page_token"] == ""
    some = get(client, f"{ROOST}/versions/current/files", prefix="media/").json()
    assert (some["total"], some["files"][0]["path"]) == (1, "media/intro.bin")
    assert set(some["files"][0]["chunks"][0]) == {"hash", "size"}
    assert get(client, f"{ROOST}/versions/current/files", page_size=501).status_code == 400


def test_two_versions_are_compared(client: httpx.Client) -> None:
    diff = get(client, f"{ROOST}/versions/current/diff", against="first").json()
    assert diff["summary"] == {
        "added": 1,
        "removed": 0,
        "changed": 0,
        "unchanged": 2,
        "hasChanges": True,
        "netBytesDelta": 22,
    }
    (added,) = diff["added"]
    assert (added["path"], added["size"], added["chunks"]) == ("readme.txt", 22, 1)
    back = get(client, f"{ROOST}/versions/first/diff", against="current").json()
    assert (back["summary"]["removed"], back["summary"]["netBytesDelta"]) == (1, -22)
    same = get(client, f"{ROOST}/versions/2/diff", against="current").json()
    assert same["summary"]["hasChanges"] is False
    assert get(client, f"{ROOST}/versions/2/diff").status_code == 400


def test_a_manifest_can_be_got_from_the_storage(client: httpx.Client) -> None:
    version_id = get(client, ROOST).json()["currentVersionId"]
    body = {**SITE, "versionId": version_id}
    answer = client.post(f"/api/roosts/{ROOST}/version-url", json=body).json()
    manifest = httpx.get(answer["url"], trust_env=False).json()
    assert manifest == get(client, f"{ROOST}/versions/current").json()["version"]
