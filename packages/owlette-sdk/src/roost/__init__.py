"""The typed async SDK for the Owlette API.

    async with Roost(token=os.environ["OWLETTE_TOKEN"]) as client:
        for site in await client.sites.list():
            print(site.id, site.name)

Names are imported when they are used first, so that `import roost` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        DeploymentFailedError,
        FileChangedError,
        InvalidRequestError,
        MachineOfflineError,
        NotFoundError,
        PagingError,
        PathRuleError,
        PermissionDeniedError,
        PreconditionFailedError,
        PullError,
        PushError,
        QuotaExceededError,
        RateLimitedError,
        RoostApiError,
        RoostError,
        RoostTransportError,
        ServerError,
        StreamError,
        TransferError,
        UnreadableError,
        VersionStaleError,
        WebhookSignatureError,
    )
    from roost._hooks import RequestDetails, RetryDetails
    from roost._login import DeviceCode, DeviceKey, device_login
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
    from roost.resources.agent_tokens import AgentToken, AgentTokens
    from roost.resources.audit_log import AuditDetail, AuditLog, AuditRecord
    from roost.resources.chat import Chat, ConversationSummary
    from roost.resources.chunks import Chunks
    from roost.resources.deployments import DeploymentDetail, Deployments
    from roost.resources.events import Events
    from roost.resources.installer import Installer, InstallerVersion
    from roost.resources.installer_deployments import (
        InstallerDeploymentDetail,
        InstallerDeployments,
        InstallerDeploymentSummary,
        InstallerDeploymentTarget,
    )
    from roost.resources.keys import ApiKeyRecord, ApiKeyScope, Keys
    from roost.resources.logs import LogRecord, Logs
    from roost.resources.machines import (
        CommandStatus,
        CommandType,
        MachineDeployment,
        MachineDetail,
        Machines,
        MachineSummary,
    )
    from roost.resources.members import AddRole, Member, Members, PerSiteRole
    from roost.resources.presets import Presets
    from roost.resources.processes import ControlVerb, Processes, ProcessRecord, ScheduleMode
    from roost.resources.quotas import QuotaHistoryDay, Quotas, QuotaSnapshot
    from roost.resources.roosts import (
        DeployOptions,
        DeployResult,
        PullOptions,
        PullProgress,
        PullResult,
        PushOptions,
        PushPlan,
        PushResult,
        RollbackOptions,
        RollbackResult,
        RoostDetail,
        Roosts,
        RoostSummary,
        VerifyResult,
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

#: Where each name is.
_PLACES = {
    "roost._chunker": (
        "ChunkDescriptor",
        "ChunkedFileEntry",
        "ChunkProgressEvent",
        "DiscoverProgress",
        "HashProgress",
    ),
    "roost._constants": (
        "CHUNK_SIZE_BYTES",
        "DEFAULT_API_URL",
        "DEFAULT_REPLAY_TOLERANCE_SECONDS",
        "DEFAULT_ROOST_VERSION",
        "SDK_VERSION",
        "Environment",
    ),
    "roost._errors": (
        "AuthenticationError",
        "ConflictError",
        "DeploymentFailedError",
        "FileChangedError",
        "InvalidRequestError",
        "MachineOfflineError",
        "NotFoundError",
        "PagingError",
        "PathRuleError",
        "PermissionDeniedError",
        "PreconditionFailedError",
        "PullError",
        "PushError",
        "QuotaExceededError",
        "RateLimitedError",
        "RoostApiError",
        "RoostError",
        "RoostTransportError",
        "ServerError",
        "StreamError",
        "TransferError",
        "UnreadableError",
        "VersionStaleError",
        "WebhookSignatureError",
    ),
    "roost._hooks": (
        "RequestDetails",
        "RetryDetails",
    ),
    "roost._login": (
        "DeviceCode",
        "DeviceKey",
        "device_login",
    ),
    "roost._receiver": (
        "WebhookEvent",
        "WebhookReceiver",
    ),
    "roost._retry": ("RetryPolicy",),
    "roost._roost": ("Roost",),
    "roost._streaming": ("ServerSentEvent",),
    "roost.client": (
        "ApiResponse",
        "CallOptions",
        "RoostClient",
    ),
    "roost.resources.account": (
        "Account",
        "AccountApiKeys",
        "AccountKeyContext",
        "ApiVersionResponse",
        "WhoamiResponse",
    ),
    "roost.resources.agent_tokens": (
        "AgentToken",
        "AgentTokens",
    ),
    "roost.resources.audit_log": (
        "AuditDetail",
        "AuditLog",
        "AuditRecord",
    ),
    "roost.resources.chat": (
        "Chat",
        "ConversationSummary",
    ),
    "roost.resources.chunks": ("Chunks",),
    "roost.resources.deployments": ("DeploymentDetail", "Deployments"),
    "roost.resources.events": ("Events",),
    "roost.resources.installer": (
        "Installer",
        "InstallerVersion",
    ),
    "roost.resources.installer_deployments": (
        "InstallerDeploymentDetail",
        "InstallerDeployments",
        "InstallerDeploymentSummary",
        "InstallerDeploymentTarget",
    ),
    "roost.resources.keys": (
        "ApiKeyRecord",
        "ApiKeyScope",
        "Keys",
    ),
    "roost.resources.logs": (
        "LogRecord",
        "Logs",
    ),
    "roost.resources.machines": (
        "CommandStatus",
        "CommandType",
        "MachineDeployment",
        "MachineDetail",
        "Machines",
        "MachineSummary",
    ),
    "roost.resources.members": (
        "AddRole",
        "Member",
        "Members",
        "PerSiteRole",
    ),
    "roost.resources.presets": ("Presets",),
    "roost.resources.processes": (
        "ControlVerb",
        "Processes",
        "ProcessRecord",
        "ScheduleMode",
    ),
    "roost.resources.quotas": (
        "QuotaHistoryDay",
        "Quotas",
        "QuotaSnapshot",
    ),
    "roost.resources.roosts": (
        "DeployOptions",
        "DeployResult",
        "PullOptions",
        "PullProgress",
        "PullResult",
        "PushOptions",
        "PushPlan",
        "PushResult",
        "RollbackOptions",
        "RollbackResult",
        "RoostDetail",
        "Roosts",
        "RoostSummary",
        "VerifyResult",
        "VersionSummary",
    ),
    "roost.resources.sites": (
        "Site",
        "Sites",
    ),
    "roost.resources.users": (
        "PlatformUser",
        "PromoteRole",
        "Users",
    ),
    "roost.resources.versions": ("Versions",),
    "roost.resources.webhooks": (
        "Webhooks",
        "WebhookSubscription",
    ),
    "roost.signature": (
        "VerifyReason",
        "VerifySignatureResult",
        "is_signature_valid",
        "sign_body",
        "verify_signature",
    ),
    "roost.sync": ("RoostSync",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is used first."""
    if name == "__version__":
        name = "SDK_VERSION"
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


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
    "AgentToken",
    "AgentTokens",
    "ApiKeyRecord",
    "ApiKeyScope",
    "ApiResponse",
    "ApiVersionResponse",
    "AuditDetail",
    "AuditLog",
    "AuditRecord",
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
    "DeploymentDetail",
    "DeploymentFailedError",
    "Deployments",
    "DeviceCode",
    "DeviceKey",
    "DiscoverProgress",
    "Environment",
    "Events",
    "FileChangedError",
    "HashProgress",
    "Installer",
    "InstallerDeploymentDetail",
    "InstallerDeploymentSummary",
    "InstallerDeploymentTarget",
    "InstallerDeployments",
    "InstallerVersion",
    "InvalidRequestError",
    "Keys",
    "LogRecord",
    "Logs",
    "MachineDeployment",
    "MachineDetail",
    "MachineOfflineError",
    "MachineSummary",
    "Machines",
    "Member",
    "Members",
    "NotFoundError",
    "PagingError",
    "PathRuleError",
    "PerSiteRole",
    "PermissionDeniedError",
    "PlatformUser",
    "PreconditionFailedError",
    "Presets",
    "ProcessRecord",
    "Processes",
    "PromoteRole",
    "PullError",
    "PullOptions",
    "PullProgress",
    "PullResult",
    "PushError",
    "PushOptions",
    "PushPlan",
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
    "TransferError",
    "UnreadableError",
    "Users",
    "VerifyReason",
    "VerifyResult",
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
    "device_login",
    "is_signature_valid",
    "sign_body",
    "verify_signature",
]
