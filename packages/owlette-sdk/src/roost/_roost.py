"""The client: one connection pool, and a group of methods for each noun of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

import httpx

from roost._constants import DEFAULT_API_URL, DEFAULT_ROOST_VERSION, Environment
from roost._hooks import RequestDetails, RetryDetails
from roost._retry import RetryPolicy
from roost.client import CallOptions, RoostClient
from roost.resources.account import Account
from roost.resources.agent_tokens import AgentTokens
from roost.resources.audit_log import AuditLog
from roost.resources.chat import Chat
from roost.resources.chunks import Chunks
from roost.resources.deployments import Deployments
from roost.resources.events import Events
from roost.resources.installer import Installer
from roost.resources.installer_deployments import InstallerDeployments
from roost.resources.keys import Keys
from roost.resources.logs import Logs
from roost.resources.machines import Machines
from roost.resources.members import Members
from roost.resources.presets import Presets
from roost.resources.processes import Processes
from roost.resources.quotas import Quotas
from roost.resources.roosts import Roosts
from roost.resources.sites import Sites
from roost.resources.users import Users
from roost.resources.versions import Versions
from roost.resources.webhooks import Webhooks

__all__ = ["Roost"]


class Roost:
    """The Owlette API. Use it with `async with`, which closes its connections in the end.

    Args:
        token: the API key, which begins with `owk_`.
        api_url: where the API is.
        roost_version: the date of the API that is asked for.
        environment: what the key is for, `live` or `test`; a warning is logged if it is not.
        retry: how often calls are tried.
        transport: what all requests go through, those to signed URLs too: for proxies, client
            certificates, or tests.
        timeout: seconds that each step of a request may take.
        on_request: called with the details of each request that was sent.
        on_retry: called before each wait for another attempt.

    Attributes:
        http: sends requests that have no method here.

    Raises:
        ValueError: the token is empty, or `api_url` is no URL.

    Example:
        async with Roost(token=os.environ["OWLETTE_TOKEN"]) as client:
            print(await client.account.whoami())
    """

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
        self._use(
            RoostClient(
                token=token,
                api_url=api_url,
                roost_version=roost_version,
                environment=environment,
                retry=retry,
                transport=transport,
                timeout=timeout,
                on_request=on_request,
                on_retry=on_retry,
            )
        )

    def _use(self, http: RoostClient) -> None:
        self.http: RoostClient = http
        self.account: Account = Account(http)
        self.chat: Chat = Chat(http)
        self.chunks: Chunks = Chunks(http)
        self.deployments: Deployments = Deployments(http)
        self.events: Events = Events(http)
        self.installer: Installer = Installer(http)
        self.installer_deployments: InstallerDeployments = InstallerDeployments(http)
        self.keys: Keys = Keys(http)
        self.machines: Machines = Machines(http)
        self.quotas: Quotas = Quotas(http)
        self.roosts: Roosts = Roosts(http)
        self.sites: Sites = Sites(http)
        self.users: Users = Users(http)
        self.versions: Versions = Versions(http)
        self.webhooks: Webhooks = Webhooks(http)

    def __repr__(self) -> str:
        return f"Roost({self.http!r})"

    def members(self, site_id: str) -> Members:
        """Return the members of a site."""
        return Members(self.http, site_id)

    def processes(self, site_id: str, machine_id: str) -> Processes:
        """Return the processes of a machine."""
        return Processes(self.http, site_id, machine_id)

    def agent_tokens(self, site_id: str) -> AgentTokens:
        """Return the agent tokens of a site."""
        return AgentTokens(self.http, site_id)

    def audit_log(self, site_id: str) -> AuditLog:
        """Return the audit log of a site."""
        return AuditLog(self.http, site_id)

    def logs(self, site_id: str) -> Logs:
        """Return the log records of a site."""
        return Logs(self.http, site_id)

    def presets(self, site_id: str) -> Presets:
        """Return the presets of a site."""
        return Presets(self.http, site_id)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Roost:
        """Return a client that makes its calls with these options, over the same connections.

        Args:
            timeout: seconds that each step of a request may take.
            retry: how often calls are tried.
            headers: more headers.
            idempotency_key: the key of the call. Use it for one call only: the server answers a
                second one as it did the first.

        Example:
            await client.with_options(timeout=120).roosts.get("rst_abc", site_id="site-1")
        """
        options = CallOptions(timeout, retry, dict(headers or {}), idempotency_key)
        made = object.__new__(Roost)
        made._use(self.http.with_options(options))
        return made

    async def close(self) -> None:
        """Close all connections."""
        await self.http.close()

    async def __aenter__(self) -> Roost:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
