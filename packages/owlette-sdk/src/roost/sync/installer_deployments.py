"""`installer_deployments` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Sequence

from roost._portal import Portal
from roost.resources.installer_deployments import (
    CreatedInstallerDeployment,
    DeletedInstallerDeployment,
    InstallerDeploymentChange,
    InstallerDeploymentDetail,
    InstallerDeploymentPage,
    InstallerDeployments,
)

__all__ = ["InstallerDeploymentsSync"]


class InstallerDeploymentsSync:
    """Installers that are run on machines. Changes need an idempotency key: one is made if None."""

    def __init__(self, group: InstallerDeployments, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(
        self, site_id: str, *, page_size: int | None = None, page_token: str | None = None
    ) -> InstallerDeploymentPage:
        """Return some of a site.

        For the rest, see `InstallerDeployments.list`.
        """
        return self._portal.run(
            self._group.list(site_id, page_size=page_size, page_token=page_token)
        )

    def get(self, site_id: str, deployment_id: str) -> InstallerDeploymentDetail:
        """Return one.

        For the rest, see `InstallerDeployments.get`.
        """
        return self._portal.run(self._group.get(site_id, deployment_id))

    def create(
        self,
        site_id: str,
        *,
        name: str,
        installer_name: str,
        installer_url: str,
        silent_flags: str,
        machines: Sequence[str],
        verify_path: str | None = None,
        sha256_checksum: str | None = None,
        close_processes: Sequence[str] | None = None,
        suppress_projects: Sequence[str] | None = None,
        parallel_install: bool = False,
        idempotency_key: str | None = None,
    ) -> CreatedInstallerDeployment:
        """Let machines download an installer and run it.

        For the rest, see `InstallerDeployments.create`.
        """
        return self._portal.run(
            self._group.create(
                site_id,
                name=name,
                installer_name=installer_name,
                installer_url=installer_url,
                silent_flags=silent_flags,
                machines=machines,
                verify_path=verify_path,
                sha256_checksum=sha256_checksum,
                close_processes=close_processes,
                suppress_projects=suppress_projects,
                parallel_install=parallel_install,
                idempotency_key=idempotency_key,
            )
        )

    def retry(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Run it again where it failed.

        For the rest, see `InstallerDeployments.retry`.
        """
        return self._portal.run(
            self._group.retry(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def cancel(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Stop it where it is not over.

        For the rest, see `InstallerDeployments.cancel`.
        """
        return self._portal.run(
            self._group.cancel(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def uninstall(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Take away what was installed.

        For the rest, see `InstallerDeployments.uninstall`.
        """
        return self._portal.run(
            self._group.uninstall(site_id, deployment_id, idempotency_key=idempotency_key)
        )

    def delete(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> DeletedInstallerDeployment:
        """Delete the record of it; what was installed stays.

        For the rest, see `InstallerDeployments.delete`.
        """
        return self._portal.run(
            self._group.delete(site_id, deployment_id, idempotency_key=idempotency_key)
        )
