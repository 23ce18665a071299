"""Chunks: the pieces of files, each under the hash of its bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypedDict

from roost._constants import MOST_HASHES
from roost._paging import next_token, page_query, walk
from roost._paths import api_path
from roost.resources._resource import Resource

__all__ = ["ChunkMount", "ChunkReferrer", "ChunkUrls", "Chunks"]


class ChunkUrls(TypedDict):
    """Signed URLs by hash, and the first moment at which one of them expires (ISO 8601)."""

    urls: dict[str, str]
    expiresAt: str


class ChunkMount(TypedDict):
    """A chunk that a second roost refers to now."""

    digest: str
    siteId: str
    mounted: bool
    zeroByte: bool


class ChunkReferrer(TypedDict):
    """A version that has a chunk, or a mount, which has no `roostId` but two others."""

    entryId: str
    source: str
    roostId: str | None
    fromRoostId: str | None
    toRoostId: str | None
    versionId: str | None
    versionNumber: int | None
    fileCount: int | None
    pathCount: int | None
    totalBytes: int | None
    referencedAt: str | None
    createdAt: str | None
    createdBy: str | None
    mountedAt: str | None
    mountedBy: str | None


class Chunks(Resource):
    """Chunks of a site: `client.chunks`. `hashes` are SHA-256 in 64 lower-case hex digits.

    The server takes 1,000 hashes at a time; more of them are sent in several requests.
    """

    async def check(self, site_id: str, hashes: Sequence[str]) -> list[str]:
        """Return the hashes whose chunks the storage lacks, in the order given."""
        missing: list[str] = []
        for part in _parts(hashes):
            answer = await self._post("check", site_id, part)
            missing += answer.get("missing") or []
        return missing

    async def upload_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to PUT chunks to, which are good for an hour.

        No key may go there: see `RoostClient.signed`.
        """
        return await self._urls("upload-urls", site_id, hashes)

    async def download_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to GET chunks from, which are good for 15 minutes.

        There are URLs for chunks that are not there, too: the storage answers 404 then.
        """
        return await self._urls("download-urls", site_id, hashes)

    async def mount(
        self, digest: str, *, site_id: str, from_roost: str, to_roost: str
    ) -> ChunkMount:
        """Let a second roost refer to a chunk, so that it stays when the first one goes.

        Raises:
            NotFoundError: the chunk or one of the roosts is not there.
        """
        answer = await self._ask(
            api_path("chunks", digest, "mount"),
            method="POST",
            query={"siteId": site_id, "from": from_roost, "to": to_roost},
        )
        mounted: ChunkMount = answer.data
        return mounted

    async def referrers(
        self,
        digest: str,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[ChunkReferrer, None]:
        """Yield what refers to a chunk.

        Args:
            digest: the hash of the chunk.
            site_id: the site.
            page_size: rows of a page, up to 200.
            page_token: where to begin, from an earlier page.
            cursor: the same.

        Raises:
            PagingError: the list does not come to an end.
        """
        asked = page_query(page_size, page_token, cursor)

        async def page(token: str | None) -> tuple[list[ChunkReferrer], str | None]:
            answer = await self._ask(
                api_path("chunks", digest, "referrers"),
                query={"siteId": site_id, **asked, "page_token": token},
            )
            rows: list[ChunkReferrer] = (
                answer.data.get("referrers") or answer.data.get("items") or []
            )
            return rows, next_token(answer.data)

        async for row in walk(page, asked["page_token"]):
            yield row

    async def _urls(self, kind: str, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        if len(hashes) <= MOST_HASHES:
            made: Any = await self._post(kind, site_id, hashes)
            whole: ChunkUrls = made
            return whole
        urls: dict[str, str] = {}
        expires: list[str] = []
        for part in _parts(hashes):
            answer = await self._post(kind, site_id, part)
            urls |= answer.get("urls") or {}
            expires += [answer["expiresAt"]] if answer.get("expiresAt") else []
        return {"urls": urls, "expiresAt": min(expires, default="")}

    async def _post(self, kind: str, site_id: str, hashes: Sequence[str]) -> dict[str, Any]:
        answer = await self._ask(
            api_path("chunks", kind), method="POST", body={"siteId": site_id, "hashes": [*hashes]}
        )
        data: dict[str, Any] = answer.data
        return data


def _parts(hashes: Sequence[str]) -> list[Sequence[str]]:
    """Return the hashes in parts; none at all is one part, which the server refuses."""
    starts = range(0, max(1, len(hashes)), MOST_HASHES)
    return [hashes[start : start + MOST_HASHES] for start in starts]
