"""Installers that are run on machines: `client.installer_deployments`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from roost._model import Model
from roost._paging import next_token, page_query
from roost._paths import api_path
from roost.resources._resource import Resource, given

__all__ = [
    "CreatedInstallerDeployment",
    "DeletedInstallerDeployment",
    "InstallerDeploymentChange",
    "InstallerDeploymentDetail",
    "InstallerDeploymentPage",
    "InstallerDeploymentSummary",
    "InstallerDeploymentTarget",
    "InstallerDeployments",
]


@dataclass(slots=True)
class InstallerDeploymentTarget(Model):
    """How far a machine has come: `pending`, `downloading`, `installing`, `completed`, ..."""

    machine_id: str
    status: str | None = None
    error: str | None = None


@dataclass(slots=True)
class InstallerDeploymentSummary(Model):
    """An installer that is run on machines. Times are ISO 8601, in UTC.

    Attributes:
        status: `pending`, `in_progress`, `completed`, `failed`, `partial`, `cancelled`, ...
    """

    id: str
    name: str | None = None
    installer_name: str | None = None
    installer_url: str | None = None
    silent_flags: str | None = None
    verify_path: str | None = None
    sha256_checksum: str | None = None
    parallel_install: bool = False
    targets: list[InstallerDeploymentTarget] = field(
        default_factory=list[InstallerDeploymentTarget]
    )
    status: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    updated_at: str | None = None


@dataclass(slots=True)
class InstallerDeploymentDetail(InstallerDeploymentSummary):
    """The same, with its site."""

    site_id: str | None = None


class InstallerDeploymentPage(TypedDict):
    """Some of them, and the token of those that follow; None at the end."""

    items: list[InstallerDeploymentSummary]
    next_page_token: str | None


class CreatedInstallerDeployment(TypedDict):
    """One that was begun."""

    deploymentId: str
    siteId: str
    status: str
    targets: list[dict[str, Any]]


class _Change(TypedDict):
    deploymentId: str
    siteId: str
    status: str
    machine_ids: list[str]


class InstallerDeploymentChange(_Change, total=False):
    """What became of it, on which machines, and on how many."""

    retried: int
    cancelled: int
    queued: int


class DeletedInstallerDeployment(TypedDict):
    """One whose record was deleted."""

    deploymentId: str
    siteId: str
    deleted: bool


class InstallerDeployments(Resource):
    """Installers that are run on machines. Changes need an idempotency key: one is made if None."""

    async def list(
        self, site_id: str, *, page_size: int | None = None, page_token: str | None = None
    ) -> InstallerDeploymentPage:
        """Return some of a site.

        Args:
            site_id: the site.
            page_size: rows of a page, up to 100; 25 by default.
            page_token: where to begin: `next_page_token` of the page before.
        """
        answer = await self._ask(
            api_path("sites", site_id, "deployments"),
            query=page_query(page_size, page_token, None),
        )
        rows = InstallerDeploymentSummary.list_of(answer.data, "items", "deployments")
        return {"items": rows, "next_page_token": next_token(answer.data)}

    async def get(self, site_id: str, deployment_id: str) -> InstallerDeploymentDetail:
        """Return one.

        Raises:
            NotFoundError: it is not there.
        """
        answer = await self._ask(_path(site_id, deployment_id))
        return InstallerDeploymentDetail.from_json(answer.data)

    async def create(
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

        Args:
            site_id: the site.
            name: what this is called.
            installer_name: the name of the file.
            installer_url: where it is: https.
            silent_flags: the arguments with which it asks nothing.
            machines: the ids of the machines.
            verify_path: a file that is there afterwards.
            sha256_checksum: the SHA-256 of the installer, in hex.
            close_processes: what to end before.
            suppress_projects: what not to start meanwhile.
            parallel_install: whether machines need not wait for each other.
            idempotency_key: one of the caller's.

        Raises:
            InvalidRequestError: there are more machines than may be (`over_quota`).
        """
        body = {
            "name": name,
            "installer_name": installer_name,
            "installer_url": installer_url,
            "silent_flags": silent_flags,
            "machines": [*machines],
            **given(
                verify_path=verify_path,
                sha256_checksum=sha256_checksum,
                close_processes=None if close_processes is None else [*close_processes],
                suppress_projects=None if suppress_projects is None else [*suppress_projects],
                parallel_install=parallel_install or None,
            ),
        }
        answer = await self._ask(
            api_path("sites", site_id, "deployments"),
            method="POST",
            body=body,
            idempotency_key=idempotency_key,
        )
        created: CreatedInstallerDeployment = answer.data
        return created

    async def retry(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Run it again where it failed.

        Raises:
            ConflictError: it failed nowhere (`no_failed_targets`).
        """
        return await self._change(site_id, deployment_id, "retry", idempotency_key)

    async def cancel(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Stop it where it is not over.

        Raises:
            ConflictError: it is over everywhere (`no_cancellable_targets`).
        """
        return await self._change(site_id, deployment_id, "cancel", idempotency_key)

    async def uninstall(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> InstallerDeploymentChange:
        """Take away what was installed.

        Raises:
            ConflictError: it was installed nowhere (`no_targets`).
        """
        return await self._change(site_id, deployment_id, "uninstall", idempotency_key)

    async def delete(
        self, site_id: str, deployment_id: str, *, idempotency_key: str | None = None
    ) -> DeletedInstallerDeployment:
        """Delete the record of it; what was installed stays.

        Raises:
            ConflictError: it is not over (`deployment_in_flight`).
        """
        answer = await self._ask(
            _path(site_id, deployment_id),
            method="DELETE",
            body={},
            idempotency_key=idempotency_key,
        )
        deleted: DeletedInstallerDeployment = answer.data
        return deleted

    async def _change(
        self, site_id: str, deployment_id: str, verb: str, idempotency_key: str | None
    ) -> InstallerDeploymentChange:
        answer = await self._ask(
            _path(site_id, deployment_id, verb),
            method="POST",
            body={},
            idempotency_key=idempotency_key,
        )
        change: InstallerDeploymentChange = answer.data
        return change


def _path(site_id: str, deployment_id: str, *more: str) -> str:
    return api_path("sites", site_id, "deployments", deployment_id, *more)
