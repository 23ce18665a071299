"""Roosts: folders that are published version by version, and rolled out to machines."""

from __future__ import annotations

import builtins
import os
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._push_types import (
    PullOptions,
    PullProgress,
    PullResult,
    PushOptions,
    PushPlan,
    PushProgressCheckMissing,
    PushProgressEvent,
    PushProgressPublish,
    PushProgressUpload,
    PushResult,
    PushStats,
    VerifyResult,
)
from roost.resources._resource import Resource, given
from roost.resources._roost_types import (
    DeployOptions,
    DeployResult,
    PatchedRoost,
    RemovedRoost,
    Resynced,
    RollbackOptions,
    RollbackResult,
    RoostDetail,
    RoostSummary,
    VersionSummary,
    VersionUrl,
)
from roost.resources.versions import version_ref

__all__ = [
    "DeployOptions",
    "DeployResult",
    "PatchedRoost",
    "PullOptions",
    "PullProgress",
    "PullResult",
    "PushOptions",
    "PushPlan",
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
    "VerifyResult",
    "VersionSummary",
    "VersionUrl",
]


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

    async def push(
        self, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
    ) -> PushResult:
        """Publish a folder as the current version of a roost, which is made if it is not there.

        Files are cut into chunks of 4 MiB, and those that the storage lacks are uploaded. The same
        files are the same version: to push them twice changes nothing. If somebody else publishes
        in the meantime, this version is published after theirs. Cancelling or failing before the
        version is published leaves the roost as it was; another push finds what has been uploaded.

        Args:
            directory: the folder. `.git`, `node_modules` and what its `.roostignore` names are left
                out, and so are empty files.
            roost_id: the roost.
            options: the site, and what else is wanted.

        Raises:
            FileNotFoundError: there is no such folder.
            NotADirectoryError: it is something else.
            ValueError: there is nothing to publish.
            PathRuleError: files have names that no version can have; nothing was uploaded.
            UnreadableError: files or folders cannot be read.
            FileChangedError: a file changes all the time.
            TransferError: the storage does not take a chunk.
            VersionStaleError: somebody else has published, if `on_conflict` is `raise`.
            RoostApiError: the API refuses.
            RoostTransportError: no answer came.
        """
        from roost._push import push  # noqa: PLC0415 - who does not push need not load it

        return await push(self._http, directory, roost_id, options)

    async def plan(
        self, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
    ) -> PushPlan:
        """Tell what `push` would do, and do nothing.

        Raises:
            as `push` does, but for what belongs to uploading and publishing.
        """
        from roost._push import plan  # noqa: PLC0415 - as above

        return await plan(self._http, directory, roost_id, options)

    async def pull(
        self,
        roost_id: str,
        version_ref: str | int,
        directory: str | os.PathLike[str],
        options: PullOptions,
    ) -> PullResult:
        """Write the files of a version into a folder, which is made if it is not there.

        Only what differs is downloaded, and all of it is proven. A file is replaced when it is
        whole: who is interrupted has each file as it was or as it will be, and goes on where it
        was by pulling again. Files that the version does not have are left alone.

        Args:
            roost_id: the roost.
            version_ref: a number, `#3`, `v3`, an id, `current`, `previous` or `first`.
            directory: the folder.
            options: the site, and what else is wanted.

        Raises:
            PullError: the version cannot be written there: it has paths that lead elsewhere, the
                disk is full, or something is in the way.
            TransferError: the storage does not have a chunk.
            NotFoundError: there is no such version.
            RoostApiError: the API refuses.
            RoostTransportError: no answer came.
        """
        from roost._push.pull import pull  # noqa: PLC0415 - as above

        return await pull(self._http, roost_id, version_ref, directory, options)

    async def verify(
        self,
        roost_id: str,
        version_ref: str | int,
        directory: str | os.PathLike[str],
        options: PullOptions,
    ) -> VerifyResult:
        """Compare a folder with a version, byte for byte, and change nothing.

        Args:
            roost_id: the roost.
            version_ref: as for `pull`.
            directory: the folder.
            options: the site.

        Raises:
            FileNotFoundError: there is no such folder.
            UnreadableError: files cannot be read.
            NotFoundError: there is no such version.
            RoostApiError: the API refuses.
            RoostTransportError: no answer came.
        """
        from roost._push.pull import verify  # noqa: PLC0415 - as above

        return await verify(self._http, roost_id, version_ref, directory, options)

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
