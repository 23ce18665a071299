"""`roosts` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
import os
from collections.abc import Generator, Sequence

from roost._portal import Portal
from roost.resources.roosts import (
    DeployOptions,
    DeployResult,
    PatchedRoost,
    PullOptions,
    PullResult,
    PushOptions,
    PushPlan,
    PushResult,
    RemovedRoost,
    Resynced,
    RollbackOptions,
    RollbackResult,
    RoostDetail,
    Roosts,
    RoostSummary,
    VerifyResult,
    VersionUrl,
)

__all__ = ["RoostsSync"]


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

    def push(
        self, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
    ) -> PushResult:
        """Publish a folder as the current version of a roost, which is made if it is not there.

        For the rest, see `Roosts.push`.
        """
        return self._portal.run(self._group.push(directory, roost_id, options))

    def plan(
        self, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
    ) -> PushPlan:
        """Tell what `push` would do, and do nothing.

        For the rest, see `Roosts.plan`.
        """
        return self._portal.run(self._group.plan(directory, roost_id, options))

    def pull(
        self,
        roost_id: str,
        version_ref: str | int,
        directory: str | os.PathLike[str],
        options: PullOptions,
    ) -> PullResult:
        """Write the files of a version into a folder, which is made if it is not there.

        For the rest, see `Roosts.pull`.
        """
        return self._portal.run(self._group.pull(roost_id, version_ref, directory, options))

    def verify(
        self,
        roost_id: str,
        version_ref: str | int,
        directory: str | os.PathLike[str],
        options: PullOptions,
    ) -> VerifyResult:
        """Compare a folder with a version, byte for byte, and change nothing.

        For the rest, see `Roosts.verify`.
        """
        return self._portal.run(self._group.verify(roost_id, version_ref, directory, options))

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
