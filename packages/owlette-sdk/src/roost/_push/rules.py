"""What a path in a manifest has to be, so that every machine can write it. A leaf.

The rules are those of the manifest's specification and of the agent, which refuses a whole version
for one path: better to hear of it before anything is uploaded.
"""

from __future__ import annotations

import re

__all__ = ["MOST_BYTES", "path_problem", "shown"]

#: Bytes of a path in UTF-8.
MOST_BYTES = 1024
_FORBIDDEN = {
    "\0": "it has a NUL in it",
    "\r": "it has a line break in it",
    "\n": "it has a line break in it",
    "\\": "it has a backslash in it, which separates folders on Windows",
    ":": "it has a colon in it, which Windows does not allow",
}
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE | re.DOTALL)


def path_problem(path: str) -> str | None:
    """Return what is wrong with a path, relative and with `/`; None if nothing is."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if size > MOST_BYTES:
        return f"it has {size} bytes, and {MOST_BYTES} are allowed"
    for character, why in _FORBIDDEN.items():
        if character in path:
            return why
    return next(filter(None, map(_part_problem, path.split("/"))), None)


def _part_problem(part: str) -> str | None:
    if part in {"", ".", ".."}:
        return "it leads to another folder"
    return f"Windows keeps the name {part!r} for itself" if _RESERVED.fullmatch(part) else None


def shown(path: str) -> str:
    """Return a path as it can be printed and logged, whatever it is made of."""
    return path.encode("utf-8", "backslashreplace").decode()
