"""The client without asyncio. `scripts/generate_sync.py` makes this file: do not edit it.

Each call runs in a loop that belongs to a thread of the client, and returns when it is done.

    with RoostSync(token=os.environ["OWLETTE_TOKEN"]) as client:
        for site in client.sites.list():
            print(site.id, site.name)
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import httpx

from roost._constants import DEFAULT_API_URL, DEFAULT_ROOST_VERSION, Environment
from roost._hooks import RequestDetails, RetryDetails
from roost._portal import Portal
from roost._retry import RetryPolicy
from roost._roost import Roost
from roost._streaming import ServerSentEvent
from roost.resources._resource import NOT_GIVEN, NotGiven
from roost.resources.account import (
    Account,
    AccountApiKeys,
    ApiVersionResponse,
    CreatedAccountKey,
    WhoamiResponse,
)
from roost.resources.agent_tokens import AgentToken, AgentTokens, RevokedTokens
from roost.resources.audit_log import AuditDetail, AuditLog, AuditRecord
from roost.resources.chat import (
    Chat,
    ConversationPage,
    DeletedConversation,
    NewConversation,
    RenamedConversation,
)
from roost.resources.chunks import ChunkMount, ChunkReferrer, Chunks, ChunkUrls
from roost.resources.deployments import DeploymentDetail, DeploymentRow, Deployments, Stage
from roost.resources.events import Events
from roost.resources.installer import (
    DeletedInstaller,
    Installer,
    InstallerPage,
    InstallerVersion,
    LatestInstaller,
    UploadedInstaller,
)
from roost.resources.installer_deployments import (
    CreatedInstallerDeployment,
    DeletedInstallerDeployment,
    InstallerDeploymentChange,
    InstallerDeploymentDetail,
    InstallerDeploymentPage,
    InstallerDeployments,
)
from roost.resources.keys import ApiKeyRecord, ApiKeyScope, CreatedKey, Keys, RotatedKey
from roost.resources.logs import DeletedLogs, LogLevel, LogRecord, Logs
from roost.resources.machines import (
    CommandState,
    CommandType,
    DeletedScreenshots,
    MachineDeployment,
    MachineDetail,
    Machines,
    MachineSummary,
    SentCommand,
)
from roost.resources.members import AddedMember, AddRole, Member, Members, RemovedMember
from roost.resources.presets import PresetKind, Presets
from roost.resources.processes import (
    CreatedProcess,
    DeletedProcess,
    ProcessCommand,
    Processes,
    ProcessRecord,
    ScheduleBlock,
    ScheduledProcess,
    ScheduleMode,
)
from roost.resources.quotas import QuotaHistory, Quotas, QuotaSnapshot
from roost.resources.roosts import (
    DeployOptions,
    DeployResult,
    PatchedRoost,
    RemovedRoost,
    Resynced,
    RollbackOptions,
    RollbackResult,
    RoostDetail,
    Roosts,
    RoostSummary,
    VersionUrl,
)
from roost.resources.sites import CreatedSite, DeletedSite, Site, Sites, UpdatedSite
from roost.resources.users import (
    AssignedSites,
    DeletedUser,
    PlatformUser,
    PromoteRole,
    RemovedSites,
    RoleChange,
    UserPage,
    Users,
)
from roost.resources.versions import (
    PatchedVersion,
    VersionDetail,
    VersionDiff,
    VersionFile,
    VersionRow,
    Versions,
)
from roost.resources.webhooks import (
    CreatedWebhook,
    DeliveryDetail,
    DeliveryPage,
    ProbeResult,
    RemovedWebhook,
    RetriedDelivery,
    RotatedSecret,
    WebhookRow,
    Webhooks,
    WebhookSubscription,
)

__all__ = ["RoostSync"]


class AccountApiKeysSync:
    """Keys with the scopes of the one in use: `client.account.api_keys`."""

    def __init__(self, group: AccountApiKeys, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account.

        For the rest, see `AccountApiKeys.list`.
        """
        return self._portal.run(self._group.list())

    def create(self, *, name: str | None = None) -> CreatedAccountKey:
        """Make a key, which has the scopes of the one in use, for 90 days.

        For the rest, see `AccountApiKeys.create`.
        """
        return self._portal.run(self._group.create(name=name))

    def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good.

        For the rest, see `AccountApiKeys.revoke`.
        """
        return self._portal.run(self._group.revoke(key_id))


class AgentTokensSync:
    """Agent tokens of one site. Only superadmins may use it."""

    def __init__(self, group: AgentTokens, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[AgentToken]:
        """Return all tokens.

        For the rest, see `AgentTokens.list`.
        """
        return self._portal.run(self._group.list())

    def revoke(
        self,
        *,
        token_id: str | None = None,
        machine_id: str | None = None,
        everything: bool = False,
        idempotency_key: str | None = None,
    ) -> RevokedTokens:
        """Make tokens useless: one, those of a machine, or all of the site.

        For the rest, see `AgentTokens.revoke`.
        """
        return self._portal.run(
            self._group.revoke(
                token_id=token_id,
                machine_id=machine_id,
                everything=everything,
                idempotency_key=idempotency_key,
            )
        )


class AuditLogSync:
    """The audit log of one site: `client.audit_log(site_id)`."""

    def __init__(self, group: AuditLog, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Generator[AuditRecord, None, None]:
        """Yield the records that fit, the latest first.

        For the rest, see `AuditLog.list`.
        """
        return self._portal.iterate(
            self._group.list(
                kind=kind, actor=actor, since=since, page_size=page_size, page_token=page_token
            )
        )

    def list_page(
        self,
        *,
        kind: str | None = None,
        actor: str | None = None,
        since: str | int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> tuple[builtins.list[AuditRecord], str | None]:
        """Return some records, and the token of those that follow; None at the end.

        For the rest, see `AuditLog.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                kind=kind, actor=actor, since=since, page_size=page_size, page_token=page_token
            )
        )

    def get(self, record_hash: str) -> AuditDetail:
        """Return one record, and whether the server finds it in order.

        For the rest, see `AuditLog.get`.
        """
        return self._portal.run(self._group.get(record_hash))


class ChatSync:
    """Conversations with Cortex. With an API key it only looks: it changes nothing."""

    def __init__(self, group: Chat, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def new(
        self,
        *,
        site_id: str | None = None,
        machine_id: str | None = None,
        title: str | None = None,
        idempotency_key: str | None = None,
    ) -> NewConversation:
        """Begin a conversation.

        For the rest, see `Chat.new`.
        """
        return self._portal.run(
            self._group.new(
                site_id=site_id, machine_id=machine_id, title=title, idempotency_key=idempotency_key
            )
        )

    def list(
        self,
        *,
        site_id: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_deleted: bool = False,
    ) -> ConversationPage:
        """Return some of the caller's conversations.

        For the rest, see `Chat.list`.
        """
        return self._portal.run(
            self._group.list(
                site_id=site_id,
                page_size=page_size,
                page_token=page_token,
                include_deleted=include_deleted,
            )
        )

    def send(
        self,
        conversation_id: str,
        message: str,
        *,
        role: Literal["user"] = "user",
        idempotency_key: str | None = None,
    ) -> Generator[str, None, None]:
        """Say something, and yield the answer piece by piece.

        For the rest, see `Chat.send`.
        """
        return self._portal.iterate(
            self._group.send(conversation_id, message, role=role, idempotency_key=idempotency_key)
        )

    def rename(
        self, conversation_id: str, title: str, *, idempotency_key: str | None = None
    ) -> RenamedConversation:
        """Give a conversation another title.

        For the rest, see `Chat.rename`.
        """
        return self._portal.run(
            self._group.rename(conversation_id, title, idempotency_key=idempotency_key)
        )

    def delete(
        self, conversation_id: str, *, idempotency_key: str | None = None
    ) -> DeletedConversation:
        """Delete a conversation.

        For the rest, see `Chat.delete`.
        """
        return self._portal.run(
            self._group.delete(conversation_id, idempotency_key=idempotency_key)
        )


class ChunksSync:
    """Chunks of a site: `client.chunks`. `hashes` are SHA-256 in 64 lower-case hex digits."""

    def __init__(self, group: Chunks, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def check(self, site_id: str, hashes: Sequence[str]) -> list[str]:
        """Return the hashes whose chunks the storage lacks, in the order given.

        For the rest, see `Chunks.check`.
        """
        return self._portal.run(self._group.check(site_id, hashes))

    def upload_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to PUT chunks to, which are good for an hour.

        For the rest, see `Chunks.upload_urls`.
        """
        return self._portal.run(self._group.upload_urls(site_id, hashes))

    def download_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to GET chunks from, which are good for 15 minutes.

        For the rest, see `Chunks.download_urls`.
        """
        return self._portal.run(self._group.download_urls(site_id, hashes))

    def mount(self, digest: str, *, site_id: str, from_roost: str, to_roost: str) -> ChunkMount:
        """Let a second roost refer to a chunk, so that it stays when the first one goes.

        For the rest, see `Chunks.mount`.
        """
        return self._portal.run(
            self._group.mount(digest, site_id=site_id, from_roost=from_roost, to_roost=to_roost)
        )

    def referrers(
        self,
        digest: str,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> Generator[ChunkReferrer, None, None]:
        """Yield what refers to a chunk.

        For the rest, see `Chunks.referrers`.
        """
        return self._portal.iterate(
            self._group.referrers(
                digest, site_id=site_id, page_size=page_size, page_token=page_token, cursor=cursor
            )
        )


class DeploymentsSync:
    """Rollouts of roosts: `client.deployments`."""

    def __init__(self, group: Deployments, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> Generator[DeploymentRow, None, None]:
        """Yield the rollouts of a roost.

        For the rest, see `Deployments.list`.
        """
        return self._portal.iterate(
            self._group.list(
                roost_id,
                site_id=site_id,
                stage=stage,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
            )
        )

    def list_page(
        self,
        roost_id: str,
        *,
        site_id: str,
        stage: Stage | None = None,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> tuple[builtins.list[DeploymentRow], str | None]:
        """Return some rollouts, and the token of those that follow; None at the end.

        For the rest, see `Deployments.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                roost_id,
                site_id=site_id,
                stage=stage,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
            )
        )

    def get(self, roost_id: str, rollout_id: str, *, site_id: str) -> DeploymentDetail:
        """Return a rollout, and how far each of its machines has come.

        For the rest, see `Deployments.get`.
        """
        return self._portal.run(self._group.get(roost_id, rollout_id, site_id=site_id))


