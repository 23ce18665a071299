"""From files to stored chunks: hash, check, upload, all at once.

How it works. Threads hash the files in order, and keep the bytes that they have read as long as
there is room. Hashes that are new are asked about a thousand at a time. What the storage lacks is
uploaded by other threads: from memory where the bytes were kept, so that they are read once; else
they are read again and proven to be the same. There is no barrier: the first chunks are on
their way while later files are hashed. A file that is another one when it is read again is hashed
again, and all of this is done once more for it. Nothing has to be remembered: who pushes again
after a failure finds that most chunks are stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from roost._constants import MOST_HASHES
from roost._push.files import Hashing
from roost._push.hashing import ChangedError
from roost._push.progress import Progress
from roost._push.storage import Storage
from roost._push.urls import UrlBook
from roost._push.workers import together
from roost.resources._push_types import (
    PushProgressCheckMissing,
    PushProgressEvent,
    PushProgressUpload,
)
from roost.resources.chunks import Chunks

__all__ = ["Uploading"]

#: Chunks between two events of uploading.
_CHUNKS_OF_EVENT = 4


class Uploading:
    """Uploads what the storage lacks of the files that are hashed.

    Args:
        site_id: the site.
        chunks: the API of chunks.
        hashing: the files.
        storage: where chunks go.
        urls: their URLs.
        progress: told of chunks.
        senders: how many chunks are sent at once.

    Attributes:
        uploaded: how many chunks were.
    """

    def __init__(
        self,
        site_id: str,
        chunks: Chunks,
        hashing: Hashing,
        storage: Storage,
        urls: UrlBook,
        progress: Progress[PushProgressEvent],
        senders: int,
    ) -> None:
        self.uploaded = 0
        self._site_id = site_id
        self._chunks = chunks
        self._hashing = hashing
        self._storage = storage
        self._urls = urls
        self._progress = progress
        self._senders = senders
        self._missing: set[str] = set()
        self._was_counted = False

    async def run(self, numbers: Sequence[int]) -> None:
        """Hash files, and upload what is missing, until nothing is.

        Args:
            numbers: which files.

        Raises:
            FileChangedError: a file changes all the time.
            UnreadableError: a file cannot be read.
            TransferError: the storage does not take a chunk.
            RoostApiError: the API refuses.
            RoostTransportError: no answer.
        """
        wanted = [*self._missing]
        while numbers or wanted:
            await self._round(numbers, wanted)
            numbers = self._hashing.look_again()
            wanted = self._hashing.find_again(self._missing, numbers) if self._missing else []
            self._missing.intersection_update(wanted)

    async def heal(self) -> None:
        """Ask about all chunks again, and upload what is missing: the server said that some are."""
        every = self._hashing.locate()
        for at in range(0, len(every), MOST_HASHES):
            some = every[at : at + MOST_HASHES]
            self._missing.update(await self._chunks.check(self._site_id, some))
        await self.run(())

    async def _round(self, numbers: Sequence[int], wanted: Sequence[str]) -> None:
        fresh: asyncio.Queue[list[str] | None] = asyncio.Queue()
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._await(wanted, waiting)
        await together(
            self._hashing.run(numbers, fresh),
            self._check(fresh, waiting),
            *(self._send(waiting) for _ in range(self._senders)),
        )

    def _await(self, digests: Iterable[str], waiting: asyncio.Queue[str | None]) -> None:
        """Let chunks wait to be sent."""
        for digest in digests:
            self._missing.add(digest)
            self._urls.expect([digest])
            waiting.put_nowait(digest)

    async def _check(
        self, fresh: asyncio.Queue[list[str] | None], waiting: asyncio.Queue[str | None]
    ) -> None:
        while (digests := await fresh.get()) is not None:
            missing = set(await self._chunks.check(self._site_id, digests))
            for digest in digests:
                if digest not in missing:
                    self._hashing.let_go(digest)
            self._await((digest for digest in digests if digest in missing), waiting)
        if not self._was_counted:
            self._was_counted = True
            missing_count = self.uploaded + len(self._missing)
            await self._progress.tell(
                PushProgressCheckMissing(total=len(self._hashing.places), missing=missing_count)
            )
            if self.uploaded:
                await self._tell()
        for _ in range(self._senders):
            waiting.put_nowait(None)

    async def _send(self, waiting: asyncio.Queue[str | None]) -> None:
        while (digest := await waiting.get()) is not None:
            try:
                await self._storage.put(digest, self._hashing.body(digest))
            except ChangedError:
                self._hashing.changed.add(self._hashing.places[digest][0])
                self._urls.done(digest)
                continue
            self._hashing.let_go(digest)
            self._missing.discard(digest)
            self.uploaded += 1
            is_step = self.uploaded % _CHUNKS_OF_EVENT == 0 or not self._missing
            if self._was_counted and is_step:
                await self._tell()

    async def _tell(self) -> None:
        total = self.uploaded + len(self._missing)
        await self._progress.tell(PushProgressUpload(uploaded=self.uploaded, total=total))
