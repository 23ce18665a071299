"""Paths of the API, whose parts are encoded: an id cannot lead anywhere else. A leaf."""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["api_path"]


def api_path(*parts: object) -> str:
    """Return `/api/` and these parts, each percent-encoded: `#3` is `%233`, `a/b` is `a%2Fb`.

    Raises:
        ValueError: a part is empty, or is `.` or `..`, which HTTP clients resolve.
    """
    return "/api/" + "/".join(map(_encoded, parts))


def _encoded(part: object) -> str:
    if not isinstance(part, str) or part.strip() in {"", ".", ".."}:
        msg = f"an id in the path of a request is {part!r}"
        raise ValueError(msg)
    return quote(part, safe="")
