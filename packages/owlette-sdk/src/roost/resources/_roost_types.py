"""Roosts and their versions, what is asked of them, and what comes back. A leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from roost._model import Model

__all__ = [
    "DeployOptions",
    "DeployResult",
    "PatchedRoost",
    "RemovedRoost",
    "Resynced",
    "RollbackOptions",
    "RollbackResult",
    "RoostDetail",
    "RoostSummary",
    "VersionSummary",
    "VersionUrl",
]


@dataclass(slots=True)
class VersionSummary(Model):
    """A version of a roost. Times are ISO 8601, in UTC; sizes are bytes."""

    version_id: str
    version_number: int | None = None
    description: str | None = None
    version_url: str | None = None
    created_at: str | None = None
    created_by: str | None = None
    total_size: int | None = None
    total_files: int | None = None
    parent_version_id: str | None = None


@dataclass(slots=True)
class RoostSummary(Model):
    """A roost in a list. Times are ISO 8601, in UTC.

    Attributes:
        targets: the machines that it is rolled out to.
        version_counter: how many versions it has had.
        deleted_at: when it was removed; it can be made again until `tombstone_expires_at`.
    """

    roost_id: str
    site_id: str
    name: str | None = None
    targets: list[str] = field(default_factory=list[str])
    current_version_id: str | None = None
    previous_version_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted_at: str | None = None
    extract_path: str | None = None
    version_counter: int | None = None
    tombstone_expires_at: str | None = None


@dataclass(slots=True)
class RoostDetail(Model):
    """A roost with the versions that are current and previous. Times are ISO 8601, in UTC."""

    roost_id: str
    site_id: str
    name: str | None = None
    targets: list[str] = field(default_factory=list[str])
    extract_path: str | None = None
    schema_version: int | None = None
    version_counter: int | None = None
    current_version_id: str | None = None
    previous_version_id: str | None = None
    version_url: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted_at: str | None = None
    current_version: VersionSummary | None = None
    previous_version: VersionSummary | None = None
    created_by: str | None = None
    tombstone_expires_at: str | None = None


class PatchedRoost(TypedDict):
    """A roost that was changed, and which of its fields were."""

    roostId: str
    siteId: str
    updated: list[str]


class RemovedRoost(TypedDict):
    """A roost that was removed, and until when it can be made again."""

    roostId: str
    siteId: str
    softDeleted: bool
    tombstoneExpiresAt: str


class Resynced(TypedDict):
    """To how many machines the current version was sent again, and to which."""

    resynced: int
    targets: list[str]


class VersionUrl(TypedDict):
    """A signed URL of a manifest, and until when it is good (ISO 8601)."""

    url: str
    expiresAt: str


@dataclass(slots=True)
class RollbackOptions:
    """What to go back to.

    Attributes:
        site_id: the site of the roost.
        target_version: a number, `#3`, `v3`, an id, `current`, `previous` or `first`; the previous
            one if None.
        idempotency_key: one of the caller's.
    """

    site_id: str
    target_version: str | int | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class RollbackResult(Model):
    """Which version is current now, and which one was."""

    current_version_id: str
    previous_version_id: str | None = None
    current_version_number: int | None = None
    roost_id: str | None = None
    site_id: str | None = None
    ok: bool | None = None


@dataclass(slots=True)
class DeployOptions:
    """What to roll out, and where to.

    Attributes:
        site_id: the site of the roost.
        version_id: the id of a version, not a number or `current`; the current one if None.
        machines: some of the roost's machines, or others; all of the roost's if None.
        schedule_at: when (ISO 8601). The server stores later times, but does not act on them yet.
        dry_run: whether to tell only what would happen.
        idempotency_key: one of the caller's.
    """

    site_id: str
    version_id: str | None = None
    machines: Sequence[str] | None = None
    schedule_at: str | None = None
    dry_run: bool = False
    idempotency_key: str | None = None


@dataclass(slots=True)
class DeployResult(Model):
    """A rollout that was begun, or was under way already.

    Attributes:
        rollout_id: its id, which is that of the version.
        stage: `canary`, `scheduled`, `fleet`, `complete` or `aborted`.
        canary: the machines that come first.
        fleet: those that follow if it works there.
        already_running: whether nothing was begun, because it was under way.
        scheduled: when it is to begin, with the server's warning.
    """

    rollout_id: str
    version_id: str
    site_id: str
    roost_id: str
    stage: str | None = None
    canary: list[str] = field(default_factory=list[str])
    fleet: list[str] = field(default_factory=list[str])
    extract_root: str | None = None
    version_url: str | None = None
    dry_run: bool = False
    already_running: bool = False
    scheduled: dict[str, Any] | None = None
