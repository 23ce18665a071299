"""Addresses, dates and limits of the Owlette API, each with its unit. A leaf."""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "CHUNK_SIZE_BYTES",
    "DEFAULT_API_URL",
    "DEFAULT_REPLAY_TOLERANCE_SECONDS",
    "DEFAULT_ROOST_VERSION",
    "MOST_BYTES",
    "MOST_HASHES",
    "SDK_VERSION",
    "Environment",
]

SDK_VERSION: Final = "0.1.0"
DEFAULT_API_URL: Final = "https://owlette.app"
#: The date of the API that is asked for, sent as the header `Roost-Version`.
DEFAULT_ROOST_VERSION: Final = "2026-04-22"
#: Bytes of a chunk; the last one of a file may be shorter.
CHUNK_SIZE_BYTES: Final = 4 * 1024 * 1024
#: Seconds that the time of a webhook's signature may be off.
DEFAULT_REPLAY_TOLERANCE_SECONDS: Final = 300
#: Bytes of an answer that is not a stream, after decompression. The longest is the list of a
#: version's files: some hundred bytes for each.
MOST_BYTES: Final = 256 * 1024 * 1024
#: Chunk hashes that one request may name; the server refuses more.
MOST_HASHES: Final = 1000

#: What a key is for: the prefix `owk_live_` or `owk_test_` says the same.
Environment = Literal["live", "test"]
