"""The client without asyncio. Made by `scripts/generate_sync.py`: do not edit.

Each call runs in a loop that belongs to a thread of the client, and returns when it is done.

    with RoostSync(token=os.environ["OWLETTE_TOKEN"]) as client:
        for site in client.sites.list():
            print(site.id, site.name)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

import httpx

from roost._constants import DEFAULT_API_URL, DEFAULT_ROOST_VERSION, Environment
from roost._hooks import RequestDetails, RetryDetails
from roost._portal import Portal
from roost._retry import RetryPolicy
from roost._roost import Roost
from roost.sync.account import AccountSync
from roost.sync.agent_tokens import AgentTokensSync
from roost.sync.audit_log import AuditLogSync
from roost.sync.chat import ChatSync
from roost.sync.chunks import ChunksSync
from roost.sync.deployments import DeploymentsSync
from roost.sync.events import EventsSync
from roost.sync.installer import InstallerSync
from roost.sync.installer_deployments import InstallerDeploymentsSync
from roost.sync.keys import KeysSync
from roost.sync.logs import LogsSync
from roost.sync.machines import MachinesSync
from roost.sync.members import MembersSync
from roost.sync.presets import PresetsSync
from roost.sync.processes import ProcessesSync
from roost.sync.quotas import QuotasSync
from roost.sync.roosts import RoostsSync
from roost.sync.sites import SitesSync
from roost.sync.users import UsersSync
from roost.sync.versions import VersionsSync
from roost.sync.webhooks import WebhooksSync

__all__ = ["RoostSync"]


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
