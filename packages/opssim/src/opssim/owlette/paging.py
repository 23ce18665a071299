"""Pages of lists: a size that is refused beyond the limit, and a token that names the last row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opssim.core.store import JsonObject
from opssim.owlette.problems import invalid

_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Paging:
    """How long the pages of a list are, unless asked otherwise, and at most.

    Attributes:
        clamps: whether a size beyond the limits is taken for the nearest, and not refused.
    """

    default: int = 20
    most: int = 100
    clamps: bool = False

    def size(self, query: Mapping[str, str]) -> int:
        """Return the size that a request asks for.

        Raises:
            Problem: 400.
        """
        asked = query.get("page_size", query.get("limit"))
        if asked is None:
            return self.default
        size = int(asked) if _NUMBER.fullmatch(asked) else 0
        if self.clamps:
            return min(max(size, 1), self.most)
        if not 1 <= size <= self.most:
            raise invalid({"query.page_size": [f"must be a positive integer <= {self.most}"]})
        return size


def token_of(query: Mapping[str, str]) -> str:
    """Return the token that a request has."""
    return query.get("page_token", query.get("cursor", ""))


def page_of(
    rows: Sequence[JsonObject],
    query: Mapping[str, str],
    paging: Paging,
    key: Callable[[JsonObject], Any],
) -> tuple[Sequence[JsonObject], dict[str, str]]:
    """Return the rows of one page, and the tokens of the next one.

    A token that names no row is ignored, as Owlette ignores it: the first page comes again.
    """
    size = paging.size(query)
    token = token_of(query)
    start = next((at + 1 for at, row in enumerate(rows) if key(row) == token), 0) if token else 0
    page = rows[start : start + size]
    more = start + size < len(rows)
    return page, tokens(str(key(page[-1])) if more and page else "")


def tokens(token: str) -> dict[str, str]:
    """Return both spellings of a page's token."""
    return {"next_page_token": token, "nextPageToken": token}
