"""What a push is told, what it tells on the way, and what it gives back. A leaf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "ChunkProgressEvent",
    "DiscoverProgress",
    "HashProgress",
    "PullOptions",
    "PullProgress",
    "PullResult",
    "PushOptions",
    "PushPlan",
    "PushProgressCheckMissing",
    "PushProgressEvent",
    "PushProgressPublish",
    "PushProgressUpload",
    "PushResult",
    "PushStats",
    "VerifyResult",
]


@dataclass(slots=True)
class DiscoverProgress:
    """The folder was walked: so many files, of so many bytes in all."""

    phase: Literal["discover"]
    file_count: int
    total_bytes: int


@dataclass(slots=True)
class HashProgress:
    """A file is about to be hashed; after the last one, `file` is empty."""

    phase: Literal["hash"]
    file: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


#: What is told while files are cut into chunks.
ChunkProgressEvent = DiscoverProgress | HashProgress


@dataclass(slots=True)
class PushProgressCheckMissing:
    """The storage was asked: of so many chunks, so many are missing."""

    phase: Literal["check-missing"] = "check-missing"
    total: int = 0
    missing: int = 0


@dataclass(slots=True)
class PushProgressUpload:
    """Of so many chunks, so many have been uploaded."""

    phase: Literal["upload"] = "upload"
    uploaded: int = 0
    total: int = 0


@dataclass(slots=True)
class PushProgressPublish:
    """The version is published again, because somebody else came first."""

    phase: Literal["publish"] = "publish"
    attempt: int = 1


#: What a push tells on the way; `phase` tells them apart.
PushProgressEvent = (
    DiscoverProgress
    | HashProgress
    | PushProgressCheckMissing
    | PushProgressUpload
    | PushProgressPublish
)


@dataclass(slots=True)
class PushOptions:
    """What a push is told.

    Attributes:
        site_id: the site of the roost.
        name: what the roost is called from now on.
        targets: the machines that it is rolled out to from now on.
        extract_path: the folder on the machines.
        description: of the version, up to 500 characters.
        on_progress: called with each event, in order; awaited if it returns something to await.
        ignore: patterns of files to leave out, in the syntax of `.gitignore`; a file `.roostignore`
            at the root of the folder may have more.
        include_empty: whether to publish files that have nothing in them, too.
        symlinks: whether to follow the links that lead to somewhere in the folder; all others are
            left out.
        on_conflict: what to do when somebody else publishes during the push: publish after them
            (`retry`), or raise `VersionStaleError` (`raise`).
        cache: whether to remember what files were hashed to, in the user's cache folder; or the
            file to remember it in.
        concurrency: how many chunks are sent at once.
    """

    site_id: str
    name: str | None = None
    targets: list[str] | None = None
    extract_path: str | None = None
    description: str | None = None
    on_progress: (
        Callable[[PushProgressEvent], None] | Callable[[PushProgressEvent], Awaitable[None]] | None
    ) = None
    ignore: Sequence[str] = ()
    include_empty: bool = False
    symlinks: Literal["follow", "skip"] = "follow"
    on_conflict: Literal["retry", "raise"] = "retry"
    cache: bool | Path = True
    concurrency: int = 8


@dataclass(slots=True)
class PushStats:
    """What was in the folder, and what of it was uploaded this time."""

    file_count: int
    total_bytes: int
    total_chunks: int
    unique_chunks: int
    uploaded_chunks: int


@dataclass(slots=True)
class PushResult:
    """The version that was published."""

    version_id: str
    version_number: int
    current_version_id: str
    previous_version_id: str | None
    stats: PushStats


@dataclass(slots=True)
class PushPlan:
    """What a push would do now.

    Attributes:
        version_id: the version that it would publish.
        is_current: whether that is the current version already.
        stats: what is in the folder; `uploaded_chunks` are those that would be.
        upload_bytes: bytes of the chunks that would be uploaded.
        new: files with chunks that the storage lacks.
        skipped: what would be left out without a pattern that says so, and why.
        calls: requests to the API that it would make; those to the storage are not counted.
    """

    version_id: str
    is_current: bool
    stats: PushStats
    upload_bytes: int
    new: list[str] = field(default_factory=list[str])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    calls: int = 0


@dataclass(slots=True)
class PullProgress:
    """A file of a version is there now, downloaded or found: of so many files and bytes."""

    file: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


@dataclass(slots=True)
class PullOptions:
    """What a pull is told.

    Attributes:
        site_id: the site of the roost.
        on_progress: called with each file that is done; awaited if it returns something to await.
        concurrency: how many chunks are fetched at once.
    """

    site_id: str
    on_progress: (
        Callable[[PullProgress], None] | Callable[[PullProgress], Awaitable[None]] | None
    ) = None
    concurrency: int = 8


@dataclass(slots=True)
class PullResult:
    """What was written.

    Attributes:
        version_id: the version that the folder has now.
        version_number: its number.
        written: paths that were written.
        unchanged: how many files were as they had to be.
        fetched_chunks: how many chunks were downloaded.
        fetched_bytes: how many bytes those were.
    """

    version_id: str
    version_number: int
    written: list[str]
    unchanged: int
    fetched_chunks: int
    fetched_bytes: int


@dataclass(slots=True)
class VerifyResult:
    """How a folder differs from a version: by paths, as the version has them.

    Attributes:
        version_id: the version.
        version_number: its number.
        missing: what is not in the folder.
        changed: what is there, but is something else.
        extra: what is in the folder, but not in the version.
    """

    version_id: str
    version_number: int
    missing: list[str]
    changed: list[str]
    extra: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether all files of the version are there as they have to be, whatever else is."""
        return not (self.missing or self.changed)
