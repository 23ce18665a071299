"""`versions` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Generator

from roost._portal import Portal
from roost.resources.versions import (
    PatchedVersion,
    VersionDetail,
    VersionDiff,
    VersionFile,
    VersionRow,
    Versions,
)

__all__ = ["VersionsSync"]


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
