"""Roosts and what is in them: the request that each method sends, to the letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from roost import DeployOptions, RollbackOptions, Roost

#: A call, and the request that it has to send: method, target and body.
Case = tuple[Callable[[Roost], Awaitable[Any]], str, str, Any]
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_S = "siteId=site-1"

CASES: dict[str, Case] = {
    "roosts.list_page": (
        lambda c: c.roosts.list_page(site_id="site-1", page_size=20),
        "GET",
        f"/api/roosts?{_S}&page_size=20",
        None,
    ),
    "roosts.list_page, deleted ones too": (
        lambda c: c.roosts.list_page(site_id="site-1", cursor="rst_a", include_deleted=True),
        "GET",
        f"/api/roosts?{_S}&page_size=50&page_token=rst_a&includeDeleted=true",
        None,
    ),
    "roosts.get": (
        lambda c: c.roosts.get("rst_abc", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc?{_S}",
        None,
    ),
    "roosts.create": (
        lambda c: c.roosts.create(
            site_id="site-1",
            name="lobby touchdesigner",
            targets=["machine-a7f3"],
            extract_path=r"C:\Projects\lobby",
            roost_id="rst_lobby_td",
        ),
        "POST",
        "/api/roosts",
        {
            "siteId": "site-1",
            "name": "lobby touchdesigner",
            "targets": ["machine-a7f3"],
            "extractPath": r"C:\Projects\lobby",
            "roostId": "rst_lobby_td",
        },
    ),
    "roosts.create, no more than a name": (
        lambda c: c.roosts.create(site_id="site-1", name="lobby"),
        "POST",
        "/api/roosts",
        {"siteId": "site-1", "name": "lobby"},
    ),
    "roosts.patch": (
        lambda c: c.roosts.patch("rst_abc", site_id="site-1", name="lobby (v2)"),
        "PATCH",
        "/api/roosts/rst_abc",
        {"siteId": "site-1", "name": "lobby (v2)"},
    ),
    "roosts.patch, without targets and path": (
        lambda c: c.roosts.patch("rst_abc", site_id="site-1", targets=[], extract_path=""),
        "PATCH",
        "/api/roosts/rst_abc",
        {"siteId": "site-1", "targets": [], "extractPath": ""},
    ),
    "roosts.remove": (
        lambda c: c.roosts.remove("rst_abc", site_id="site-1"),
        "DELETE",
        f"/api/roosts/rst_abc?{_S}",
        None,
    ),
    "roosts.rollback": (
        lambda c: c.roosts.rollback("rst_abc", RollbackOptions(site_id="site-1", target_version=3)),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1", "targetVersion": 3},
    ),
    "roosts.rollback, as it is written": (
        lambda c: c.roosts.rollback(
            "rst_abc", RollbackOptions(site_id="site-1", target_version="#3")
        ),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1", "targetVersion": "#3"},
    ),
    "roosts.rollback, by one": (
        lambda c: c.roosts.rollback("rst_abc", RollbackOptions(site_id="site-1")),
        "POST",
        "/api/roosts/rst_abc/rollback",
        {"siteId": "site-1"},
    ),
    "roosts.deploy": (
        lambda c: c.roosts.deploy(
            "rst_abc",
            DeployOptions(
                site_id="site-1",
                version_id="vrs_1",
                machines=["machine-a7f3"],
                schedule_at="2026-04-25T03:00:00Z",
                dry_run=True,
            ),
        ),
        "POST",
        "/api/roosts/rst_abc/deploy",
        {
            "siteId": "site-1",
            "versionId": "vrs_1",
            "machines": ["machine-a7f3"],
            "scheduleAt": "2026-04-25T03:00:00Z",
            "dryRun": True,
        },
    ),
    "roosts.deploy, to all": (
        lambda c: c.roosts.deploy("rst_abc", DeployOptions(site_id="site-1")),
        "POST",
        "/api/roosts/rst_abc/deploy",
        {"siteId": "site-1"},
    ),
    "chunks.check": (
        lambda c: c.chunks.check(site_id="site-1", hashes=[HASH]),
        "POST",
        "/api/chunks/check",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.upload_urls": (
        lambda c: c.chunks.upload_urls("site-1", [HASH]),
        "POST",
        "/api/chunks/upload-urls",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.download_urls": (
        lambda c: c.chunks.download_urls(site_id="site-1", hashes=[HASH]),
        "POST",
        "/api/chunks/download-urls",
        {"siteId": "site-1", "hashes": [HASH]},
    ),
    "chunks.mount": (
        lambda c: c.chunks.mount(HASH, site_id="site-1", from_roost="rst_a", to_roost="rst_b"),
        "POST",
        f"/api/chunks/{HASH}/mount?{_S}&from=rst_a&to=rst_b",
        None,
    ),
    "versions.list_page": (
        lambda c: c.versions.list_page("rst_abc", site_id="site-1", page_token="t"),
        "GET",
        f"/api/roosts/rst_abc/versions?{_S}&page_size=20&page_token=t",
        None,
    ),
    "versions.get": (
        lambda c: c.versions.get("rst_abc", "current", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/current?{_S}",
        None,
    ),
    "versions.get, by number": (
        lambda c: c.versions.get("rst_abc", 3, site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/3?{_S}",
        None,
    ),
    "versions.get, by number sign": (
        lambda c: c.versions.get("rst_abc", "#3", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/versions/%233?{_S}",
        None,
    ),
    "versions.patch": (
        lambda c: c.versions.patch(
            "rst_abc", "vrs_1", site_id="site-1", description="updated release notes"
        ),
        "PATCH",
        "/api/roosts/rst_abc/versions/vrs_1",
        {"siteId": "site-1", "description": "updated release notes"},
    ),
    "versions.patch, without a description": (
        lambda c: c.versions.patch("rst_abc", "vrs_1", site_id="site-1", description=None),
        "PATCH",
        "/api/roosts/rst_abc/versions/vrs_1",
        {"siteId": "site-1", "description": None},
    ),
    "versions.diff": (
        lambda c: c.versions.diff("rst_abc", "current", site_id="site-1", against="previous"),
        "GET",
        f"/api/roosts/rst_abc/versions/current/diff?{_S}&against=previous",
        None,
    ),
    "versions.diff, by the older names": (
        lambda c: c.versions.diff("rst_abc", site_id="site-1", from_version=2, to_version="#3"),
        "GET",
        f"/api/roosts/rst_abc/versions/%233/diff?{_S}&against=2",
        None,
    ),
    "deployments.list_page": (
        lambda c: c.deployments.list_page("rst_abc", site_id="site-1", stage="canary"),
        "GET",
        f"/api/roosts/rst_abc/deployments?{_S}&stage=canary&page_size=20",
        None,
    ),
    "deployments.get": (
        lambda c: c.deployments.get("rst_abc", "ab12", site_id="site-1"),
        "GET",
        f"/api/roosts/rst_abc/deployments/ab12?{_S}",
        None,
    ),
    "roosts.resync": (
        lambda c: c.roosts.resync("rst_abc", site_id="site-1"),
        "POST",
        "/api/roosts/rst_abc/resync",
        {"siteId": "site-1"},
    ),
    "roosts.version_url": (
        lambda c: c.roosts.version_url("rst_abc", "ab12", site_id="site-1"),
        "POST",
        "/api/roosts/rst_abc/version-url",
        {"siteId": "site-1", "versionId": "ab12"},
    ),
}
#: The methods that the reference of the SDK has, but those that stream or take several requests.
PAGE = {
    "roosts": "list_page get create patch remove rollback deploy",
    "chunks": "check upload_urls download_urls mount",
    "versions": "list_page get patch diff",
    "deployments": "list_page get",
}


@pytest.mark.parametrize("name", CASES)
async def test_the_request(name: str, sends: Callable[[Case], Awaitable[None]]) -> None:
    await sends(CASES[name])


def test_every_method_of_the_page_is_here() -> None:
    tested = {name.partition(",")[0] for name in CASES}
    wanted = {f"{noun}.{verb}" for noun, verbs in PAGE.items() for verb in verbs.split()}
    assert wanted - tested == set()
