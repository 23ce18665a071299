"""The storage of the simulated Owlette: signed URLs for one object, one method, and a while."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest

import opssim
from opssim.owlette import OwletteHabits, OwletteSimulator

BODY = b"0123456789"
DIGEST = hashlib.sha256(BODY).hexdigest()
SITE = {"siteId": "site-1"}


class Owlette:
    """A simulated Owlette, and a client without any header of its own for the storage."""

    def __init__(self, running: opssim.Running[OwletteSimulator]) -> None:
        self.simulator = running.simulator
        key = running.simulator.key
        self.api = httpx.Client(
            base_url=running.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )
        self.plain = httpx.Client(trust_env=False)

    def url(self, kind: str, digest: str = DIGEST) -> str:
        """Return a URL to `upload` or `download`."""
        answer = self.api.post(f"/api/chunks/{kind}-urls", json={**SITE, "hashes": [digest]})
        return str(answer.json()["urls"][digest])

    def missing(self, *hashes: str) -> Any:
        """Return which chunks are missing."""
        return self.api.post("/api/chunks/check", json={**SITE, "hashes": [*hashes]}).json()[
            "missing"
        ]


def owlette_with(habits: OwletteHabits) -> Generator[Owlette]:
    with opssim.serve(OwletteSimulator(habits=habits)) as running:
        made = Owlette(running)
        with made.api, made.plain:
            yield made


@pytest.fixture
def owlette() -> Generator[Owlette]:
    yield from owlette_with(OwletteHabits())


@pytest.fixture
def true_owlette() -> Generator[Owlette]:
    yield from owlette_with(OwletteHabits.strict())


def test_what_is_put_can_be_got(owlette: Owlette) -> None:
    assert owlette.missing(DIGEST, DIGEST) == [DIGEST, DIGEST]
    put = owlette.plain.put(owlette.url("upload"), content=BODY)
    assert (put.status_code, put.content) == (200, b"")
    assert owlette.missing(DIGEST) == []
    got = owlette.plain.get(owlette.url("download"))
    assert (got.status_code, got.content) == (200, BODY)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Roost-Version", "Idempotency-Key"])
def test_headers_of_the_api_are_refused(owlette: Owlette, name: str) -> None:
    answer = owlette.plain.put(owlette.url("upload"), content=BODY, headers={name: "x"})
    assert answer.status_code == 400
    assert "only one auth mechanism" in answer.text
    assert owlette.missing(DIGEST) == [DIGEST]


def test_a_url_is_for_one_method_and_one_object(owlette: Owlette) -> None:
    url = owlette.url("upload")
    assert owlette.plain.get(url).status_code == 403
    other = url.replace(DIGEST, DIGEST[::-1])
    assert owlette.plain.put(other, content=BODY).status_code == 403
    later = url.replace("exp=", "exp=9")
    assert owlette.plain.put(later, content=BODY).status_code == 403
    assert owlette.plain.put(url.partition("?")[0], content=BODY).status_code == 403


@pytest.mark.parametrize(("kind", "minutes"), [("upload", 60), ("download", 15)])
def test_a_url_expires(owlette: Owlette, kind: str, minutes: int) -> None:
    url = owlette.url(kind)
    method = "PUT" if kind == "upload" else "GET"
    owlette.simulator.skip(minutes * 60 - 5)
    assert owlette.plain.request(method, url, content=BODY).status_code in {200, 404}
    owlette.simulator.skip(10)
    assert owlette.plain.request(method, url, content=BODY).status_code == 403


def test_urls_can_be_made_to_expire_at_once(owlette: Owlette) -> None:
    owlette.simulator.shorten_urls(0)
    assert owlette.plain.put(owlette.url("upload"), content=BODY).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "status", "content", "told"),
    [
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=2-3", 206, b"23", "bytes 2-3/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-", 200, BODY, None),
        ("lines=1-2", 200, BODY, None),
    ],
)
def test_a_part_can_be_got(
    owlette: Owlette, wanted: str, status: int, content: bytes, told: str | None
) -> None:
    owlette.plain.put(owlette.url("upload"), content=BODY)
    answer = owlette.plain.get(owlette.url("download"), headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("content-range") == told


def test_what_is_not_there_is_a_404_of_the_storage(owlette: Owlette) -> None:
    answer = owlette.plain.get(owlette.url("download"))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/xml")
    assert "NoSuchKey" in answer.text


def test_bytes_that_do_not_have_the_hash_are_refused(owlette: Owlette) -> None:
    answer = owlette.plain.put(owlette.url("upload"), content=b"other")
    assert (answer.status_code, owlette.missing(DIGEST)) == (422, [DIGEST])


def test_real_storage_takes_any_bytes_and_counts_none_as_missing(true_owlette: Owlette) -> None:
    assert true_owlette.plain.put(true_owlette.url("upload"), content=b"").status_code == 200
    assert true_owlette.missing(DIGEST) == [DIGEST]
    assert true_owlette.plain.put(true_owlette.url("upload"), content=b"other").status_code == 200
    assert true_owlette.missing(DIGEST) == []


@pytest.mark.parametrize("hashes", [[], ["a"], [DIGEST.upper()], [7], [DIGEST] * 1001, "x", None])
def test_lists_of_hashes_are_checked(owlette: Owlette, hashes: Any) -> None:
    for path in ("check", "upload-urls", "download-urls"):
        answer = owlette.api.post(f"/api/chunks/{path}", json={**SITE, "hashes": hashes})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


def test_a_thousand_hashes_are_allowed(owlette: Owlette) -> None:
    hashes = [f"{number:064x}" for number in range(1000)]
    assert owlette.missing(*hashes) == hashes


def test_a_chunk_is_mounted_again_and_again(owlette: Owlette) -> None:
    owlette.plain.put(owlette.url("upload"), content=BODY)
    for name in ("rst_first001", "rst_second01"):
        owlette.api.post("/api/roosts", json={**SITE, "name": name, "roostId": name})
    path = f"/api/chunks/{DIGEST}/mount"
    query = {**SITE, "from": "rst_first001", "to": "rst_second01"}
    for _ in range(2):
        answer = owlette.api.post(path, params=query)
        assert answer.status_code == 201
        assert answer.json() == {
            "digest": DIGEST,
            "siteId": "site-1",
            "from": "rst_first001",
            "to": "rst_second01",
            "mounted": True,
            "zeroByte": True,
        }
    shown = owlette.api.get(f"/api/chunks/{DIGEST}/referrers", params=SITE).json()
    assert shown["referrers"] == shown["items"]
    (row,) = shown["items"]
    assert (row["source"], row["roostId"], row["toRoostId"]) == ("mount", None, "rst_second01")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"to": "rst_first001"}, 400),
        ({"to": ""}, 400),
        ({"to": "rst_nowhere1"}, 404),
        ({"from": "rst_nowhere1"}, 404),
    ],
)
def test_a_mount_needs_two_roosts(owlette: Owlette, change: dict[str, str], status: int) -> None:
    owlette.plain.put(owlette.url("upload"), content=BODY)
    for name in ("rst_first001", "rst_second01"):
        owlette.api.post("/api/roosts", json={**SITE, "name": name, "roostId": name})
    query = {**SITE, "from": "rst_first001", "to": "rst_second01", **change}
    assert owlette.api.post(f"/api/chunks/{DIGEST}/mount", params=query).status_code == status


def test_a_chunk_that_is_not_there_is_not_mounted(owlette: Owlette) -> None:
    query = {**SITE, "from": "rst_first001", "to": "rst_second01"}
    assert owlette.api.post(f"/api/chunks/{DIGEST}/mount", params=query).status_code == 404


def test_the_storage_meets_faults_too(owlette: Owlette) -> None:
    faults = owlette.simulator.faults
    faults.add(opssim.Fault("/project-content/", method="PUT", delay=0.2, times=1))
    began = time.monotonic()
    assert owlette.plain.put(owlette.url("upload"), content=BODY).status_code == 200
    assert time.monotonic() - began >= 0.2
    faults.add(opssim.Fault("/project-content/", status=503, times=1))
    assert owlette.plain.get(owlette.url("download")).status_code == 503
    faults.add(opssim.Fault("/project-content/", truncate=4, times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        owlette.plain.get(owlette.url("download"))
    assert owlette.plain.get(owlette.url("download")).content == BODY
