"""Lists that never end: found before they fill a disk.

Two signs. The next request was sent before: cursors or links lead in a circle. Or page after page
is the same to the byte: the API does not heed the parameter that counts. A list whose cursor may
rightly stay the same, such as a scroll that ends with an empty page, is only held to the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from restarrow.paging.plans import Continuation
from restarrow.types import Page, Request


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """What counts as a list that never ends.

    Attributes:
        repeated_requests: whether a request that was sent before does.
        same_pages: how many equal pages with rows in a row do; 0 for any number being right.
    """

    repeated_requests: bool = True
    same_pages: int = 8


class LoopGuard:
    """Watches the pages of one list, in order."""

    def __init__(self, policy: LoopPolicy) -> None:
        self._policy = policy
        self._sent: set[bytes] = set()
        self._last = b""
        self._same = 0

    def problem(self, page: Page, rows: Sequence[Any], following: Continuation) -> str:
        """Return what is wrong with going on after a page; nothing, most of the time."""
        if following.done or not following.requests:
            return ""
        self._same = self._same + 1 if rows and page.body == self._last else 1
        self._last = page.body
        if self._policy.same_pages and self._same >= self._policy.same_pages:
            return (
                f"the last {self._same} pages are equal: the API does not seem to heed what "
                "tells the pages apart; check the name of the parameter"
            )
        if following.begins:
            self._last, self._same = b"", 0
        if not self._policy.repeated_requests or following.repeats:
            return ""
        self._sent.add(_print(page.request))
        if _print(following.requests[0]) in self._sent:
            return (
                "the next page is one that was read before: the cursor or link repeats itself, "
                "and the list would never end"
            )
        return ""


def _print(request: Request) -> bytes:
    what = (request.method, request.path, request.params, request.json, request.data)
    return blake2b(repr(what).encode("utf-8", "surrogatepass"), digest_size=16).digest()
