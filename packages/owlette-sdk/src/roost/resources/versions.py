"""Versions of a roost: what was published, and when."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from typing import Any, TypedDict

from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = [
    "PatchedVersion",
    "VersionDetail",
    "VersionDiff",
    "VersionFile",
    "VersionFileChunk",
    "VersionRow",
    "Versions",
    "version_ref",
]


class VersionRow(TypedDict):
    """A version in a list. Times are ISO 8601, in UTC; sizes are bytes."""

    versionId: str
    versionNumber: int
    description: str | None
    versionUrl: str | None
    createdAt: str
    createdBy: str | None
    totalSize: int
    totalFiles: int
    parentVersionId: str | None


class VersionDetail(TypedDict):
    """A version, with its manifest under `version`, and the rest of its row under `metadata`."""

    versionId: str
    versionNumber: int
    description: str | None
    roostId: str
    siteId: str
    version: dict[str, Any]
    metadata: dict[str, Any]


class PatchedVersion(VersionRow):
    """A version whose description was changed."""

    roostId: str
    siteId: str
    updatedAt: str


class VersionFileChunk(TypedDict):
    """A piece of a file: the SHA-256 of its bytes, and how many they are."""

    hash: str
    size: int


class VersionFile(TypedDict):
    """A file of a version: its path, its size in bytes, its chunks in order."""

    path: str
    size: int
    chunks: list[VersionFileChunk]


class VersionDiff(TypedDict):
    """What makes one version another.

    `added` and `removed` have `path`, `size`, `reason` and the number of `chunks`; `modified` has
    `fromSize`, `toSize`, `fromChunks` and `toChunks` instead.
    """

    versionId: str
    fromVersion: str
    toVersion: str
    against: str
    roostId: str
    siteId: str
    summary: dict[str, Any]
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    modified: list[dict[str, Any]]


def version_ref(ref: str | int) -> str:
    """Return a reference to a version as the server reads it.

    A number, `#3` or `v3` is the how-manieth publish; `vrs_...` or 64 hex digits are an id;
    `current`, `previous` and `first` are what they say.

    Raises:
        ValueError: it is empty, or no text and no number.
    """
    if not _is_reference(ref):
        msg = f"a version is given by number, id, or as current, previous or first: not by {ref!r}"
        raise ValueError(msg)
    return str(ref)


def _is_reference(ref: object) -> bool:
    return isinstance(ref, (str, int)) and not isinstance(ref, bool) and bool(str(ref).strip())


class Versions(Resource):
    """Versions of roosts: `client.versions`. For `version_ref`, see the function of this name."""

    async def list(
        self,
        roost_id: str,
        *,
        site_id: str,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[VersionRow, None]:
        """Yield all versions, the newest first.

        Args:
            roost_id: the roost.
            site_id: its site.
            page_size: rows of a page, up to 100.
            page_token: where to begin, from an earlier page.
            cursor: the same.

        Raises:
            NotFoundError: the roost is not there.
            PagingError: the list does not come to an end.
        """
        asked = page_query(page_size, page_token, cursor)

        async def page(token: str | None) -> tuple[builtins.list[VersionRow], str | None]:
            return await self.list_page(
                roost_id, site_id=site_id, page_size=page_size, page_token=token
            )

        async for row in walk(page, asked["page_token"]):
            yield row

    async def list_page(
        self,
        roost_id: str,
        *,
        site_id: str,
        page_size: int = 20,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> tuple[builtins.list[VersionRow], str | None]:
        """Return some versions, and the token of those that follow; None at the end."""
        asked = page_query(page_size, page_token, cursor)
        answer = await self._ask(
            api_path("roosts", roost_id, "versions"), query={"siteId": site_id, **asked}
        )
        rows: builtins.list[VersionRow] = (
            answer.data.get("versions") or answer.data.get("items") or []
        )
        return rows, next_token(answer.data)

    async def get(self, roost_id: str, version_ref: str | int, *, site_id: str) -> VersionDetail:
        """Return a version, with its manifest.

        Raises:
            NotFoundError: it is not there (`version_not_found`), or its manifest is gone (410).
            InvalidRequestError: `version_ref` makes no sense (`version_ref_malformed`).
        """
        answer = await self._ask(_path(roost_id, version_ref), query={"siteId": site_id})
        version: VersionDetail = answer.data
        return version

    async def patch(
        self,
        roost_id: str,
        version_ref: str | int,
        *,
        site_id: str,
        description: str | None,
        idempotency_key: str | None = None,
    ) -> PatchedVersion:
        """Change the description of a version: nothing else of it can be changed.

        Args:
            roost_id: the roost.
            version_ref: the version.
            site_id: the site.
            description: up to 500 characters; None takes it away.
            idempotency_key: one of the caller's.
        """
        answer = await self._ask(
            _path(roost_id, version_ref),
            method="PATCH",
            body={"siteId": site_id, "description": description},
            idempotency_key=idempotency_key,
        )
        version: PatchedVersion = answer.data
        return version

    async def files(
        self,
        roost_id: str,
        version_ref: str | int,
        *,
        site_id: str,
        page_size: int = 100,
        page_token: str | None = None,
        cursor: str | None = None,
        prefix: str | None = None,
    ) -> AsyncGenerator[VersionFile, None]:
        """Yield the files of a version.

        Args:
            roost_id: the roost.
            version_ref: the version.
            site_id: the site.
            page_size: rows of a page, up to 500.
            page_token: where to begin, from an earlier page.
            cursor: the same.
            prefix: what their paths begin with.

        Raises:
            PagingError: the list does not come to an end.
        """
        asked = page_query(page_size, page_token, cursor)

        async def page(token: str | None) -> tuple[builtins.list[VersionFile], str | None]:
            answer = await self._ask(
                _path(roost_id, version_ref, "files"),
                query={"siteId": site_id, "prefix": prefix, **asked, "page_token": token},
            )
            rows: builtins.list[VersionFile] = (
                answer.data.get("files") or answer.data.get("items") or []
            )
            return rows, next_token(answer.data)

        async for row in walk(page, asked["page_token"]):
            yield row

    async def diff(
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

        Args:
            roost_id: the roost.
            version_ref: the version that is looked at.
            site_id: the site.
            against: the one that it is compared with.
            from_version: an older name of `against`.
            to_version: an older name of `version_ref`.

        Raises:
            ValueError: one of the two is missing.
        """
        to = version_ref if version_ref is not None else to_version
        baseline = against if against is not None else from_version
        if to is None or baseline is None:
            msg = "versions.diff requires version_ref and against"
            raise ValueError(msg)
        answer = await self._ask(
            _path(roost_id, to, "diff"),
            query={"siteId": site_id, "against": _text(baseline)},
        )
        diff: VersionDiff = answer.data
        return diff


def _text(ref: str | int) -> str:
    return version_ref(ref)


def _path(roost_id: str, ref: str | int, *more: str) -> str:
    return api_path("roosts", roost_id, "versions", version_ref(ref), *more)
