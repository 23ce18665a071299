"""What the reference of the SDK shows: the same imports, calls and arguments."""

from __future__ import annotations

import asyncio
import json
from dataclasses import is_dataclass
from typing import Any

import httpx
import pytest

from roost import (
    ApiKeyScope,
    DeployOptions,
    PushOptions,
    PushResult,
    RetryPolicy,
    RollbackOptions,
    Roost,
    RoostApiError,
    RoostDetail,
    RoostSummary,
    VersionSummary,
    WebhookSubscription,
    is_signature_valid,
    sign_body,
    verify_signature,
)
from roost.resources.roosts import (
    PushProgressEvent,
    PushProgressPublish,
    PushProgressUpload,
)

FIRST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SECOND = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
SITE = "siteId=site-1"
VERSION = {
    "versionId": "vrs_1",
    "versionNumber": 1,
    "description": None,
    "createdAt": "2026-01-01T00:00:00.000Z",
}
FILE = {"path": "a.txt", "size": 11, "chunks": [{"hash": FIRST, "size": 11}]}
HOOK = {"id": "wh_1", "url": "https://example.com/hooks/roost", "events": ["version.published"]}
KEY = {"success": True, "key": "owk_live_x", "keyId": "key_1"}

#: What the API answers: by method and path, as the contract has it.
ANSWERS: dict[str, Any] = {
    "GET /api/whoami": {
        "userId": "u1",
        "email": None,
        "primarySiteId": "site-1",
        "key": {"keyId": "key_1", "keyPrefix": "owk_test_abcdef"},
    },
    "GET /api/version": {"current": "2026-04-22", "supported": ["2026-04-22"]},
    "POST /api/account/api-keys": KEY,
    "GET /api/account/api-keys": {"success": True, "keys": [{"id": "key_1"}]},
    "DELETE /api/account/api-keys/key_1": {"success": True},
    "GET /api/roosts": {"roosts": [{"roostId": "rst_abc", "name": "lobby"}], "nextPageToken": ""},
    "GET /api/roosts/rst_abc": {"roostId": "rst_abc", "currentVersion": VERSION},
    "POST /api/roosts": {"roostId": "rst_lobby_td", "siteId": "site-1"},
    "PATCH /api/roosts/rst_lobby_td": {"roostId": "rst_lobby_td", "updated": ["name"]},
    "DELETE /api/roosts/rst_lobby_td": {"roostId": "rst_lobby_td", "softDeleted": True},
    "POST /api/roosts/rst_abc/rollback": {"ok": True, "currentVersionId": "vrs_3"},
    "POST /api/roosts/rst_abc/deploy": {"rolloutId": "vrs_3", "stage": "scheduled"},
    "POST /api/cortex/conversations": {"ok": True, "data": {"conversationId": "conv_1"}},
    "GET /api/cortex/conversations": {"ok": True, "data": {"conversations": []}},
    "POST /api/cortex/conversations/conv_1": b'data: {"type":"text-delta","delta":"all well"}\n\n',
    "POST /api/chunks/check": {"missing": [SECOND]},
    "POST /api/chunks/upload-urls": {"urls": {SECOND: "https://store.example/put?sig=1"}},
    "POST /api/chunks/download-urls": {"urls": {FIRST: "https://store.example/get?sig=1"}},
    f"POST /api/chunks/{FIRST}/mount": {"digest": FIRST, "mounted": True},
    f"GET /api/chunks/{FIRST}/referrers": {
        "referrers": [{"roostId": "rst_abc", "versionId": "vrs_1"}],
        "nextPageToken": "",
    },
    "GET /api/roosts/rst_abc/versions": {"versions": [VERSION], "nextCursor": None},
    "GET /api/roosts/rst_abc/versions/current": VERSION,
    "PATCH /api/roosts/rst_abc/versions/vrs_1": VERSION,
    "GET /api/roosts/rst_abc/versions/3/files": {"files": [FILE]},
    "GET /api/roosts/rst_abc/versions/current/diff": {"summary": {"hasChanges": False}},
    "POST /api/keys": KEY,
    "GET /api/keys": {"success": True, "keys": [{"id": "key_1", "environment": "live"}]},
    "POST /api/keys/key_1/rotate": KEY,
    "DELETE /api/keys/key_1": {"success": True},
    "GET /api/sites": {"sites": [{"id": "site-1", "name": "Lobby"}]},
    "GET /api/sites/site-1": {"id": "site-1", "name": "Lobby"},
    "GET /api/sites/site-1/machines": {"machines": [{"id": "machine-a7f3", "online": True}]},
    "GET /api/sites/site-1/machines/machine-a7f3": {"id": "machine-a7f3"},
    "GET /api/sites/site-1/machines/machine-a7f3/deployments": {"deployments": []},
    "GET /api/sites/site-1/quota": {"siteId": "site-1", "usedBytes": 5, "limitBytes": 10},
    "GET /api/sites/site-1/quota/history": {"period": "30d", "daily": []},
    "POST /api/webhooks": {**HOOK, "signingSecret": "whsec_1"},
    "GET /api/webhooks": {"webhooks": [HOOK], "nextPageToken": ""},
    "PATCH /api/webhooks/wh_1": HOOK,
    "POST /api/webhooks/wh_1/rotate-secret": {"id": "wh_1", "signingSecret": "whsec_2"},
    "GET /api/webhooks/wh_1/deliveries": {"deliveries": [{"id": "d_1"}], "nextPageToken": ""},
    "GET /api/webhooks/wh_1/deliveries/d_1": {"id": "d_1", "state": "failed"},
    "POST /api/webhooks/wh_1/deliveries/d_1/retry": {"id": "d_2", "retryOf": "d_1"},
    "DELETE /api/webhooks/wh_1": {"id": "wh_1", "softDeleted": True},
    "POST /api/webhooks/probe": {"status": 200, "deliveryId": "d_3"},
}


