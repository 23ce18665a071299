"""`installer` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from pathlib import Path

from roost._portal import Portal
from roost.resources.installer import (
    DeletedInstaller,
    Installer,
    InstallerPage,
    InstallerVersion,
    LatestInstaller,
    UploadedInstaller,
)

__all__ = ["InstallerSync"]


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