class EventsSync:
    """The event stream of a site."""

    def __init__(self, group: Events, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def stream(
        self,
        site_id: str,
        events: Sequence[str] | None = None,
        *,
        reconnect: bool = True,
        keepalives: bool = False,
    ) -> Generator[ServerSentEvent, None, None]:
        """Yield events as they happen, until the loop is left.

        For the rest, see `Events.stream`.
        """
        return self._portal.iterate(
            self._group.stream(site_id, events, reconnect=reconnect, keepalives=keepalives)
        )


class InstallerSync:
    """Installers of Owlette itself."""

    def __init__(self, group: Installer, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        include_deleted: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> InstallerPage:
        """Return some versions.

        For the rest, see `Installer.list`.
        """
        return self._portal.run(
            self._group.list(
                include_deleted=include_deleted, page_size=page_size, page_token=page_token
            )
        )

    def latest(self) -> InstallerVersion:
        """Return the version that machines update to.

        For the rest, see `Installer.latest`.
        """
        return self._portal.run(self._group.latest())

    def upload(
        self,
        file_path: str | Path,
        *,
        version: str,
        release_notes: str | None = None,
        set_as_latest: bool = True,
        idempotency_key: str | None = None,
    ) -> UploadedInstaller:
        """Upload an installer: announce it, PUT it to the storage, and let the server check it.

        For the rest, see `Installer.upload`.
        """
        return self._portal.run(
            self._group.upload(
                file_path,
                version=version,
                release_notes=release_notes,
                set_as_latest=set_as_latest,
                idempotency_key=idempotency_key,
            )
        )

    def set_latest(self, version: str, *, idempotency_key: str | None = None) -> LatestInstaller:
        """Let machines update to a version.

        For the rest, see `Installer.set_latest`.
        """
        return self._portal.run(self._group.set_latest(version, idempotency_key=idempotency_key))

    def delete(self, version: str, *, idempotency_key: str | None = None) -> DeletedInstaller:
        """Delete a version.

        For the rest, see `Installer.delete`.
        """
        return self._portal.run(self._group.delete(version, idempotency_key=idempotency_key))


class InstallerDeploymentsSync:
    """Installers that are run on machines. Changes need an idempotency key: one is made if None."""

    def __init__(self, group: InstallerDeployments, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self, site_id: str, *, page_size: int | None = None, page_token: str | None = None
    ) -> InstallerDeploymentPage:
        """Return some of a site.

        For the rest, see `InstallerDeployments.list`.
        """
        return self._portal.run(
            self._group.list(site_id, page_size=page_size, page_token=page_token)
        )

    def get(self, site_id: str, deployment_id: str) -> InstallerDeploymentDetail:
        """Return one.

        For the rest, see `InstallerDeployments.get`.
        """
        return self._portal.run(self._group.get(site_id, deployment_id))

    def create(
        self,
        site_id: str,
        *,
        name: str,
        installer_name: str,
        installer_url: str,
        silent_flags: str,
        machines: Sequence[str],
        verify_path: str | None = None,
        sha256_checksum: str | None = None,
        close_processes: Sequence[str] | None = None,
        suppress_projects: Sequence[str] | None = None,
        parallel_install: bool = False,
        idempotency_key: str | None = None,
    ) -> CreatedInstallerDeployment:
        """Let machines download an installer and run it.

        For the rest, see `InstallerDeployments.create`.
        """
        return self._portal.run(
            self._group.create(
                site_id,
                name=name,
                installer_name=installer_name,
                installer_url=installer_url,
                silent_flags=silent_flags,
                machines=machines,
                verify_path=verify_path,
                sha256_checksum=sha256_checksum,
                close_processes=close_processes,
                suppress_projects=suppress_projects,
                parallel_install=parallel_install,
                idempotency_key=idempotency_key,
            )
        )

    def retry(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Run it again where it failed.

        For the rest, see `InstallerDeployments.retry`.
        """
        return self._portal.run(
            self._group.retry(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def cancel(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Stop it where it is not over.

        For the rest, see `InstallerDeployments.cancel`.
        """
        return self._portal.run(
            self._group.cancel(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def uninstall(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Take away what was installed.

        For the rest, see `InstallerDeployments.uninstall`.
        """
        return self._portal.run(
            self._group.uninstall(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def delete(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> DeletedInstallerDeployment:
        """Delete the record of it; what was installed stays.

        For the rest, see `InstallerDeployments.delete`.
        """
        return self._portal.run(
            self._group.delete(site_id, deployment_id, idempotency_key=idempotency_key)
        )


class KeysSync:
    """Keys with scopes of their own: `client.keys`. An API key is refused here."""

    def __init__(self, group: Keys, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def create(
        self,
        *,
        name: str,
        scopes: Iterable[ApiKeyScope],
        environment: Environment | None = None,
        ttl_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedKey:
        """Make a key.

        For the rest, see `Keys.create`.
        """
        return self._portal.run(
            self._group.create(
                name=name,
                scopes=scopes,
                environment=environment,
                ttl_days=ttl_days,
                idempotency_key=idempotency_key,
            )
        )

    def list(self) -> list[ApiKeyRecord]:
        """Return all keys of the account, revoked ones included.

        For the rest, see `Keys.list`.
        """
        return self._portal.run(self._group.list())

    def rotate(self, key_id: str, *, ttl_days: int | None = 90) -> RotatedKey:
        """Make a key in the place of another, which stays valid for 24 hours.

        For the rest, see `Keys.rotate`.
        """
        return self._portal.run(self._group.rotate(key_id, ttl_days=ttl_days))

    def revoke(self, key_id: str) -> None:
        """Make a key useless, at once and for good.

        For the rest, see `Keys.revoke`.
        """
        return self._portal.run(self._group.revoke(key_id))


class LogsSync:
    """Log records of one site."""

    def __init__(self, group: Logs, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Generator[LogRecord, None, None]:
        """Yield the records that fit, the latest first.

        For the rest, see `Logs.list`.
        """
        return self._portal.iterate(
            self._group.list(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def list_page(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> tuple[builtins.list[LogRecord], str | None]:
        """Return some records, and the token of those that follow; None at the end.

        For the rest, see `Logs.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def get(self, log_id: str) -> LogRecord:
        """Return one record.

        For the rest, see `Logs.get`.
        """
        return self._portal.run(self._group.get(log_id))

    def delete(
        self,
        *,
        action: str | None = None,
        machine_id: str | None = None,
        level: LogLevel | None = None,
        since: str | None = None,
        until: str | None = None,
        everything: bool = False,
        idempotency_key: str | None = None,
    ) -> DeletedLogs:
        """Delete the records that fit, for good.

        For the rest, see `Logs.delete`.
        """
        return self._portal.run(
            self._group.delete(
                action=action,
                machine_id=machine_id,
                level=level,
                since=since,
                until=until,
                everything=everything,
                idempotency_key=idempotency_key,
            )
        )


class MachinesSync:
    """Machines of sites: `client.machines`."""

    def __init__(self, group: Machines, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self, site_id: str) -> builtins.list[MachineSummary]:
        """Return all machines of a site.

        For the rest, see `Machines.list`.
        """
        return self._portal.run(self._group.list(site_id))

    def get(self, site_id: str, machine_id: str) -> MachineDetail:
        """Return one machine.

        For the rest, see `Machines.get`.
        """
        return self._portal.run(self._group.get(site_id, machine_id))

    def deployments(self, site_id: str, machine_id: str) -> builtins.list[MachineDeployment]:
        """Return how far a machine has come with each of its roosts.

        For the rest, see `Machines.deployments`.
        """
        return self._portal.run(self._group.deployments(site_id, machine_id))

    def dispatch_command(
        self,
        site_id: str,
        machine_id: str,
        type: CommandType,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> SentCommand:
        """Tell a machine to do something; `get_command` tells what came of it.

        For the rest, see `Machines.dispatch_command`.
        """
        return self._portal.run(
            self._group.dispatch_command(
                site_id,
                machine_id,
                type,
                params,
                timeout_seconds=timeout_seconds,
                idempotency_key=idempotency_key,
            )
        )

    def get_command(self, site_id: str, machine_id: str, command_id: str) -> CommandState:
        """Return how far a command has come.

        For the rest, see `Machines.get_command`.
        """
        return self._portal.run(self._group.get_command(site_id, machine_id, command_id))

    def wait_for_command(
        self, site_id: str, machine_id: str, command_id: str, *, timeout_seconds: float = 60.0
    ) -> CommandState:
        """Return a command once it is completed.

        For the rest, see `Machines.wait_for_command`.
        """
        return self._portal.run(
            self._group.wait_for_command(
                site_id, machine_id, command_id, timeout_seconds=timeout_seconds
            )
        )

    def capture_screenshot(
        self,
        site_id: str,
        machine_id: str,
        *,
        monitor: Literal["all", "primary"] | int = "all",
        timeout_seconds: float = 60.0,
        download_to: str | Path | None = None,
        idempotency_key: str | None = None,
    ) -> bytes:
        """Return a picture of what a machine shows, as PNG or JPEG.

        For the rest, see `Machines.capture_screenshot`.
        """
        return self._portal.run(
            self._group.capture_screenshot(
                site_id,
                machine_id,
                monitor=monitor,
                timeout_seconds=timeout_seconds,
                download_to=download_to,
                idempotency_key=idempotency_key,
            )
        )

    def delete_screenshots(
        self, site_id: str, machine_id: str, *, idempotency_key: str | None = None
    ) -> DeletedScreenshots:
        """Delete all pictures of a machine that are kept.

        For the rest, see `Machines.delete_screenshots`.
        """
        return self._portal.run(
            self._group.delete_screenshots(site_id, machine_id, idempotency_key=idempotency_key)
        )


class MembersSync:
    """Members of one site."""

    def __init__(self, group: Members, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[Member]:
        """Return all members.

        For the rest, see `Members.list`.
        """
        return self._portal.run(self._group.list())

    def add(
        self, uid: str, *, role: AddRole = "member", idempotency_key: str | None = None
    ) -> AddedMember:
        """Let a user see the site.

        For the rest, see `Members.add`.
        """
        return self._portal.run(self._group.add(uid, role=role, idempotency_key=idempotency_key))

    def remove(self, uid: str, *, idempotency_key: str | None = None) -> RemovedMember:
        """Let a user not see the site any more.

        For the rest, see `Members.remove`.
        """
        return self._portal.run(self._group.remove(uid, idempotency_key=idempotency_key))


class PresetKindSync:
    """Presets of one kind, as plain objects: their fields depend on the kind."""

    def __init__(self, group: PresetKind, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[dict[str, Any]]:
        """Return all of them.

        For the rest, see `PresetKind.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, preset_id: str) -> dict[str, Any]:
        """Return one.

        For the rest, see `PresetKind.get`.
        """
        return self._portal.run(self._group.get(preset_id))

    def create(
        self, preset: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Make one, and return its id.

        For the rest, see `PresetKind.create`.
        """
        return self._portal.run(self._group.create(preset, idempotency_key=idempotency_key))

    def update(
        self, preset_id: str, changes: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Change the fields that are given.

        For the rest, see `PresetKind.update`.
        """
        return self._portal.run(
            self._group.update(preset_id, changes, idempotency_key=idempotency_key)
        )

    def delete(self, preset_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete one.

        For the rest, see `PresetKind.delete`.
        """
        return self._portal.run(self._group.delete(preset_id, idempotency_key=idempotency_key))


class ProcessesSync:
    """Processes of one machine."""

    def __init__(self, group: Processes, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[ProcessRecord]:
        """Return all processes of the machine.

        For the rest, see `Processes.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, process_id: str) -> ProcessRecord:
        """Return one process.

        For the rest, see `Processes.get`.
        """
        return self._portal.run(self._group.get(process_id))

    def create(
        self,
        *,
        name: str,
        exe_path: str,
        cwd: str | None = None,
        priority: str | None = None,
        visibility: str | None = None,
        launch_mode: ScheduleMode | None = None,
        file_path: str | None = None,
        time_delay: str | None = None,
        time_to_init: str | None = None,
        relaunch_attempts: str | None = None,
        schedules: Sequence[ScheduleBlock] | None = None,
        schedule_preset_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedProcess:
        """Let the machine keep a process running.

        For the rest, see `Processes.create`.
        """
        return self._portal.run(
            self._group.create(
                name=name,
                exe_path=exe_path,
                cwd=cwd,
                priority=priority,
                visibility=visibility,
                launch_mode=launch_mode,
                file_path=file_path,
                time_delay=time_delay,
                time_to_init=time_to_init,
                relaunch_attempts=relaunch_attempts,
                schedules=schedules,
                schedule_preset_id=schedule_preset_id,
                idempotency_key=idempotency_key,
            )
        )

    def update(
        self,
        process_id: str,
        *,
        name: str | None = None,
        exe_path: str | None = None,
        cwd: str | None = None,
        priority: str | None = None,
        visibility: str | None = None,
        launch_mode: ScheduleMode | None = None,
        file_path: str | None = None,
        time_delay: str | None = None,
        time_to_init: str | None = None,
        relaunch_attempts: str | None = None,
        schedules: Sequence[ScheduleBlock] | None = None,
        schedule_preset_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Change what is given, and leave the rest as it is. For arguments, see `create`.

        For the rest, see `Processes.update`.
        """
        return self._portal.run(
            self._group.update(
                process_id,
                name=name,
                exe_path=exe_path,
                cwd=cwd,
                priority=priority,
                visibility=visibility,
                launch_mode=launch_mode,
                file_path=file_path,
                time_delay=time_delay,
                time_to_init=time_to_init,
                relaunch_attempts=relaunch_attempts,
                schedules=schedules,
                schedule_preset_id=schedule_preset_id,
                idempotency_key=idempotency_key,
            )
        )

    def delete(self, process_id: str, *, idempotency_key: str | None = None) -> DeletedProcess:
        """Let the machine forget a process. One that is not there is no error.

        For the rest, see `Processes.delete`.
        """
        return self._portal.run(self._group.delete(process_id, idempotency_key=idempotency_key))

    def kill(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """End a process at once.

        For the rest, see `Processes.kill`.
        """
        return self._portal.run(self._group.kill(process_id, idempotency_key=idempotency_key))

    def start(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Start a process.

        For the rest, see `Processes.start`.
        """
        return self._portal.run(self._group.start(process_id, idempotency_key=idempotency_key))

    def stop(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Stop a process.

        For the rest, see `Processes.stop`.
        """
        return self._portal.run(self._group.stop(process_id, idempotency_key=idempotency_key))

    def restart(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Stop a process and start it again.

        For the rest, see `Processes.restart`.
        """
        return self._portal.run(self._group.restart(process_id, idempotency_key=idempotency_key))

    def schedule(
        self,
        process_id: str,
        *,
        mode: ScheduleMode,
        blocks: Sequence[ScheduleBlock | Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledProcess:
        """Set when a process runs.

        For the rest, see `Processes.schedule`.
        """
        return self._portal.run(
            self._group.schedule(
                process_id, mode=mode, blocks=blocks, idempotency_key=idempotency_key
            )
        )

    def set_launch_mode(
        self,
        process_id: str,
        mode: ScheduleMode,
        *,
        schedules: Sequence[ScheduleBlock] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Set when a process runs, as `schedule` does, by the newer route.

        For the rest, see `Processes.set_launch_mode`.
        """
        return self._portal.run(
            self._group.set_launch_mode(
                process_id, mode, schedules=schedules, idempotency_key=idempotency_key
            )
        )


class QuotasSync:
    """Storage of sites: `client.quotas`."""

    def __init__(self, group: Quotas, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def current(self, site_id: str) -> QuotaSnapshot:
        """Return what a site uses now.

        For the rest, see `Quotas.current`.
        """
        return self._portal.run(self._group.current(site_id))

    def history(
        self, site_id: str, period: Literal["7d", "14d", "30d", "60d", "90d"] = "30d"
    ) -> QuotaHistory:
        """Return what a site has used, day by day.

        For the rest, see `Quotas.history`.
        """
        return self._portal.run(self._group.history(site_id, period))


class RoostsSync:
    """Roosts of a site: `client.roosts`."""

    def __init__(self, group: Roosts, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
        include_deleted: bool = False,
    ) -> Generator[RoostSummary, None, None]:
        """Yield all roosts, the newest first.

        For the rest, see `Roosts.list`.
        """
        return self._portal.iterate(
            self._group.list(
                site_id=site_id,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
                include_deleted=include_deleted,
            )
        )

    def list_page(
        self,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
        include_deleted: bool = False,
    ) -> tuple[builtins.list[RoostSummary], str | None]:
        """Return some roosts, and the token of those that follow; None at the end.

        For the rest, see `Roosts.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                site_id=site_id,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
                include_deleted=include_deleted,
            )
        )

    def get(self, roost_id: str, *, site_id: str) -> RoostDetail:
        """Return a roost, a removed one too: that has `deleted_at`.

        For the rest, see `Roosts.get`.
        """
        return self._portal.run(self._group.get(roost_id, site_id=site_id))

    def create(
        self,
        *,
        site_id: str,
        name: str,
        targets: Sequence[str] | None = None,
        extract_path: str | None = None,
        roost_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> RoostSummary:
        """Make a roost without a version; or bring a removed one back, with all its versions.

        For the rest, see `Roosts.create`.
        """
        return self._portal.run(
            self._group.create(
                site_id=site_id,
                name=name,
                targets=targets,
                extract_path=extract_path,
                roost_id=roost_id,
                idempotency_key=idempotency_key,
            )
        )

    def patch(
        self,
        roost_id: str,
        *,
        site_id: str,
        name: str | None = None,
        targets: Sequence[str] | None = None,
        extract_path: str | None = None,
        idempotency_key: str | None = None,
    ) -> PatchedRoost:
        """Change what is given, and leave the rest as it is.

        For the rest, see `Roosts.patch`.
        """
        return self._portal.run(
            self._group.patch(
                roost_id,
                site_id=site_id,
                name=name,
                targets=targets,
                extract_path=extract_path,
                idempotency_key=idempotency_key,
            )
        )

    def remove(
        self, roost_id: str, *, site_id: str, idempotency_key: str | None = None
    ) -> RemovedRoost:
        """Remove a roost. For 30 days, `create` with its id brings it back.

        For the rest, see `Roosts.remove`.
        """
        return self._portal.run(
            self._group.remove(roost_id, site_id=site_id, idempotency_key=idempotency_key)
        )

    def rollback(self, roost_id: str, options: RollbackOptions) -> RollbackResult:
        """Make an earlier version the current one, on all machines at once.

        For the rest, see `Roosts.rollback`.
        """
        return self._portal.run(self._group.rollback(roost_id, options))

    def deploy(self, roost_id: str, options: DeployOptions) -> DeployResult:
        """Roll a version out, to a tenth of the machines first.

        For the rest, see `Roosts.deploy`.
        """
        return self._portal.run(self._group.deploy(roost_id, options))

    def resync(
        self, roost_id: str, *, site_id: str, idempotency_key: str | None = None
    ) -> Resynced:
        """Send the current version to all machines again.

        For the rest, see `Roosts.resync`.
        """
        return self._portal.run(
            self._group.resync(roost_id, site_id=site_id, idempotency_key=idempotency_key)
        )

    def version_url(self, roost_id: str, version_id: str, *, site_id: str) -> VersionUrl:
        """Return a URL to GET the manifest of a version from, which is good for 15 minutes.

        For the rest, see `Roosts.version_url`.
        """
        return self._portal.run(self._group.version_url(roost_id, version_id, site_id=site_id))


class SitesSync:
    """Sites that the key may see: `client.sites`."""

    def __init__(self, group: Sites, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> list[Site]:
        """Return all sites, sorted by name.

        For the rest, see `Sites.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, site_id: str) -> Site:
        """Return one site.

        For the rest, see `Sites.get`.
        """
        return self._portal.run(self._group.get(site_id))

    def create(
        self,
        site_id: str,
        *,
        name: str,
        timezone: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSite:
        """Make a site, which belongs to the user of the key.

        For the rest, see `Sites.create`.
        """
        return self._portal.run(
            self._group.create(
                site_id, name=name, timezone=timezone, idempotency_key=idempotency_key
            )
        )

    def update(
        self,
        site_id: str,
        *,
        name: str | None = None,
        timezone: str | None = None,
        time_format: Literal["12h", "24h"] | None = None,
        idempotency_key: str | None = None,
    ) -> UpdatedSite:
        """Change what is given, and leave the rest as it is.

        For the rest, see `Sites.update`.
        """
        return self._portal.run(
            self._group.update(
                site_id,
                name=name,
                timezone=timezone,
                time_format=time_format,
                idempotency_key=idempotency_key,
            )
        )

    def delete(self, site_id: str, *, idempotency_key: str | None = None) -> DeletedSite:
        """Delete a site, with all that is in it.

        For the rest, see `Sites.delete`.
        """
        return self._portal.run(self._group.delete(site_id, idempotency_key=idempotency_key))


class UsersSync:
    """Users of the platform."""

    def __init__(self, group: Users, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        *,
        role: str | None = None,
        site: str | None = None,
        include_deleted: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> UserPage:
        """Return some users.

        For the rest, see `Users.list`.
        """
        return self._portal.run(
            self._group.list(
                role=role,
                site=site,
                include_deleted=include_deleted,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def get(self, uid: str) -> PlatformUser:
        """Return one user.

        For the rest, see `Users.get`.
        """
        return self._portal.run(self._group.get(uid))

    def promote(
        self, uid: str, role: PromoteRole, *, idempotency_key: str | None = None
    ) -> RoleChange:
        """Make a user an admin, or more.

        For the rest, see `Users.promote`.
        """
        return self._portal.run(self._group.promote(uid, role, idempotency_key=idempotency_key))

    def demote(self, uid: str, *, idempotency_key: str | None = None) -> RoleChange:
        """Make a user a member.

        For the rest, see `Users.demote`.
        """
        return self._portal.run(self._group.demote(uid, idempotency_key=idempotency_key))

    def assign_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> AssignedSites:
        """Let a user see sites.

        For the rest, see `Users.assign_sites`.
        """
        return self._portal.run(
            self._group.assign_sites(uid, site_ids, idempotency_key=idempotency_key)
        )

    def remove_sites(
        self, uid: str, site_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> RemovedSites:
        """Let a user not see sites any more.

        For the rest, see `Users.remove_sites`.
        """
        return self._portal.run(
            self._group.remove_sites(uid, site_ids, idempotency_key=idempotency_key)
        )

    def delete(
        self, uid: str, *, successor_uid: str | None = None, idempotency_key: str | None = None
    ) -> DeletedUser:
        """Delete a user; somebody else gets their sites.

        For the rest, see `Users.delete`.
        """
        return self._portal.run(
            self._group.delete(uid, successor_uid=successor_uid, idempotency_key=idempotency_key)
        )


class VersionsSync:
    """Versions of roosts: `client.versions`. For `version_ref`, see the function of this name."""

    def __init__(self, group: Versions, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self,
        roost_id: str,
        *,
        site_id: str,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> Generator[VersionRow, None, None]:
        """Yield all versions, the newest first.

        For the rest, see `Versions.list`.
        """
        return self._portal.iterate(
            self._group.list(
                roost_id, site_id=site_id, page_size=page_size, page_token=page_token, cursor=cursor
            )
        )

    def list_page(
        self,
        roost_id: str,
        *,
        site_id: str,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> tuple[builtins.list[VersionRow], str | None]:
        """Return some versions, and the token of those that follow; None at the end.

        For the rest, see `Versions.list_page`.
        """
        return self._portal.run(
            self._group.list_page(
                roost_id, site_id=site_id, page_size=page_size, page_token=page_token, cursor=cursor
            )
        )

    def get(self, roost_id: str, version_ref: str | int, *, site_id: str) -> VersionDetail:
        """Return a version, with its manifest.

        For the rest, see `Versions.get`.
        """
        return self._portal.run(self._group.get(roost_id, version_ref, site_id=site_id))

    def patch(
        self,
        roost_id: str,
        version_ref: str | int,
        *,
        site_id: str,
        description: str | None,
        idempotency_key: str | None = None,
    ) -> PatchedVersion:
        """Change the description of a version: nothing else of it can be changed.

        For the rest, see `Versions.patch`.
        """
        return self._portal.run(
            self._group.patch(
                roost_id,
                version_ref,
                site_id=site_id,
                description=description,
                idempotency_key=idempotency_key,
            )
        )

    def files(
        self,
        roost_id: str,
        version_ref: str | int,
        *,
        site_id: str,
        page_size: int = 100,
        page_token: str | None = None,
        cursor: str | None = None,
        prefix: str | None = None,
    ) -> Generator[VersionFile, None, None]:
        """Yield the files of a version.

        For the rest, see `Versions.files`.
        """
        return self._portal.iterate(
            self._group.files(
                roost_id,
                version_ref,
                site_id=site_id,
                page_size=page_size,
                page_token=page_token,
                cursor=cursor,
                prefix=prefix,
            )
        )

    def diff(
        self,
        roost_id: str,
        version_ref: str | int | None = None,
        *,
        site_id: str,
        against: str | int | None = None,
        from_version: str | int | None = None,
        to_version: str | int | None = None,
    ) -> VersionDiff:
        """Return what makes one version another.

        For the rest, see `Versions.diff`.
        """
        return self._portal.run(
            self._group.diff(
                roost_id,
                version_ref,
                site_id=site_id,
                against=against,
                from_version=from_version,
                to_version=to_version,
            )
        )


class WebhooksSync:
    """Webhooks of a site: `client.webhooks`."""

    def __init__(self, group: Webhooks, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def subscribe(
        self,
        site_id: str,
        url: str,
        events: Sequence[str],
        description: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CreatedWebhook:
        """Let a URL be told of events.

        For the rest, see `Webhooks.subscribe`.
        """
        return self._portal.run(
            self._group.subscribe(
                site_id, url, events, description, idempotency_key=idempotency_key
            )
        )

    def list(self, site_id: str) -> builtins.list[WebhookSubscription]:
        """Return all webhooks of a site.

        For the rest, see `Webhooks.list`.
        """
        return self._portal.run(self._group.list(site_id))

    def get(self, webhook_id: str, site_id: str) -> WebhookRow:
        """Return one webhook.

        For the rest, see `Webhooks.get`.
        """
        return self._portal.run(self._group.get(webhook_id, site_id))

    def update(
        self,
        webhook_id: str,
        site_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | NotGiven | None = NOT_GIVEN,
        paused: bool | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookRow:
        """Change what is given, and leave the rest as it is.

        For the rest, see `Webhooks.update`.
        """
        return self._portal.run(
            self._group.update(
                webhook_id,
                site_id,
                url=url,
                events=events,
                description=description,
                paused=paused,
                idempotency_key=idempotency_key,
            )
        )

    def remove(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RemovedWebhook:
        """Remove a webhook.

        For the rest, see `Webhooks.remove`.
        """
        return self._portal.run(
            self._group.remove(webhook_id, site_id, idempotency_key=idempotency_key)
        )

    def rotate_secret(
        self, webhook_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RotatedSecret:
        """Let another secret sign from now on; the old one is not used any more.

        For the rest, see `Webhooks.rotate_secret`.
        """
        return self._portal.run(
            self._group.rotate_secret(webhook_id, site_id, idempotency_key=idempotency_key)
        )

    def deliveries(
        self,
        webhook_id: str,
        site_id: str,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """Return what became of the events of the last 30 days, page by page.

        For the rest, see `Webhooks.deliveries`.
        """
        return self._portal.run(
            self._group.deliveries(webhook_id, site_id, page_size=page_size, page_token=page_token)
        )

    def delivery(self, webhook_id: str, delivery_id: str, site_id: str) -> DeliveryDetail:
        """Return what was sent of one event, and what came back.

        For the rest, see `Webhooks.delivery`.
        """
        return self._portal.run(self._group.delivery(webhook_id, delivery_id, site_id))

    def retry_delivery(
        self, webhook_id: str, delivery_id: str, site_id: str, *, idempotency_key: str | None = None
    ) -> RetriedDelivery:
        """Let one event be sent again.

        For the rest, see `Webhooks.retry_delivery`.
        """
        return self._portal.run(
            self._group.retry_delivery(
                webhook_id, delivery_id, site_id, idempotency_key=idempotency_key
            )
        )

    def probe(
        self,
        site_id: str,
        event: str,
        *,
        url: str,
        payload: Mapping[str, Any] | None = None,
        signing_secret: str | None = None,
        idempotency_key: str | None = None,
    ) -> ProbeResult:
        """Let a test event be sent to a URL, and return what came of it.

        For the rest, see `Webhooks.probe`.
        """
        return self._portal.run(
            self._group.probe(
                site_id,
                event,
                url=url,
                payload=payload,
                signing_secret=signing_secret,
                idempotency_key=idempotency_key,
            )
        )


class AccountSync:
    """The caller and the API: `client.account`."""

    def __init__(self, group: Account, portal: Portal) -> None:
        self._group = group
        self._portal = portal
        self.api_keys: AccountApiKeysSync = AccountApiKeysSync(group.api_keys, portal)

    def whoami(self) -> WhoamiResponse:
        """Return who the key belongs to, and what it may do.

        For the rest, see `Account.whoami`.
        """
        return self._portal.run(self._group.whoami())

    def version(self) -> ApiVersionResponse:
        """Return the dates of the API that the server knows. It needs no valid key.

        For the rest, see `Account.version`.
        """
        return self._portal.run(self._group.version())


class PresetsSync:
    """Presets of one site."""

    def __init__(self, group: Presets, portal: Portal) -> None:
        self._group = group
        self._portal = portal
        self.schedule: PresetKindSync = PresetKindSync(group.schedule, portal)
        self.reboot: PresetKindSync = PresetKindSync(group.reboot, portal)
        self.deployment_template: PresetKindSync = PresetKindSync(group.deployment_template, portal)
        self.distribution: PresetKindSync = PresetKindSync(group.distribution, portal)


class RoostSync:
    """The Owlette API, for scripts without asyncio. It takes what `Roost` takes."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str = DEFAULT_API_URL,
        roost_version: str = DEFAULT_ROOST_VERSION,
        environment: Environment | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 30.0,
        on_request: Callable[[RequestDetails], object] | None = None,
        on_retry: Callable[[RetryDetails], object] | None = None,
    ) -> None:
        self._portal = Portal()
        self._use(
            Roost(
                token=token,
                api_url=api_url,
                roost_version=roost_version,
                environment=environment,
                retry=retry,
                transport=transport,
                timeout=timeout,
                on_request=on_request,
                on_retry=on_retry,
            ),
            self._portal,
        )

    def _use(self, roost: Roost, portal: Portal) -> None:
        self._roost = roost
        self.account: AccountSync = AccountSync(roost.account, portal)
        self.chat: ChatSync = ChatSync(roost.chat, portal)
        self.chunks: ChunksSync = ChunksSync(roost.chunks, portal)
        self.deployments: DeploymentsSync = DeploymentsSync(roost.deployments, portal)
        self.events: EventsSync = EventsSync(roost.events, portal)
        self.installer: InstallerSync = InstallerSync(roost.installer, portal)
        self.installer_deployments: InstallerDeploymentsSync = InstallerDeploymentsSync(
            roost.installer_deployments, portal
        )
        self.keys: KeysSync = KeysSync(roost.keys, portal)
        self.machines: MachinesSync = MachinesSync(roost.machines, portal)
        self.quotas: QuotasSync = QuotasSync(roost.quotas, portal)
        self.roosts: RoostsSync = RoostsSync(roost.roosts, portal)
        self.sites: SitesSync = SitesSync(roost.sites, portal)
        self.users: UsersSync = UsersSync(roost.users, portal)
        self.versions: VersionsSync = VersionsSync(roost.versions, portal)
        self.webhooks: WebhooksSync = WebhooksSync(roost.webhooks, portal)

    def members(self, site_id: str) -> MembersSync:
        """Return the members of a site."""
        return MembersSync(self._roost.members(site_id), self._portal)

    def processes(self, site_id: str, machine_id: str) -> ProcessesSync:
        """Return the processes of a machine."""
        return ProcessesSync(self._roost.processes(site_id, machine_id), self._portal)

    def agent_tokens(self, site_id: str) -> AgentTokensSync:
        """Return the agent tokens of a site."""
        return AgentTokensSync(self._roost.agent_tokens(site_id), self._portal)

    def audit_log(self, site_id: str) -> AuditLogSync:
        """Return the audit log of a site."""
        return AuditLogSync(self._roost.audit_log(site_id), self._portal)

    def logs(self, site_id: str) -> LogsSync:
        """Return the log records of a site."""
        return LogsSync(self._roost.logs(site_id), self._portal)

    def presets(self, site_id: str) -> PresetsSync:
        """Return the presets of a site."""
        return PresetsSync(self._roost.presets(site_id), self._portal)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> RoostSync:
        """Return a client that makes its calls with these options, over the same connections.

        For the rest, see `Roost.with_options`.
        """
        made = object.__new__(RoostSync)
        made._portal = self._portal
        made._use(
            self._roost.with_options(
                timeout=timeout, retry=retry, headers=headers, idempotency_key=idempotency_key
            ),
            self._portal,
        )
        return made

    def close(self) -> None:
        """Close all connections, and end the thread."""
        self._portal.run(self._roost.close())
        self._portal.close()

    def __enter__(self) -> RoostSync:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
