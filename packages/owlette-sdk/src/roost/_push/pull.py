"""From a version to a folder: `pull`, and whether a folder is a version: `verify`.

How it works. The manifest is proven by the id of the version, which is its hash. Each file is put
together in a folder of its own, `.roost-pull`, from what is there already (the file as it is, and
what an earlier pull has left) and from the storage, which is asked once for each chunk; all of them
are proven by their hashes. When a file is whole it takes its place, in one step. So a pull can be
killed at any moment, and the next one goes on.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from roost._errors import PullError, RoostError, UnreadableError
from roost._paths import api_path
from roost._push.assembly import (
    WORK_FOLDER,
    clear,
    finish,
    is_equal,
    place_of,
    prepare,
    survey,
    write_piece,
)
from roost._push.manifest import Entry, version_id_of
from roost._push.progress import Progress
from roost._push.publishing import object_of
from roost._push.rules import path_problem, shown
from roost._push.storage import Storage
from roost._push.urls import UrlBook
from roost._push.workers import Workers, together
from roost.client import RoostClient
from roost.resources._push_types import PullOptions, PullProgress, PullResult, VerifyResult
from roost.resources.chunks import Chunks
from roost.resources.versions import version_ref

__all__ = ["pull", "verify"]

#: Seconds that URLs to download from are good for.
_DOWNLOAD_LIFE_S = 900.0
#: Files that are put together at once.
_FILES_AT_ONCE = 4
#: Bytes of a chunk, of whatever size other clients make them: each is held in memory once.
_MOST_OF_CHUNK = 64 * 1024 * 1024
_T = TypeVar("_T")
_IS_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Version:
    version_id: str
    number: int
    entries: list[Entry]


async def pull(
    http: RoostClient,
    roost_id: str,
    ref: str | int,
    directory: str | os.PathLike[str],
    options: PullOptions,
) -> PullResult:
    """Write a version into a folder; see `Roosts.pull`."""
    root = await asyncio.to_thread(_absolute, directory)
    version = await _version(http, roost_id, ref, options)
    chunks = Chunks(http)
    if options.concurrency < 1:
        msg = (
            f"concurrency is how many chunks are fetched at once, at least 1: {options.concurrency}"
        )
        raise ValueError(msg)
    async with Workers(options.concurrency, http.timeout) as workers:
        urls = UrlBook(lambda some: chunks.download_urls(options.site_id, some), _DOWNLOAD_LIFE_S)
        target = _Target(root, version, workers, Storage(http, workers, urls), urls, options)
        try:
            return await target.run()
        except RoostError:
            raise  # of which those of the network are OSErrors, too
        except OSError as error:
            raise _unwritable(error, root) from error


async def verify(
    http: RoostClient,
    roost_id: str,
    ref: str | int,
    directory: str | os.PathLike[str],
    options: PullOptions,
) -> VerifyResult:
    """Compare a folder with a version; see `Roosts.verify`."""
    root = await asyncio.to_thread(_absolute, directory)
    version = await _version(http, roost_id, ref, options)
    missing: list[str] = []
    changed: list[str] = []
    async with Workers(1, http.timeout) as workers:
        found = await workers.read(_files_in, root)

        async def compare(entry: Entry) -> None:
            where = found.get(entry.path) or place_of(root, entry.path)
            equal = await workers.read(_is_equal, where, entry, workers)
            if not equal:
                (missing if equal is None else changed).append(entry.path)

        await _each(version.entries, compare, _FILES_AT_ONCE)
    wanted = {unicodedata.normalize("NFC", entry.path) for entry in version.entries}
    extra = sorted(shown(path) for path in found if path not in wanted)
    return VerifyResult(version.version_id, version.number, sorted(missing), sorted(changed), extra)


async def _version(
    http: RoostClient, roost_id: str, ref: str | int, options: PullOptions
) -> _Version:
    """Return a version whose manifest is what its id says.

    Raises:
        PullError: it is not, or cannot be written anywhere.
    """
    path = api_path("roosts", roost_id, "versions", version_ref(ref))
    got = await http.request(path, query={"siteId": options.site_id})
    answer = object_of(got, path, "versionId", "versionNumber", "version")
    version_id: str = answer["versionId"]
    return await asyncio.to_thread(_read, version_id, answer["versionNumber"], answer["version"])


def _read(version_id: str, number: int, manifest: dict[str, Any]) -> _Version:
    bare = version_id.removeprefix("vrs_")
    if _IS_HASH.fullmatch(bare) and version_id_of(manifest) != bare:
        msg = f"the manifest of version {version_id} is not the one that was published"
        raise PullError(msg)
    try:
        entries = [_entry(each) for each in cast(list[dict[str, Any]], manifest["files"])]
    except (KeyError, TypeError) as error:
        msg = f"the manifest of version {version_id} is none that this release can read: {error!r}"
        raise PullError(msg) from error
    if problems := dict(_problems(entries)):
        listed = "".join(f"\n  {shown(path)}: {why}" for path, why in problems.items())
        msg = f"version {version_id} cannot be written to a folder:{listed}"
        raise PullError(msg)
    return _Version(version_id, number, entries)


def _entry(file: dict[str, Any]) -> Entry:
    """Return a file of a manifest, which anybody may have written.

    Raises:
        KeyError: it lacks something.
        TypeError: something in it is of another type.
    """
    chunks = tuple((chunk["hash"], chunk["size"]) for chunk in file["chunks"])
    sizes = [file["size"], *(size for _, size in chunks)]
    if not isinstance(file["path"], str) or not all(type(size) is int for size in sizes):
        raise TypeError(shown(str(file["path"])))
    if not all(isinstance(digest, str) and _IS_HASH.fullmatch(digest) for digest, _ in chunks):
        msg = f"{shown(file['path'])} has a chunk without a hash"
        raise TypeError(msg)
    return Entry(file["path"], file["size"], chunks)


def _problems(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Yield the paths that cannot be written, and why."""
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        if (problem := path_problem(entry.path)) is not None:
            yield entry.path, problem
        elif entry.path.split("/")[0] == WORK_FOLDER:
            yield entry.path, "pull keeps its pieces there"
        elif entry.path in files:
            yield entry.path, "it is there twice"
        elif any(not 0 < size <= _MOST_OF_CHUNK for _, size in entry.chunks):
            yield entry.path, f"it has chunks of no bytes, or more than {_MOST_OF_CHUNK}"
        elif sum(size for _, size in entry.chunks) != entry.size:
            yield entry.path, "its chunks are not as large as it is"
        files.add(entry.path)
        parts = entry.path.split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    for path in files & folders:
        yield path, "it is a file and a folder"


