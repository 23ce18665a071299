"""How this Roost differs from the one that its OpenAPI file describes, or what that leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class RoostQuirks:
    """The switches. The defaults are what a client of app.roost.ai has to expect."""

    #: `GET /test` and `/test/getAllTestPlan` insist on the seven parameters that the OpenAPI file
    #: marks as required, and `GET /test/event` answers one page when `take` is missing.
    #: Off: everything may be left out, and a missing `take` means all rows.
    required_params: bool = True
    #: The most rows in an answer, whatever `take` says.
    max_take: int = 100
    #: `count` is the number of rows in this answer instead of the number that match.
    count_is_page: bool = False
    #: `.../execute/status` answers plain text; otherwise a JSON string.
    status_as_text: bool = False
    #: `.../logs` answers `{"logs": [...]}`, or plain text.
    logs: Literal["lines", "text"] = "lines"
    #: One event in fifty has a report of several hundred kilobytes.
    huge_reports: bool = False
    #: Requests after which the token is no longer accepted.
    token_expires_after: int | None = None
    #: The direction of `order_by`, which is documented nowhere. Without it the newest come first.
    order: Literal["newest", "oldest"] = "newest"
    #: The offset that time stamps of rows are written with, such as `+05:00`; 0 is `Z`.
    utc_offset_hours: int = 0
    #: What the stamps of rows that are added or changed are rounded down to, so that many of them
    #: are equal. When events are completed stays exact.
    stamp_grain_seconds: float = 0.0

    @classmethod
    def strict(cls) -> Self:
        """Return the least convenient Roost that a correct client can still read completely."""
        return cls(
            max_take=50,
            count_is_page=True,
            status_as_text=True,
            logs="text",
            huge_reports=True,
            order="oldest",
        )
