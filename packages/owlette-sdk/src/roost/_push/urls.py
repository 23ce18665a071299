"""Signed URLs of chunks: asked for when they are needed, many at a time, and renewed in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timezone

from roost._constants import MOST_HASHES
from roost._errors import TransferError
from roost.resources.chunks import ChunkUrls

__all__ = ["UrlBook"]

#: Seconds before its end from which on a URL is not used any more.
_MARGIN_S = 60.0


class UrlBook:
    """Keeps the URLs of chunks that are still to be transferred.

    Args:
        ask: asks the API for the URLs of some chunks.
        life_s: seconds that URLs are good for, where `expiresAt` and our clock do not agree on it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Awaitable[ChunkUrls]],
        life_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._life_s = life_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._open: dict[str, tuple[str, float] | None] = {}

    def expect(self, digests: Iterable[str]) -> None:
        """Take note of chunks that will be transferred, in this order."""
        for digest in digests:
            self._open.setdefault(digest, None)

    def done(self, digest: str) -> None:
        """Forget a chunk that was transferred."""
        self._open.pop(digest, None)

    def refuse(self, digest: str, url: str) -> None:
        """Take note that a URL is not good any more, and those of its time neither."""
        refused = self._open.get(digest)
        if refused is None or refused[0] != url:
            return
        for each, known in self._open.items():
            if known is not None and known[1] == refused[1]:
                self._open[each] = None

    async def get(self, digest: str) -> str:
        """Return a URL of a chunk that is good for a minute at least.

        Raises:
            TransferError: the API gives none.
        """
        async with self._lock:
            if (known := self._good(digest)) is None:
                await self._renew(digest)
                known = self._good(digest)
        if known is None:
            msg = "the API gives no URL for it"
            raise TransferError(msg, digest=digest, status=None)
        return known

    def _good(self, digest: str) -> str | None:
        known = self._open.get(digest)
        return known[0] if known is not None and known[1] > self._clock() else None

    async def _renew(self, digest: str) -> None:
        """Ask for a URL, and for those of the chunks that come next."""
        wanted = [digest]
        for each in self._open:
            if len(wanted) == MOST_HASHES:
                break
            if each != digest and self._good(each) is None:
                wanted.append(each)
        answer = await self._ask(wanted)
        end = self._clock() + self._life(answer.get("expiresAt")) - _MARGIN_S
        for each, url in (answer.get("urls") or {}).items():
            if each in self._open:
                self._open[each] = url, end

    def _life(self, told: str | None) -> float:
        """Return the seconds that URLs are good for, which were asked for just now.

        Our clock may be wrong: a life that is too short to be of use, or too long, is not believed.
        """
        try:
            end = datetime.fromisoformat((told or "").replace("Z", "+00:00"))
        except ValueError:
            return self._life_s
        if end.tzinfo is None:
            return self._life_s
        life = (end - datetime.now(timezone.utc)).total_seconds()
        return life if 2 * _MARGIN_S < life < 2 * self._life_s else self._life_s
