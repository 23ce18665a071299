"""The typed async SDK for the Owlette API.

async with Roost(token=os.environ["OWLETTE_TOKEN"]) as client:
    for site in await client.sites.list():
        print(site.id, site.name)
"""

from __future__ import annotations

from roost._chunker import (
    ChunkDescriptor,
    ChunkedFileEntry,
    ChunkProgressEvent,
    DiscoverProgress,
    HashProgress,
)
from roost._constants import (
    CHUNK_SIZE_BYTES,
    DEFAULT_API_URL,
    DEFAULT_REPLAY_TOLERANCE_SECONDS,
    DEFAULT_ROOST_VERSION,
    SDK_VERSION,
    Environment,
)
from roost._errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    MachineOfflineError,
    NotFoundError,
    PagingError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    RateLimitedError,
    RoostApiError,
    RoostError,
    RoostTransportError,
    ServerError,
    StreamError,
    VersionStaleError,
    WebhookSignatureError,
)
from roost._hooks import RequestDetails, RetryDetails
from roost._receiver import WebhookEvent, WebhookReceiver
from roost._retry import RetryPolicy
from roost._roost import Roost
from roost._streaming import ServerSentEvent
from roost.client import ApiResponse, CallOptions, RoostClient
from roost.resources.account import (
    Account,
    AccountApiKeys,
    AccountKeyContext,
    ApiVersionResponse,
    WhoamiResponse,
)
from roost.resources.chat import Chat, ConversationSummary
from roost.resources.chunks import Chunks
from roost.resources.deployments import Deployments
from roost.resources.events import Events
from roost.resources.installer import Installer, InstallerVersion
from roost.resources.installer_deployments import (
    InstallerDeploymentDetail,
    InstallerDeployments,
    InstallerDeploymentSummary,
    InstallerDeploymentTarget,
)
from roost.resources.keys import ApiKeyRecord, ApiKeyScope, Keys
from roost.resources.machines import (
    CommandStatus,
    CommandType,
    MachineDeployment,
    MachineDetail,
    Machines,
    MachineSummary,
)
from roost.resources.members import AddRole, Member, Members, PerSiteRole
from roost.resources.processes import ControlVerb, Processes, ProcessRecord, ScheduleMode
from roost.resources.quotas import QuotaHistoryDay, Quotas, QuotaSnapshot
from roost.resources.roosts import (
    DeployOptions,
    DeployResult,
    PushOptions,
    PushResult,
    RollbackOptions,
    RollbackResult,
    RoostDetail,
    Roosts,
    RoostSummary,
    VersionSummary,
)
from roost.resources.sites import Site, Sites
from roost.resources.users import PlatformUser, PromoteRole, Users
from roost.resources.versions import Versions
from roost.resources.webhooks import Webhooks, WebhookSubscription
from roost.signature import (
    VerifyReason,
    VerifySignatureResult,
    is_signature_valid,
    sign_body,
    verify_signature,
)
from roost.sync import RoostSync

__version__ = SDK_VERSION

__all__ = [
    "CHUNK_SIZE_BYTES",
    "DEFAULT_API_URL",
    "DEFAULT_REPLAY_TOLERANCE_SECONDS",
    "DEFAULT_ROOST_VERSION",
    "SDK_VERSION",
    "Account",
    "AccountApiKeys",
    "AccountKeyContext",
    "AddRole",
    "ApiKeyRecord",
    "ApiKeyScope",
    "ApiResponse",
    "ApiVersionResponse",
    "AuthenticationError",
    "CallOptions",
    "Chat",
    "ChunkDescriptor",
    "ChunkProgressEvent",
    "ChunkedFileEntry",
    "Chunks",
    "CommandStatus",
    "CommandType",
    "ConflictError",
    "ControlVerb",
    "ConversationSummary",
    "DeployOptions",
    "DeployResult",
    "Deployments",
    "DiscoverProgress",
    "Environment",
    "Events",
    "HashProgress",
    "Installer",
    "InstallerDeploymentDetail",
    "InstallerDeploymentSummary",
    "InstallerDeploymentTarget",
    "InstallerDeployments",
    "InstallerVersion",
    "InvalidRequestError",
    "Keys",
    "MachineDeployment",
    "MachineDetail",
    "MachineOfflineError",
    "MachineSummary",
    "Machines",
    "Member",
    "Members",
    "NotFoundError",
    "PagingError",
    "PerSiteRole",
    "PermissionDeniedError",
    "PlatformUser",
    "PreconditionFailedError",
    "ProcessRecord",
    "Processes",
    "PromoteRole",
    "PushOptions",
    "PushResult",
    "QuotaExceededError",
    "QuotaHistoryDay",
    "QuotaSnapshot",
    "Quotas",
    "RateLimitedError",
    "RequestDetails",
    "RetryDetails",
    "RetryPolicy",
    "RollbackOptions",
    "RollbackResult",
    "Roost",
    "RoostApiError",
    "RoostClient",
    "RoostDetail",
    "RoostError",
    "RoostSummary",
    "RoostSync",
    "RoostTransportError",
    "Roosts",
    "ScheduleMode",
    "ServerError",
    "ServerSentEvent",
    "Site",
    "Sites",
    "StreamError",
    "Users",
    "VerifyReason",
    "VerifySignatureResult",
    "VersionStaleError",
    "VersionSummary",
    "Versions",
    "WebhookEvent",
    "WebhookReceiver",
    "WebhookSignatureError",
    "WebhookSubscription",
    "Webhooks",
    "WhoamiResponse",
    "__version__",
    "is_signature_valid",
    "sign_body",
    "verify_signature",
]
