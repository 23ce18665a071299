"""Roosts: folders that are published version by version, and rolled out to machines."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._push_types import (
    PushOptions,
    PushProgressCheckMissing,
    PushProgressEvent,
    PushProgressPublish,
    PushProgressUpload,
    PushResult,
    PushStats,
)
from roost.resources._resource import Resource, given
from roost.resources.versions import version_ref

__all__ = [
    "DeployOptions",
    "DeployResult",
    "PatchedRoost",
    "PushOptions",
    "PushProgressCheckMissing",
    "PushProgressEvent",
    "PushProgressPublish",
    "PushProgressUpload",
    "PushResult",
    "PushStats",
    "RemovedRoost",
    "Resynced",
    "RollbackOptions",
    "RollbackResult",
    "RoostDetail",
    "RoostSummary",
    "Roosts",
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


class Roosts(Resource):
    """Roosts of a site: `client.roosts`."""

    async def list(
        self,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
        include_deleted: bool = False,
    ) -> AsyncGenerator[RoostSummary, None]:
        """Yield all roosts, the newest first.

        Args:
            site_id: the site.
            page_size: rows of a page, up to 100.
            page_token: where to begin, from an earlier page.
            cursor: the same.
            include_deleted: whether to yield those that were removed, too.

        Raises:
            NotFoundError: the site is not there, or not for this key.
            PagingError: the list does not come to an end.
        """
        asked = page_query(page_size, page_token, cursor)

        async def page(token: str | None) -> tuple[builtins.list[RoostSummary], str | None]:
            return await self.list_page(
                site_id=site_id,
                page_size=page_size,
                page_token=token,
                include_deleted=include_deleted,
            )

        async for row in walk(page, asked["page_token"]):
            yield row

    async def list_page(
        self,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
        include_deleted: bool = False,
    ) -> tuple[builtins.list[RoostSummary], str | None]:
        """Return some roosts, and the token of those that follow; None at the end."""
        answer = await self._ask(
            api_path("roosts"),
            query={
                "siteId": site_id,
                **page_query(page_size, page_token, cursor),
                "includeDeleted": True if include_deleted else None,
            },
        )
        return RoostSummary.list_of(answer.data, "roosts", "items"), next_token(answer.data)

    async def get(self, roost_id: str, *, site_id: str) -> RoostDetail:
        """Return a roost, a removed one too: that has `deleted_at`.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(api_path("roosts", roost_id), query={"siteId": site_id})
        return RoostDetail.from_json(answer.data)

    async def create(
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

        The answer has no times and no versions: those are None, whatever the roost has.

        Args:
            site_id: the site.
            name: up to 200 characters.
            targets: the machines to roll out to, up to 500.
            extract_path: the folder on the machines.
            roost_id: its id; the server makes one if None.
            idempotency_key: sent as it is; the server does not heed it here.

        Raises:
            ConflictError: there is one with this id. After a failure of the network it may be the
                one that was asked for: it is not asked for twice.
        """
        body = {
            "siteId": site_id,
            "name": name,
            **given(targets=_list(targets), extractPath=extract_path, roostId=roost_id),
        }
        answer = await self._ask(
            api_path("roosts"),
            method="POST",
            body=body,
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        return RoostSummary.from_json(answer.data)

    async def patch(
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

        Args:
            roost_id: the roost.
            site_id: its site.
            name: up to 200 characters.
            targets: the machines to roll out to.
            extract_path: the folder on the machines; "" takes it away.
            idempotency_key: sent as it is; the server does not heed it here.

        Raises:
            InvalidRequestError: nothing is given.
            ConflictError: the roost was removed.
        """
        body = {
            "siteId": site_id,
            **given(name=name, targets=_list(targets), extractPath=extract_path),
        }
        answer = await self._ask(
            api_path("roosts", roost_id),
            method="PATCH",
            body=body,
            idempotency_key=idempotency_key,
        )
        patched: PatchedRoost = answer.data
        return patched

    async def remove(
        self, roost_id: str, *, site_id: str, idempotency_key: str | None = None
    ) -> RemovedRoost:
        """Remove a roost. For 30 days, `create` with its id brings it back.

        Raises:
            NotFoundError: it was never there.
        """
        answer = await self._ask(
            api_path("roosts", roost_id),
            method="DELETE",
            query={"siteId": site_id},
            idempotency_key=idempotency_key,
        )
        removed: RemovedRoost = answer.data
        return removed

    async def rollback(self, roost_id: str, options: RollbackOptions) -> RollbackResult:
        """Make an earlier version the current one, on all machines at once.

        Raises:
            InvalidRequestError: it is the current one already (`rollback_no_op`).
            NotFoundError: there is no such version, or no such roost.
        """
        body: dict[str, Any] = {"siteId": options.site_id}
        if options.target_version is not None:
            version_ref(options.target_version)
            body["targetVersion"] = options.target_version
        answer = await self._ask(
            api_path("roosts", roost_id, "rollback"),
            method="POST",
            body=body,
            idempotency_key=options.idempotency_key,
        )
        return RollbackResult.from_json(answer.data)

    async def deploy(self, roost_id: str, options: DeployOptions) -> DeployResult:
        """Roll a version out, to a tenth of the machines first.

        A push begins a rollout of its own, so that this often finds it `already_running`.

        Raises:
            InvalidRequestError: there are no machines, or the roost has no version.
            NotFoundError: there is no such version, or no such roost.
            ConflictError: the roost was removed.
        """
        body = {
            "siteId": options.site_id,
            **given(
                versionId=options.version_id,
                machines=_list(options.machines),
                scheduleAt=options.schedule_at,
                dryRun=options.dry_run or None,
            ),
        }
        answer = await self._ask(
            api_path("roosts", roost_id, "deploy"),
            method="POST",
            body=body,
            idempotency_key=options.idempotency_key,
        )
        return DeployResult.from_json(answer.data)

    async def resync(
        self, roost_id: str, *, site_id: str, idempotency_key: str | None = None
    ) -> Resynced:
        """Send the current version to all machines again.

        Raises:
            ConflictError: the roost has no version, or no machines.
        """
        answer = await self._ask(
            api_path("roosts", roost_id, "resync"),
            method="POST",
            body={"siteId": site_id},
            idempotency_key=idempotency_key,
        )
        resynced: Resynced = answer.data
        return resynced

    async def version_url(self, roost_id: str, version_id: str, *, site_id: str) -> VersionUrl:
        """Return a URL to GET the manifest of a version from, which is good for 15 minutes.

        Raises:
            NotFoundError: there is no such version.
        """
        answer = await self._ask(
            api_path("roosts", roost_id, "version-url"),
            method="POST",
            body={"siteId": site_id, "versionId": version_id},
        )
        made: VersionUrl = answer.data
        return made


def _list(values: Sequence[str] | None) -> builtins.list[str] | None:
    if isinstance(values, str):
        msg = f"machines are given as a list of ids, not as one text: {values!r}"
        raise TypeError(msg)
    return None if values is None else [*values]
