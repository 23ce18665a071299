"""The files of a push: their hashes, where each chunk is, and what was read and is needed soon."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from roost._constants import CHUNK_SIZE_BYTES, MOST_HASHES
from roost._direct import Body
from roost._errors import FileChangedError, UnreadableError
from roost._push.cache import HashCache
from roost._push.hashing import (
    Budget,
    Hashed,
    Span,
    chunk_count,
    chunk_size,
    hash_spans,
    pieces_of,
    read_chunk,
    spans_of,
)
from roost._push.manifest import Entry
from roost._push.progress import Progress
from roost._push.rules import shown
from roost._push.walk import LocalFile, stamp_of
from roost._push.workers import HASHING_THREADS, Workers
from roost.resources._push_types import HashProgress, PushProgressEvent, PushStats

__all__ = ["Hashing"]

#: How often a file is read that is another one each time.
_MOST_READS = 3
#: Files that are looked at before the loop has its turn.
_FILES_AT_A_TIME = 500
#: Seconds of hashing between two times that the cache is written.
_SAVED_EVERY_S = 10.0


@dataclass(slots=True)
class _State:
    """A file on its way.

    Attributes:
        file: the file as it was found last.
        digests: the hashes of its chunks; "" for those that are not known yet.
        unknown: how many are not.
        reads: how often it was read, or begun to be.
        read_from_ns: when that was last, in nanoseconds since 1970.
    """

    file: LocalFile
    digests: list[str] = field(default_factory=list[str])
    unknown: int = 0
    reads: int = 0
    read_from_ns: int = 0


class Hashing:
    """Hashes the files of a folder, or remembers what they were hashed to.

    Args:
        files: the files.
        workers: the threads.
        progress: told of each file.
        cache: what is known of the files from earlier.
        has_empty: whether a file that becomes empty meanwhile is still one of them.

    Attributes:
        changed: the numbers of files that have changed since they were found.
        kept: bytes that were read and are needed soon, by hash.
        places: where a chunk is, by hash: the number of a file, and of the chunk in it.
    """

    def __init__(
        self,
        files: Iterable[LocalFile],
        workers: Workers,
        progress: Progress[PushProgressEvent],
        cache: HashCache | None,
        *,
        has_empty: bool,
    ) -> None:
        self.changed: set[int] = set()
        self.kept: dict[str, bytearray] = {}
        self.places: dict[str, tuple[int, int]] = {}
        self._states = [_State(file) for file in files]
        self._bytes = sum(state.file.stamp.size for state in self._states)
        self._workers = workers
        self._progress = progress
        self._cache = cache
        self._has_empty = has_empty
        self._budget = Budget(0)
        self._saved_at = time.monotonic()
        self._told_files = 0
        self._told_bytes = 0

    def recall(self) -> bool:
        """Take the hashes that the cache has, and tell whether those are all."""
        if self._cache is None:
            return False
        for state in self._states:
            state.digests = self._cache.get(state.file) or []
        return all(state.digests or not state.file.stamp.size for state in self._states)

    def keep(self, most: int) -> None:
        """Keep so many of the bytes that are read."""
        self._budget = Budget(most)

    async def run(self, numbers: Sequence[int], fresh: asyncio.Queue[list[str] | None]) -> None:
        """Hash files, and hand the hashes on that are new, a thousand at a time; None in the end.

        Raises:
            UnreadableError: a file cannot be read.
        """
        found: list[str] = []
        unknown = await self._unknown(numbers, found)
        async with aclosing(self._hashed(unknown)) as every:
            async for hashed in every:
                found.extend(self._taken(hashed))
                while len(found) >= MOST_HASHES:
                    await fresh.put(found[:MOST_HASHES])
                    del found[:MOST_HASHES]
                await self._save(at_once=False)
        if numbers:
            await self._progress.tell(self._event(""))
        for at in range(0, len(found), MOST_HASHES):
            await fresh.put(found[at : at + MOST_HASHES])
        await fresh.put(None)
        await self._save(at_once=True)  # beside the uploads: the disk may take its time

    async def _hashed(self, files: Sequence[tuple[int, LocalFile]]) -> AsyncGenerator[Hashed, None]:
        """Yield what threads have hashed, as it comes."""
        jobs: set[asyncio.Future[list[Hashed]]] = set()
        try:
            for spans in spans_of(files):
                await self._tell_of(spans)
                hashing = self._workers.read(
                    hash_spans, spans, self._budget, self._workers.leases, self._workers.stop
                )
                jobs.add(asyncio.ensure_future(hashing))
                if len(jobs) <= 2 * HASHING_THREADS:
                    continue
                done, jobs = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
                for hashed in (each for job in done for each in job.result()):
                    yield hashed
            while jobs:
                done, jobs = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
                for hashed in (each for job in done for each in job.result()):
                    yield hashed
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _unknown(
        self, numbers: Sequence[int], found: list[str]
    ) -> list[tuple[int, LocalFile]]:
        """Return the files that have to be read; of the others, take what is known."""
        unknown: list[tuple[int, LocalFile]] = []
        for count, number in enumerate(numbers):
            if count % _FILES_AT_A_TIME == 0:
                await asyncio.sleep(0)  # there may be a million of them
            state = self._states[number]
            if state.reads or not state.digests:
                state.reads += 1
                state.read_from_ns = time.time_ns()
                state.unknown = chunk_count(state.file.stamp.size)
                state.digests = [""] * state.unknown
                unknown.append((number, state.file))
                continue
            await self._tell_of([Span(number, state.file, 0, len(state.digests))])
            places = ((number, at) for at in range(len(state.digests)))
            found.extend(each for each, at in zip(state.digests, places) if self._is_new(each, at))  # noqa: B905 - equally long
        return unknown

    def _taken(self, hashed: Hashed) -> list[str]:
        """Take note of a span that was hashed, and return the hashes that are new."""
        span = hashed.span
        if hashed.changed:
            self.changed.add(span.number)
            return []
        state = self._states[span.number]
        state.digests[span.first : span.last] = hashed.digests
        state.unknown -= len(hashed.digests)
        if self._cache is not None and not state.unknown and span.number not in self.changed:
            self._cache.put(state.file, state.digests, state.read_from_ns)
        fresh: list[str] = []
        for at, (digest, buffer) in enumerate(zip(hashed.digests, hashed.kept), span.first):  # noqa: B905 - equally long
            if self._is_new(digest, (span.number, at)):
                fresh.append(digest)
                if buffer is not None:
                    self.kept[digest] = buffer
            elif buffer is not None:
                self._budget.give_back(len(buffer))
        return fresh

    def _is_new(self, digest: str, place: tuple[int, int]) -> bool:
        return self.places.setdefault(digest, place) is place

    async def _save(self, *, at_once: bool) -> None:
        """Let the cache be written, every now and then: who is interrupted loses little."""
        now = time.monotonic()
        if self._cache is not None and (at_once or now > self._saved_at + _SAVED_EVERY_S):
            await self._workers.read(self._cache.save, [each.file.path for each in self._states])
            self._saved_at = time.monotonic()

    def let_go(self, digest: str) -> None:
        """Forget the bytes of a chunk."""
        self._budget.give_back(len(self.kept.pop(digest, bytearray())))

    def body(self, digest: str) -> Body:
        """Return a chunk as it is sent: kept, or read again and proven, by a thread.

        Its pieces raise:
            ChangedError: its file has changed.
        """
        if (kept := self.kept.get(digest)) is not None:
            return Body(len(kept), partial(pieces_of, kept))
        number, at = self.places[digest]
        file = self._states[number].file
        read = partial(read_chunk, file, at, digest, self._workers.leases)
        return Body(chunk_size(file, at), read)

    def look_again(self) -> list[int]:
        """Look at the files that have changed, and return their numbers: they are to be hashed.

        Raises:
            FileChangedError: one changes all the time.
            UnreadableError: one is gone.
        """
        numbers = sorted(self.changed)
        for number in numbers:
            state = self._states[number]
            path = shown(state.file.path)
            state.reads = max(state.reads, 1)
            if state.reads >= _MOST_READS:
                raise FileChangedError(path)
            try:
                stamp = stamp_of(os.stat(state.file.where))
            except OSError as error:
                raise UnreadableError({path: error.strerror or str(error)}) from error
            state.file = LocalFile(state.file.path, state.file.where, stamp)
        self.changed.clear()
        return numbers

    def find_again(self, digests: set[str], but: Iterable[int]) -> list[str]:
        """Return which of these chunks are in files still, and forget where the others were.

        Args:
            digests: hashes of chunks.
            but: the files that will be hashed again.
        """
        for digest in digests:
            self.places.pop(digest, None)
        gone = set(but)
        for number, state in enumerate(self._states):
            for at, digest in enumerate(state.digests if number not in gone else ()):
                if digest in digests:
                    self.places.setdefault(digest, (number, at))
        return [digest for digest in digests if digest in self.places]

    def locate(self) -> list[str]:
        """Return the hashes of all chunks, and take note of where each of them is now."""
        self.places = {
            digest: (number, at)
            for number, state in enumerate(self._states)
            for at, digest in enumerate(state.digests)
        }
        return [*self.places]

    def entries(self) -> list[Entry]:
        """Return the files as a manifest has them."""
        return [
            Entry(state.file.path, state.file.stamp.size, tuple(_sized(state)))
            for state in self._states
            if state.file.stamp.size or self._has_empty
        ]

    def stats(self, uploaded: int) -> PushStats:
        """Return what there was, and what of it was uploaded."""
        return PushStats(
            file_count=len(self._states),
            total_bytes=sum(state.file.stamp.size for state in self._states),
            total_chunks=sum(len(state.digests) for state in self._states),
            unique_chunks=len({digest for state in self._states for digest in state.digests}),
            uploaded_chunks=uploaded,
        )

    async def _tell_of(self, spans: Iterable[Span]) -> None:
        for span in spans:
            if self._progress and not span.first:
                await self._progress.tell(self._event(span.file.path))
            self._told_files += not span.first
            self._told_bytes += 0 if span.first else span.file.stamp.size

    def _event(self, path: str) -> HashProgress:
        every = len(self._states)
        done, read = min(self._told_files, every), min(self._told_bytes, self._bytes)
        return HashProgress("hash", path, done, every, read, self._bytes)


def _sized(state: _State) -> Iterable[tuple[str, int]]:
    left = state.file.stamp.size
    for digest in state.digests:
        yield digest, min(CHUNK_SIZE_BYTES, left)
        left -= CHUNK_SIZE_BYTES
