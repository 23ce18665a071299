"""Files as chunks: what a manifest says of them. A leaf."""

from __future__ import annotations

from dataclasses import dataclass, field

from roost._constants import CHUNK_SIZE_BYTES
from roost.resources._push_types import ChunkProgressEvent, DiscoverProgress, HashProgress

__all__ = [
    "CHUNK_SIZE_BYTES",
    "ChunkDescriptor",
    "ChunkProgressEvent",
    "ChunkedFileEntry",
    "DiscoverProgress",
    "HashProgress",
]


@dataclass(slots=True)
class ChunkDescriptor:
    """A piece of a file: the SHA-256 of its bytes in hex, and how many they are."""

    hash: str
    size: int


@dataclass(slots=True)
class ChunkedFileEntry:
    """A file of a version: its path, its size in bytes, its chunks in order."""

    path: str
    size: int
    chunks: list[ChunkDescriptor] = field(default_factory=list[ChunkDescriptor])
