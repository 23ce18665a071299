"""Installers of Owlette itself: `client.installer`. Only superadmins may change them."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import httpx

from roost._errors import RoostApiError, api_error
from roost._hooks import shown_url
from roost._model import Model
from roost._paging import next_token, page_query
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource, given

__all__ = [
    "DeletedInstaller",
    "Installer",
    "InstallerPage",
    "InstallerVersion",
    "LatestInstaller",
    "UploadedInstaller",
]

#: Bytes that are read at a time.
_PIECE = 1024 * 1024


@dataclass(slots=True)
class InstallerVersion(Model):
    """A version of Owlette. Times are milliseconds since 1970, but `release_date` is ISO 8601."""

    version: str
    download_url: str | None = None
    checksum_sha256: str | None = None
    release_notes: str | None = None
    file_size: int | None = None
    uploaded_at: int | None = None
    uploaded_by: str | None = None
    release_date: str | None = None
    deleted_at: int | None = None
    promoted_at: int | None = None
    promoted_by: str | None = None


class InstallerPage(TypedDict):
    """Some versions, and the token of those that follow; None at the end."""

    versions: list[InstallerVersion]
    next_page_token: str | None


class UploadedInstaller(TypedDict):
    """A version that was uploaded."""

    version: str
    download_url: str
    checksum_sha256: str
    file_size: int


class LatestInstaller(TypedDict):
    """The version that machines update to from now on."""

    version: str
    latest: Any


class DeletedInstaller(TypedDict):
    """A version that was deleted."""

    version: str
    deletedAt: int
    alreadyDeleted: bool


class Installer(Resource):
    """Installers of Owlette itself."""

    __slots__ = ("_upload_transport",)

    def __init__(self, http: RoostClient) -> None:
        super().__init__(http)
        #: What uploads go through instead of the client's transport, if anything.
        self._upload_transport: httpx.AsyncBaseTransport | None = None

    async def list(
        self,
        *,
        include_deleted: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> InstallerPage:
        """Return some versions.

        Args:
            include_deleted: whether to return deleted ones, too.
            page_size: rows of a page, up to 100; 20 by default.
            page_token: where to begin: `next_page_token` of the page before.
        """
        answer = await self._ask(
            api_path("installer"),
            query={
                "includeDeleted": True if include_deleted else None,
                **page_query(page_size, page_token, None),
            },
        )
        rows = InstallerVersion.list_of(answer.data, "versions", "items")
        return {"versions": rows, "next_page_token": next_token(answer.data)}

    async def latest(self) -> InstallerVersion:
        """Return the version that machines update to.

        Raises:
            NotFoundError: there is none (`latest_installer_not_found`).
        """
        answer = await self._ask(api_path("installer", "latest"))
        return InstallerVersion.from_json(answer.data)

    async def upload(
        self,
        file_path: str | Path,
        *,
        version: str,
        release_notes: str | None = None,
        set_as_latest: bool = True,
        idempotency_key: str | None = None,
    ) -> UploadedInstaller:
        """Upload an installer: announce it, PUT it to the storage, and let the server check it.

        The file is read in pieces, twice: for its hash, and for the upload.

        Args:
            file_path: the installer, whose name ends in `.exe`.
            version: as `X.Y.Z`.
            release_notes: what is new.
            set_as_latest: whether machines update to it from now on.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            FileNotFoundError: there is no such file.
            RoostApiError: it was refused, by the API or by the storage.
        """
        path = Path(file_path)
        size, digest = await asyncio.to_thread(_measure, path)
        key = idempotency_key or f"py-sdk-installer-upload-{uuid.uuid4()}"
        started = await self._ask(
            api_path("installer", "upload"),
            method="POST",
            body={
                "version": version,
                "fileName": path.name,
                "contentType": "application/octet-stream",
                **given(releaseNotes=release_notes),
                "setAsLatest": set_as_latest,
            },
            idempotency_key=key,
        )
        await self._put(started.data["uploadUrl"], path, size)
        finished = await self._ask(
            api_path("installer", "upload"),
            method="PUT",
            body={"uploadId": started.data["uploadId"], "checksum_sha256": digest},
            idempotency_key=key,
        )
        uploaded: UploadedInstaller = finished.data
        return uploaded

    async def set_latest(
        self, version: str, *, idempotency_key: str | None = None
    ) -> LatestInstaller:
        """Let machines update to a version.

        Raises:
            ConflictError: it was deleted (`version_deleted`).
        """
        answer = await self._ask(
            api_path("installer", version, "set-latest"),
            method="POST",
            body={},
            idempotency_key=idempotency_key,
        )
        latest: LatestInstaller = answer.data
        return latest

    async def delete(self, version: str, *, idempotency_key: str | None = None) -> DeletedInstaller:
        """Delete a version.

        Raises:
            ConflictError: machines update to it (`latest_version_protected`), or there would be too
                few left (`min_versions_violated`).
        """
        answer = await self._ask(
            api_path("installer", version),
            method="DELETE",
            idempotency_key=idempotency_key,
            key_prefix="py-sdk-installer-delete-",
        )
        deleted: DeletedInstaller = answer.data
        return deleted

    async def _put(self, url: str, path: Path, size: int) -> None:
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        answer = await self._http.signed(
            "PUT", url, content=_pieces(path), headers=headers, transport=self._upload_transport
        )
        if not 200 <= answer.status < 300:
            raise _refused(answer.status, url)


def _refused(status: int, url: str) -> RoostApiError:
    problem = {"detail": f"the storage refused the installer: HTTP {status}"}
    return api_error(status, problem, method="PUT", url=shown_url(url))


def _measure(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()
