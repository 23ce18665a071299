"""What a push is told, what it tells on the way, and what it gives back. A leaf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ChunkProgressEvent",
    "DiscoverProgress",
    "HashProgress",
    "PushOptions",
    "PushProgressCheckMissing",
    "PushProgressEvent",
    "PushProgressPublish",
    "PushProgressUpload",
    "PushResult",
    "PushStats",
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
        ignore: patterns of files to leave out.
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
