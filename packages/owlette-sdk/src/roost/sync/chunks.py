"""`chunks` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from roost._portal import Portal
from roost.resources.chunks import ChunkMount, ChunkReferrer, Chunks, ChunkUrls

__all__ = ["ChunksSync"]


class ChunksSync:
    """Chunks of a site: `client.chunks`. `hashes` are SHA-256 in 64 lower-case hex digits."""

    def __init__(self, group: Chunks, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def check(self, site_id: str, hashes: Sequence[str]) -> list[str]:
        """Return the hashes whose chunks the storage lacks, in the order given.

        For the rest, see `Chunks.check`.
        """
        return self._portal.run(self._group.check(site_id, hashes))

    def upload_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to PUT chunks to, which are good for an hour.

        For the rest, see `Chunks.upload_urls`.
        """
        return self._portal.run(self._group.upload_urls(site_id, hashes))

    def download_urls(self, site_id: str, hashes: Sequence[str]) -> ChunkUrls:
        """Return URLs to GET chunks from, which are good for 15 minutes.

        For the rest, see `Chunks.download_urls`.
        """
        return self._portal.run(self._group.download_urls(site_id, hashes))

    def mount(self, digest: str, *, site_id: str, from_roost: str, to_roost: str) -> ChunkMount:
        """Let a second roost refer to a chunk, so that it stays when the first one goes.

        For the rest, see `Chunks.mount`.
        """
        return self._portal.run(
            self._group.mount(digest, site_id=site_id, from_roost=from_roost, to_roost=to_roost)
        )

    def referrers(
        self,
        digest: str,
        *,
        site_id: str,
        page_size: int = 50,
        page_token: str | None = None,
        cursor: str | None = None,
    ) -> Generator[ChunkReferrer, None, None]:
        """Yield what refers to a chunk.

        For the rest, see `Chunks.referrers`.
        """
        return self._portal.iterate(
            self._group.referrers(
                digest, site_id=site_id, page_size=page_size, page_token=page_token, cursor=cursor
            )
        )
