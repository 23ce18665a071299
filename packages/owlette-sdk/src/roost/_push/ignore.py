"""Patterns of files to leave out, in the syntax of `.gitignore`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from roost._push.stars import OF_STARS, StarMachine

__all__ = ["ALWAYS_IGNORED", "IGNORE_FILE", "Ignore"]

#: The file at the root of a folder that has more patterns. It is not published itself.
IGNORE_FILE = ".roostignore"
#: What is never published: what belongs to git and npm, and what a pull keeps its pieces in.
ALWAYS_IGNORED = (".git", "node_modules", "/.roost-pull", f"/{IGNORE_FILE}")
#: Stars in a pattern that Python's regular expressions may have: with more, the time that they take
#: grows with ever higher powers of the length of a path.
_FEW = 2


@dataclass(frozen=True, slots=True)
class _Rule:
    fits: Callable[[str], object]
    negated: bool
    only_folders: bool


class Ignore:
    """Tells which paths are left out: the last pattern that fits decides.

    As in git, a pattern without a slash fits at any depth, one with a slash from the root on; `**`
    stands for any folders; `!` takes back what an earlier pattern left out, but nothing inside a
    folder that is left out.

    Args:
        patterns: one each; empty ones, and those that begin with `#`, say nothing.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._rules = [rule for each in patterns if (rule := _parsed(each)) is not None]

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path, relative to the root and with `/`, is left out."""
        for rule in reversed(self._rules):
            if (is_folder or not rule.only_folders) and rule.fits(path):
                return not rule.negated
        return False


def _parsed(line: str) -> _Rule | None:
    pattern = _without_blanks_at_end(line.rstrip("\r\n"))
    if not pattern or pattern.startswith("#"):
        return None
    negated = pattern.startswith("!")
    pattern = pattern[1:] if negated else pattern
    only_folders = pattern.endswith("/")
    pattern = pattern[:-1] if only_folders else pattern
    anchored = "/" in pattern
    pattern = pattern.removeprefix("/")
    if not pattern:
        return None
    pieces = _pieces(pattern)
    if pieces is None:
        return None
    whole = pieces if anchored else ["(?:.*/)?", *pieces]
    if sum(each in OF_STARS for each in pieces) > _FEW:
        return _Rule(StarMachine(whole).fits, negated, only_folders)
    return _Rule(re.compile("".join(whole), re.DOTALL).fullmatch, negated, only_folders)


def _without_blanks_at_end(line: str) -> str:
    end = len(line)
    while end and line[end - 1] == " ":
        backslashes = len(line[: end - 1]) - len(line[: end - 1].rstrip("\\"))
        if backslashes % 2:
            break
        end -= 1
    return line[:end]


def _pieces(pattern: str) -> list[str] | None:
    """Return what a pattern is in pieces of a regular expression; None if it fits nothing."""
    made: list[str] = []
    at = 0
    while at < len(pattern):
        piece: str | None
        if pattern[at] == "[":
            piece, at = _character_class(pattern, at)
        elif (stars := _stars(pattern, at)) is not None:
            piece, at = stars
        elif pattern[at] == "?":
            piece, at = "[^/]", at + 1
        else:
            literal, at = _member(pattern, at)  # None: a backslash that escapes nothing
            piece = None if literal is None else re.escape(literal)
        if piece is None:
            return None
        made.append(piece)
    return made


def _stars(pattern: str, at: int) -> tuple[str, int] | None:
    """Return what stars stand for that begin here, and where they end; None if there are none."""
    follows_slash = at == 0 or pattern[at - 1] == "/"
    if pattern.startswith("/**/", at):
        return "/(?:.*/)?", at + 4
    if pattern[at:] == "/**":
        return "/.+", len(pattern)
    if pattern.startswith("**/", at) and follows_slash:
        return "(?:.*/)?", at + 3
    if pattern == "**":
        return ".*", len(pattern)
    count = len(pattern[at:]) - len(pattern[at:].lstrip("*"))
    return ("[^/]*", at + count) if count else None


def _character_class(pattern: str, at: int) -> tuple[str | None, int]:
    """Return the class that begins here, and where it ends; None if it does not end."""
    at += 1
    negated = pattern[at : at + 1] in {"!", "^"}
    at += negated
    made: list[str] = []
    is_first = True
    while at < len(pattern) and (is_first or pattern[at] != "]"):
        is_first = False
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in {"", "]"}:
            high, at = _member(pattern, at + 1)
        if low is None or high is None:
            return None, at
        # of a range that is the wrong way round, git takes the sign in front
        made.append(f"{re.escape(low)}-{re.escape(max(low, high))}")
    if at >= len(pattern):
        return None, at
    members = "".join(made)
    if negated:
        return f"(?!/)[^{members}]" if members else "[^/]", at + 1
    return f"(?!/)[{members}]" if members else "(?!)", at + 1


def _member(pattern: str, at: int) -> tuple[str | None, int]:
    at += pattern[at] == "\\"
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)