class _Target:
    """A folder that becomes a version."""

    def __init__(
        self,
        root: str,
        version: _Version,
        workers: Workers,
        storage: Storage,
        urls: UrlBook,
        options: PullOptions,
    ) -> None:
        self._root = root
        self._version = version
        self._workers = workers
        self._storage = storage
        self._urls = urls
        self._options = options
        self._progress = Progress(options.on_progress)
        # by hash: the size of a chunk, and where it belongs
        self._wanted: dict[str, tuple[int, list[tuple[Entry, int]]]] = {}
        # by path: how many chunks a file lacks still
        self._written: dict[str, int] = {}
        self._bytes = sum(entry.size for entry in version.entries)
        self._files_done = 0
        self._bytes_done = 0
        self._fetched_bytes = 0

    async def run(self) -> PullResult:
        """Write what differs."""
        await self._workers.read(prepare, self._root)
        await _each(self._version.entries, self._look, _FILES_AT_ONCE)
        self._urls.expect(self._wanted)
        await _each([*self._wanted], self._fetch, self._options.concurrency)
        await self._workers.read(clear, self._root)
        return PullResult(
            self._version.version_id,
            self._version.number,
            [each.path for each in self._version.entries if each.path in self._written],
            len(self._version.entries) - len(self._written),
            len(self._wanted),
            self._fetched_bytes,
        )

    async def _look(self, entry: Entry) -> None:
        """Take what is there of a file, and take note of what is not."""
        lacking = await self._workers.read(survey, self._root, entry, self._workers.stop)
        if lacking is None:
            await self._tell(entry)
            return
        self._written[entry.path] = len(lacking)
        for digest, at, size in lacking:
            self._wanted.setdefault(digest, (size, []))[1].append((entry, at))
        if not lacking:
            await self._finish(entry)

    async def _fetch(self, digest: str) -> None:
        """Download a chunk, and write it to all the files that have it."""
        size, places = self._wanted[digest]
        content = await self._storage.get(digest, size)
        self._fetched_bytes += size
        for entry, at in places:
            await self._workers.read(write_piece, self._root, entry, at, content)
            self._written[entry.path] -= 1
            if not self._written[entry.path]:
                await self._finish(entry)

    async def _finish(self, entry: Entry) -> None:
        await self._workers.read(finish, self._root, entry)
        await self._tell(entry)

    async def _tell(self, entry: Entry) -> None:
        self._files_done += 1
        self._bytes_done += entry.size
        await self._progress.tell(
            PullProgress(
                entry.path,
                self._files_done,
                len(self._version.entries),
                self._bytes_done,
                self._bytes,
            )
        )


async def _each(items: Iterable[_T], work: Callable[[_T], Awaitable[None]], at_once: int) -> None:
    """Work on all items, on some of them at once."""
    waiting = iter(items)

    async def some() -> None:
        for item in waiting:
            await work(item)

    await together(*(some() for _ in range(at_once)))


def _absolute(directory: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.fspath(directory))


def _files_in(root: str) -> dict[str, str]:
    """Return where the files of a folder are, by their paths in NFC."""
    if not os.path.isdir(root):
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", root)
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(root):
        if folder == root and WORK_FOLDER in folders:
            folders.remove(WORK_FOLDER)
        for name in names:
            where = os.path.join(folder, name)
            path = os.path.relpath(where, root).replace(os.sep, "/")
            found[unicodedata.normalize("NFC", path)] = where
    return found


def _is_equal(where: str, entry: Entry, workers: Workers) -> bool | None:
    """Tell whether a file is what a version has; None if it is not there."""
    try:
        return is_equal(where, entry, workers.stop)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UnreadableError({shown(entry.path): error.strerror or str(error)}) from error


def _unwritable(error: OSError, root: str) -> PullError:
    where = shown(os.fspath(error.filename)) if isinstance(error.filename, str) else root
    why = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return PullError(
            f"there is no room for {where} ({why}): make some and pull again, what has been"
            f" fetched is kept in {WORK_FOLDER}"
        )
    return PullError(f"{where} cannot be written: {why}")
