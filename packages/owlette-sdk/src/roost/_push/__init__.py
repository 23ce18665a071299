"""From a folder to a version: `push`, and what it would do: `plan`.

How it works. `walk` finds the files, `files` hashes them, `uploading` uploads the chunks that the
storage lacks, `publishing` makes them the current version. `pull` is the way back.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from roost._constants import MOST_HASHES
from roost._push.cache import HashCache, default_path
from roost._push.files import Hashing
from roost._push.manifest import manifest_bytes, version_id_of
from roost._push.progress import Progress
from roost._push.publishing import Head, Publishing, read_head
from roost._push.storage import Storage
from roost._push.uploading import Uploading
from roost._push.urls import UrlBook
from roost._push.walk import LocalFile, Tree, walk
from roost._push.workers import Workers
from roost.client import RoostClient
from roost.resources._push_types import (
    DiscoverProgress,
    PushOptions,
    PushPlan,
    PushProgressCheckMissing,
    PushProgressEvent,
    PushResult,
)
from roost.resources.chunks import Chunks

__all__ = ["plan", "push"]

log: logging.Logger = logging.getLogger("roost")

#: Bytes that are kept between hashing and uploading.
_KEPT_BYTES = 64 * 1024 * 1024
#: Seconds that URLs to upload to are good for.
_UPLOAD_LIFE_S = 3600.0
#: Characters of a version's description that the API takes.
_MOST_OF_DESCRIPTION = 500


async def push(
    http: RoostClient, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
) -> PushResult:
    """Publish a folder; see `Roosts.push`."""
    chunks = Chunks(http)
    progress = Progress(options.on_progress)
    async with Workers(_checked(options).concurrency, http.timeout) as workers:
        _, files, hashing = await _found(directory, options, workers, progress)
        urls = UrlBook(lambda some: chunks.upload_urls(options.site_id, some), _UPLOAD_LIFE_S)
        storage = Storage(http, workers, urls)
        uploading = Uploading(
            options.site_id, chunks, hashing, storage, urls, progress, options.concurrency
        )

        def manifest() -> bytes:
            return manifest_bytes(hashing.entries())

        hashing.keep(_KEPT_BYTES)
        head = await read_head(http, roost_id, options)
        numbers = range(len(files))
        if await workers.read(hashing.recall) and head.version_id == await workers.read(
            _id_of, manifest
        ):
            # the server looks whether all chunks are there before it says that nothing is new
            await hashing.run(numbers, asyncio.Queue())
            await progress.tell(PushProgressCheckMissing(total=len(hashing.places), missing=0))
        else:
            await uploading.run(numbers)
        publishing = Publishing(http, roost_id, options, progress)
        published = await publishing.run(manifest, head, uploading.heal)
        stats = await workers.read(hashing.stats, uploading.uploaded)
    return PushResult(
        published.version_id,
        published.version_number,
        published.current_version_id,
        published.previous_version_id,
        stats,
    )


async def plan(
    http: RoostClient, directory: str | os.PathLike[str], roost_id: str, options: PushOptions
) -> PushPlan:
    """Tell what a push would do; see `Roosts.plan`."""
    chunks = Chunks(http)
    progress = Progress(options.on_progress)
    async with Workers(_checked(options).concurrency, http.timeout) as workers:
        tree, files, hashing = await _found(directory, options, workers, progress)
        await workers.read(hashing.recall)
        numbers = [*range(len(files))]
        while numbers:
            await hashing.run(numbers, asyncio.Queue())
            numbers = hashing.look_again()
        head = await read_head(http, roost_id, options)
        version_id = await workers.read(_id_of, lambda: manifest_bytes(hashing.entries()))
        digests = await workers.read(hashing.locate)
        missing = set(await chunks.check(options.site_id, digests)) if digests else set[str]()
        return await workers.read(_planned, hashing, tree, missing, version_id, head)


def _planned(
    hashing: Hashing, tree: Tree, missing: set[str], version_id: str, head: Head
) -> PushPlan:
    entries = hashing.entries()
    sizes = {digest: size for entry in entries for digest, size in entry.chunks}
    is_current = head.version_id == version_id
    batches = math.ceil(len(sizes) / MOST_HASHES) + math.ceil(len(missing) / MOST_HASHES)
    return PushPlan(
        version_id=version_id,
        is_current=is_current,
        stats=hashing.stats(len(missing)),
        upload_bytes=sum(sizes[digest] for digest in missing),
        new=[each.path for each in entries if any(digest in missing for digest, _ in each.chunks)],
        skipped=tree.skipped,
        calls=2 if is_current and not missing else 2 + batches,
    )


def _checked(options: PushOptions) -> PushOptions:
    if options.concurrency < 1:
        msg = f"concurrency is how many chunks are sent at once, at least 1: {options.concurrency}"
        raise ValueError(msg)
    if options.description is not None and len(options.description) > _MOST_OF_DESCRIPTION:
        msg = f"description has {len(options.description)} characters: the API takes 500"
        raise ValueError(msg)
    return options


async def _found(
    directory: str | os.PathLike[str],
    options: PushOptions,
    workers: Workers,
    progress: Progress[PushProgressEvent],
) -> tuple[Tree, list[LocalFile], Hashing]:
    """Return what is in a folder, what of it is published, and what hashes that."""
    tree = await workers.read(_walked, directory, options, workers)
    files = [*tree.files, *tree.empty] if options.include_empty else tree.files
    if tree.empty and not options.include_empty:
        log.warning("%d empty files are left out: include_empty keeps them", len(tree.empty))
    for path, why in tree.skipped.items():
        log.warning("%s is left out: %s", path, why)
    if not files:
        what = "files" if options.include_empty else "non-empty files"
        msg = f"push: no {what} found under {os.fspath(directory)}"
        raise ValueError(msg)
    size = sum(file.stamp.size for file in files)
    await progress.tell(DiscoverProgress("discover", len(files), size))
    cache = await _cache_of(tree, options, workers)
    make = partial(Hashing, files, workers, progress, cache, has_empty=options.include_empty)
    return tree, files, await workers.read(make)


def _walked(directory: str | os.PathLike[str], options: PushOptions, workers: Workers) -> Tree:
    return walk(directory, ignore=options.ignore, symlinks=options.symlinks, stop=workers.stop)


async def _cache_of(tree: Tree, options: PushOptions, workers: Workers) -> HashCache | None:
    if options.cache is False:
        return None
    try:
        path = default_path() if options.cache is True else options.cache
    except RuntimeError:
        return None  # the user has no home
    cache = HashCache(Path(path), tree.root)
    await workers.read(cache.load)
    return cache


def _id_of(manifest: Callable[[], bytes]) -> str:
    return version_id_of(manifest())
