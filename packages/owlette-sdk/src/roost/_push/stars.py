"""Patterns of many stars: matched in all ways at once, in time that grows with the path alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["OF_STARS", "StarMachine"]

#: Steps that are remembered.
_MOST_KNOWN = 10_000
#: What stars stand for, and what it is in steps: one character, any number of them, or a skip of
#: the next two steps.
OF_STARS = {
    "[^/]*": (("any", "[^/]"),),
    ".*": (("any", "."),),
    "/.+": (("one", "/"), ("one", "."), ("any", ".")),
    "(?:.*/)?": (("skip", ""), ("any", "."), ("one", "/")),
    "/(?:.*/)?": (("one", "/"), ("skip", ""), ("any", "."), ("one", "/")),
}


class StarMachine:
    """Tells whether paths fit a pattern of many stars, in all ways at once.

    Args:
        pieces: the pattern in pieces of a regular expression.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        steps = [step for each in pieces for step in OF_STARS.get(each, (("one", each),))]
        self._steps = [(kind, re.compile(regex, re.DOTALL)) for kind, regex in steps]
        self._begin = frozenset(self._open([0]))
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def fits(self, path: str) -> bool:
        """Tell whether all of a path fits."""
        at = self._begin
        for character in path:
            step = at, character
            if step not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[step] = frozenset(self._open(self._behind(at, character)))
            at = self._known[step]
        return len(self._steps) in at

    def _behind(self, states: Iterable[int], character: str) -> Iterator[int]:
        """Return where a character leads from where we are."""
        for state in states:
            kind, regex = self._steps[state] if state < len(self._steps) else ("end", None)
            if regex and kind != "skip" and regex.fullmatch(character):
                yield state + (kind == "one")

    def _open(self, states: Iterable[int]) -> Iterator[int]:
        """Return where we are without another character."""
        todo, seen = list(states), set[int]()
        while todo:
            state = todo.pop()
            if state in seen:
                continue
            seen.add(state)
            yield state
            kind = self._steps[state][0] if state < len(self._steps) else "end"
            if kind in {"any", "skip"}:
                todo.append(state + 1)
            if kind == "skip":
                todo.append(state + 3)
