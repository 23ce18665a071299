"""Every public name in use. Nobody runs this file: mypy and pyright read it, in strict mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, assert_type

import httpx

import roost


async def calls(client: roost.Roost) -> tuple[str, ...]:  # noqa: PLR0915 - one for each
    assert_type(await client.account.whoami(), roost.WhoamiResponse)
    assert_type((await client.account.whoami()).key, roost.AccountKeyContext | None)
    assert_type(await client.account.version(), roost.ApiVersionResponse)
    assert_type(await client.account.api_keys.list(), list[roost.ApiKeyRecord])
    assert_type((await client.account.api_keys.create(name="n"))["keyId"], str)
    assert_type(await client.roosts.get("r", site_id="s"), roost.RoostDetail)
    assert_type(
        (await client.roosts.get("r", site_id="s")).current_version, roost.VersionSummary | None
    )
    assert_type(
        await client.roosts.list_page(site_id="s"), tuple[list[roost.RoostSummary], str | None]
    )
    async for row in client.roosts.list(site_id="s"):
        assert_type(row, roost.RoostSummary)
    options = roost.RollbackOptions(site_id="s", target_version="#3")
    assert_type(await client.roosts.rollback("r", options), roost.RollbackResult)
    deploy = roost.DeployOptions(site_id="s", machines=["m"])
    assert_type(await client.roosts.deploy("r", deploy), roost.DeployResult)
    assert_type(await client.chunks.check("s", ["ab"]), list[str])
    assert_type((await client.chunks.upload_urls("s", ["ab"]))["urls"], dict[str, str])
    async for version in client.versions.list("r", site_id="s"):
        assert_type(version["versionNumber"], int)
    async for file in client.versions.files("r", 3, site_id="s"):
        assert_type(file["chunks"][0]["hash"], str)
    assert_type((await client.versions.get("r", 3, site_id="s"))["versionId"], str)
    async for rollout in client.deployments.list("r", site_id="s"):
        assert_type(rollout["stage"], str)
    scope = roost.ApiKeyScope(resource="site", id="*", permissions=["read"])
    environment: roost.Environment = "live"
    created = await client.keys.create(name="n", scopes=[scope], environment=environment)
    assert_type(created["id"], str)
    assert_type(await client.sites.list(), list[roost.Site])
    assert_type(await client.machines.list("s"), list[roost.MachineSummary])
    assert_type(await client.machines.get("s", "m"), roost.MachineDetail)
    assert_type(await client.machines.deployments("s", "m"), list[roost.MachineDeployment])
    kind: roost.CommandType = "reboot_machine"
    command = await client.machines.dispatch_command("s", "m", kind)
    status: roost.CommandStatus = command["status"]
    assert_type(await client.machines.capture_screenshot("s", "m"), bytes)
    hook = await client.webhooks.subscribe("s", "https://example.com", ["version.published"])
    assert_type(hook["signingSecret"], str)
    assert_type(await client.webhooks.list("s"), list[roost.WebhookSubscription])
    page = await client.installer_deployments.list("s")
    assert_type(page["items"], list[roost.InstallerDeploymentSummary])
    detail = await client.installer_deployments.get("s", "d")
    assert_type(detail, roost.InstallerDeploymentDetail)
    assert_type(detail.targets, list[roost.InstallerDeploymentTarget])
    assert_type(await client.installer.latest(), roost.InstallerVersion)
    mode: roost.ScheduleMode = "always"
    verb: roost.ControlVerb = "restart"
    processes = client.processes("s", "m")
    assert_type(processes, roost.Processes)
    assert_type(await processes.list(), list[roost.ProcessRecord])
    await processes.schedule("p", mode=mode)
    conversations = (await client.chat.list())["conversations"]
    assert_type(conversations, list[roost.ConversationSummary])
    async for text in client.chat.send("c", "m"):
        assert_type(text, str)
    assert_type((await client.users.list())["users"], list[roost.PlatformUser])
    role: roost.PromoteRole = "admin"
    await client.users.promote("u", role)
    add: roost.AddRole = "member"
    members: roost.Members = client.members("s")
    await members.add("u", role=add)
    assert_type(await members.list(), list[roost.Member])
    seat: roost.PerSiteRole = (await members.list())[0].role
    assert_type(await client.quotas.current("s"), roost.QuotaSnapshot)
    history = await client.quotas.history("s")
    assert_type(roost.QuotaHistoryDay.list_of(history["daily"]), list[roost.QuotaHistoryDay])
    async for record in client.logs("s").list():
        assert_type(record, roost.LogRecord)
    async for entry in client.audit_log("s").list():
        assert_type(entry, roost.AuditRecord)
    assert_type(await client.audit_log("s").get("ab"), roost.AuditDetail)
    assert_type(await client.agent_tokens("s").list(), list[roost.AgentToken])
    async for event in client.events.stream("s"):
        assert_type(event, roost.ServerSentEvent)
    assert_type(await client.http.request("/api/x"), roost.ApiResponse)
    assert_type(client.with_options(timeout=1), roost.Roost)
    return status, verb, seat


async def logins() -> roost.DeviceKey:
    def show(code: roost.DeviceCode) -> None:
        assert_type(code.pairing_url, str)

    return await roost.device_login(show)


def groups(client: roost.Roost) -> tuple[object, ...]:
    account: roost.Account = client.account
    keys_of_account: roost.AccountApiKeys = account.api_keys
    chat: roost.Chat = client.chat
    chunks: roost.Chunks = client.chunks
    deployments: roost.Deployments = client.deployments
    events: roost.Events = client.events
    installer: roost.Installer = client.installer
    installers: roost.InstallerDeployments = client.installer_deployments
    keys: roost.Keys = client.keys
    machines: roost.Machines = client.machines
    quotas: roost.Quotas = client.quotas
    roosts: roost.Roosts = client.roosts
    sites: roost.Sites = client.sites
    users: roost.Users = client.users
    versions: roost.Versions = client.versions
    webhooks: roost.Webhooks = client.webhooks
    http: roost.RoostClient = client.http.with_options(roost.CallOptions(timeout=1))
    tokens: roost.AgentTokens = client.agent_tokens("s")
    audit_log: roost.AuditLog = client.audit_log("s")
    logs: roost.Logs = client.logs("s")
    presets: roost.Presets = client.presets("s")
    return (
        *(tokens, audit_log, logs, presets),
        *(keys_of_account, chat, chunks, deployments, events, installer, installers, keys),
        *(machines, quotas, roosts, sites, users, versions, webhooks, http),
    )


def settings(transport: httpx.AsyncBaseTransport) -> roost.Roost:
    def sent(details: roost.RequestDetails) -> None:
        assert_type(details.status, int | None)

    def waits(details: roost.RetryDetails) -> None:
        assert_type(details.wait_s, float)

    return roost.Roost(
        token="owk_test_x",
        api_url=roost.DEFAULT_API_URL,
        roost_version=roost.DEFAULT_ROOST_VERSION,
        retry=roost.RetryPolicy(max_attempts=3),
        transport=transport,
        on_request=sent,
        on_retry=waits,
    )


def errors(error: Exception) -> object:
    if isinstance(error, roost.VersionStaleError):
        return assert_type(error.current_version_id, str | None)
    if isinstance(error, roost.RateLimitedError):
        return assert_type(error.retry_after, float | None)
    if isinstance(error, roost.RoostApiError):
        assert_type(error.problem, dict[str, Any])
        return assert_type(error.field_errors, dict[str, list[str]])
    if isinstance(error, roost.WebhookSignatureError):
        return error.reason
    kinds: list[type[roost.RoostError]] = [
        roost.AuthenticationError,
        roost.ConflictError,
        roost.InvalidRequestError,
        roost.MachineOfflineError,
        roost.NotFoundError,
        roost.PagingError,
        roost.PermissionDeniedError,
        roost.PreconditionFailedError,
        roost.QuotaExceededError,
        roost.RoostTransportError,
        roost.ServerError,
        roost.StreamError,
    ]
    return kinds


def webhooks(headers: dict[str, str], body: bytes) -> object:
    result = roost.verify_signature(
        None, body, ["old", "new"], tolerance_seconds=roost.DEFAULT_REPLAY_TOLERANCE_SECONDS
    )
    assert_type(result, roost.VerifySignatureResult)
    reason: roost.VerifyReason | None = result.reason
    assert_type(roost.is_signature_valid(None, body, "s"), bool)
    assert_type(roost.sign_body(body, "s"), str)
    event = roost.WebhookReceiver("s").receive(headers, body)
    assert_type(event, roost.WebhookEvent | None)
    return reason


def pushes(event: roost.ChunkProgressEvent) -> tuple[object, ...]:
    if isinstance(event, roost.DiscoverProgress):
        assert_type(event.file_count, int)
    else:
        assert_type(event, roost.HashProgress)
    chunk = roost.ChunkDescriptor("ab", roost.CHUNK_SIZE_BYTES)
    entry = roost.ChunkedFileEntry("a.txt", 1, [chunk])
    options = roost.PushOptions(site_id="s", on_progress=print)
    result: type[roost.PushResult] = roost.PushResult
    return entry, options, result, roost.SDK_VERSION, roost.__version__


async def folders(client: roost.Roost) -> list[object]:
    def told(event: roost.PullProgress) -> None:
        assert_type(event.bytes_done, int)

    options = roost.PushOptions(site_id="s", on_conflict="raise", include_empty=True, cache=False)
    plan = await client.roosts.plan("dist", "rst_abc", options)
    assert_type(plan, roost.PushPlan)
    pushed = await client.roosts.push("dist", "rst_abc", options)
    assert_type(pushed, roost.PushResult)
    back = roost.PullOptions(site_id="s", on_progress=told)
    pulled = await client.roosts.pull("rst_abc", pushed.version_number, "there", back)
    assert_type(pulled, roost.PullResult)
    compared = await client.roosts.verify("rst_abc", "current", "there", back)
    assert_type(compared, roost.VerifyResult)
    rollout = await client.deployments.wait("rst_abc", pushed.version_id, site_id="s")
    assert_type(rollout, roost.DeploymentDetail)
    assert_type(rollout, roost.DeploymentDetail)
    return [
        roost.PathRuleError({"con": "reserved"}).offenders,
        roost.UnreadableError({"a": "no"}).paths,
        roost.FileChangedError("a").path,
        roost.TransferError("no", digest="ab", status=500).digest,
        roost.DeploymentFailedError(rollout).deployment,
        roost.PushError,
        roost.PullError,
    ]


def without_asyncio() -> None:
    with roost.RoostSync(token="owk_test_x") as client:
        assert_type(client.sites.list(), list[roost.Site])
        for row in client.roosts.list(site_id="s"):
            assert_type(row, roost.RoostSummary)
        for text in client.chat.send("c", "m"):
            assert_type(text, str)


def is_closed_by_leaving(client: roost.Roost) -> AsyncIterator[str]:
    return client.chat.send("c", "m")