class Api(httpx.AsyncBaseTransport):
    """Answers by the contract, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        if what not in ANSWERS:
            problem = {"code": "not_found", "title": "not found", "requestId": "req_1"}
            problem["docsUrl"] = "https://owlette.app/docs/api/errors#not_found"
            return httpx.Response(404, json=problem)
        made = ANSWERS[what]
        if isinstance(made, bytes):
            return httpx.Response(200, content=made)
        return httpx.Response(200, json=made)


@pytest.fixture
def api() -> Api:
    return Api()


def _client(api: Api) -> Roost:
    return Roost(
        token="owk_test_x",  # required
        api_url="https://owlette.app",
        environment="test",
        roost_version="2026-04-22",
        retry=RetryPolicy(max_attempts=5),
        timeout=30.0,
        transport=api,
    )


async def test_account(api: Api) -> None:
    async with _client(api) as client:
        identity = await client.account.whoami()
        assert (identity.primary_site_id or "kiosk-fleet-01") == "site-1"
        assert (identity.email or identity.user_id) == "u1"
        assert identity.key
        assert identity.key.key_prefix == "owk_test_abcdef"
        api_version = await client.account.version()
        assert api_version.current in api_version.supported
        created = await client.account.api_keys.create(name="preview publisher")
        assert [key.id for key in await client.account.api_keys.list()] == [created["keyId"]]
        await client.account.api_keys.revoke(created["keyId"])


async def test_roosts(api: Api) -> None:
    async with _client(api) as client:
        async for r in client.roosts.list(site_id="site-1"):
            assert (r.roost_id, r.name, r.current_version_id) == ("rst_abc", "lobby", None)
        rows, cursor = await client.roosts.list_page(site_id="site-1", page_size=20)
        assert (len(rows), cursor) == (1, None)
        rows2, _ = await client.roosts.list_page(site_id="site-1", cursor="rst_abc")
        assert len(rows2) == 1
        detail = await client.roosts.get("rst_abc", site_id="site-1")
        assert detail.current_version
        assert detail.current_version.version_id == "vrs_1"
        created = await client.roosts.create(
            site_id="site-1",
            name="lobby touchdesigner",
            targets=["machine-a7f3"],
            extract_path=r"C:\Projects\lobby",
            roost_id="rst_lobby_td",
        )
        assert created.roost_id == "rst_lobby_td"
        await client.roosts.patch("rst_lobby_td", site_id="site-1", name="lobby (v2)")
        await client.roosts.remove("rst_lobby_td", site_id="site-1")
        await client.roosts.rollback(
            "rst_abc",
            RollbackOptions(site_id="site-1", target_version=3),
        )
        deploy = await client.roosts.deploy(
            "rst_abc",
            DeployOptions(
                site_id="site-1",
                machines=["machine-a7f3"],
                schedule_at="2026-04-25T03:00:00Z",
                dry_run=False,
            ),
        )
        assert deploy.stage == "scheduled"


async def test_cortex(api: Api) -> None:
    async with _client(api) as client:
        conversation = await client.chat.new(
            site_id="site-1", machine_id="machine-a7f3", title="diagnostics"
        )
        page = await client.chat.list(site_id="site-1", page_size=10)
        assert page["conversations"] == []
        said = ""
        async for delta in client.chat.send(
            conversation["conversationId"],
            "summarize machine health",
        ):
            said += delta
        assert said == "all well"


async def test_chunks(api: Api) -> None:
    async with _client(api) as client:
        missing = await client.chunks.check(site_id="site-1", hashes=[FIRST, SECOND])
        assert missing == [SECOND]
        payload = await client.chunks.upload_urls(site_id="site-1", hashes=missing)
        assert dict(payload.get("urls", {}).items()) == {SECOND: "https://store.example/put?sig=1"}
        downloads = await client.chunks.download_urls(site_id="site-1", hashes=[FIRST])
        assert FIRST in downloads["urls"]
        await client.chunks.mount(FIRST, site_id="site-1", from_roost="rst_a", to_roost="rst_b")
        async for ref in client.chunks.referrers(FIRST, site_id="site-1"):
            assert (ref["roostId"], ref["versionId"]) == ("rst_abc", "vrs_1")


async def test_versions(api: Api) -> None:
    async with _client(api) as client:
        async for v in client.versions.list("rst_abc", site_id="site-1"):
            assert f"v{v['versionNumber']} {v['versionId']} {v.get('description')}" == (
                "v1 vrs_1 None"
            )
            assert v["createdAt"]
        found = await client.versions.get("rst_abc", "current", site_id="site-1")
        await client.versions.patch(
            "rst_abc",
            found["versionId"],
            site_id="site-1",
            description="updated release notes",
        )
        async for f in client.versions.files("rst_abc", 3, site_id="site-1"):
            assert (f["path"], f["size"], [c["hash"] for c in f["chunks"]]) == (
                "a.txt",
                11,
                [FIRST],
            )
        diff = await client.versions.diff(
            "rst_abc",
            "current",
            site_id="site-1",
            against="previous",
        )
        assert diff["summary"] == {"hasChanges": False}


async def test_keys(api: Api) -> None:
    async with _client(api) as client:
        created = await client.keys.create(
            name="ci publisher",
            environment="live",
            scopes=[
                ApiKeyScope(resource="site", id="site-1", permissions=["read"]),
                ApiKeyScope(resource="roost", id="*", permissions=["read", "write", "deploy"]),
            ],
            ttl_days=90,
        )
        assert created["key"].startswith("owk_live_")
        for k in await client.keys.list():
            assert (k.id, k.key_prefix, k.environment) == ("key_1", None, "live")
        await client.keys.rotate(created["id"], ttl_days=90)
        await client.keys.revoke(created["id"])


async def test_sites_machines_and_quotas(api: Api) -> None:
    async with _client(api) as client:
        for s in await client.sites.list():
            assert (s.id, s.name) == ("site-1", "Lobby")
        assert (await client.sites.get("site-1")).id == "site-1"
        for m in await client.machines.list("site-1"):
            assert (m.id, m.online, m.last_heartbeat) == ("machine-a7f3", True, None)
        assert (await client.machines.get("site-1", "machine-a7f3")).id == "machine-a7f3"
        assert await client.machines.deployments("site-1", "machine-a7f3") == []
        quota = await client.quotas.current("site-1")
        assert (quota.used_bytes, quota.limit_bytes) == (5, 10)
        history = await client.quotas.history("site-1", period="30d")
        assert history["daily"] == []


async def test_webhooks(api: Api) -> None:
    async with _client(api) as client:
        hook = await client.webhooks.subscribe(
            site_id="site-1",
            url="https://example.com/hooks/roost",
            events=["version.published", "deployment.failed"],
        )
        assert hook["signingSecret"] == "whsec_1"
        for h in await client.webhooks.list(site_id="site-1"):
            assert (h.id, h.events) == ("wh_1", ["version.published"])
        await client.webhooks.update(hook["id"], site_id="site-1", events=["version.published"])
        await client.webhooks.rotate_secret(hook["id"], site_id="site-1")
        deliveries = await client.webhooks.deliveries(hook["id"], "site-1")
        assert deliveries["deliveries"]
        first = deliveries["deliveries"][0]
        await client.webhooks.delivery(hook["id"], first["id"], "site-1")
        await client.webhooks.retry_delivery(hook["id"], first["id"], "site-1")
        await client.webhooks.remove(hook["id"], site_id="site-1")
        await client.webhooks.probe(
            "site-1",
            "version.published",
            url="https://example.com/hooks/roost",
            payload={"roostId": "rst_abc", "versionId": "vrs_xyz", "versionNumber": 7},
        )


def test_progress_events_are_told_apart_by_their_phase() -> None:
    def handle(evt: PushProgressEvent) -> str:
        if evt.phase == "discover":
            return f"found {evt.file_count} files ({evt.total_bytes} bytes)"
        if evt.phase == "hash":
            return f"hashing {evt.file} ({evt.files_done}/{evt.files_total})"
        if evt.phase == "check-missing":
            return f"{evt.missing} of {evt.total} chunks need upload"
        if evt.phase == "upload":
            return f"{evt.uploaded}/{evt.total} chunks uploaded"
        return f"publishing version (attempt {evt.attempt})"

    assert handle(PushProgressUpload(uploaded=4, total=9)) == "4/9 chunks uploaded"
    assert handle(PushProgressPublish(attempt=2)) == "publishing version (attempt 2)"


def test_signatures() -> None:
    secret = "whsec_test"
    raw = b'{"event":"version.published"}'
    sig = sign_body(raw, secret="whsec_test")
    result = verify_signature(sig, raw, secret=secret)
    assert result.ok
    assert json.loads(raw)["event"] == "version.published"
    assert is_signature_valid(sig, raw, secret)
    assert verify_signature(sig, raw, secret, tolerance_seconds=600).ok
    assert verify_signature(None, raw, secret).reason == "missing_header"


async def test_errors(api: Api) -> None:
    async with _client(api) as client:
        with pytest.raises(RoostApiError) as caught:
            await client.roosts.get("rst_missing", site_id="site-1")
    err = caught.value
    assert (err.status, err.code, err.request_id) == (404, "not_found", "req_1")
    assert err.problem.get("docsUrl") == "https://owlette.app/docs/api/errors#not_found"


async def test_cancellation(api: Api) -> None:
    async def rows() -> list[str]:
        async with _client(api) as client:
            return [r.roost_id async for r in client.roosts.list(site_id="site-1")]

    assert await asyncio.wait_for(rows(), 30) == ["rst_abc"]


async def test_the_escape_hatch(api: Api) -> None:
    async with _client(api) as client:
        answered = await client.http.request("/api/sites")
        assert answered.data["sites"][0]["id"] == "site-1"


def test_the_types_that_it_names() -> None:
    options = PushOptions(
        site_id="site-1", description="fixed broken lobby video", on_progress=print
    )
    assert (options.name, options.targets, options.ignore) == (None, None, ())
    for kind in (PushResult, RoostDetail, RoostSummary, VersionSummary, WebhookSubscription):
        assert is_dataclass(kind)
