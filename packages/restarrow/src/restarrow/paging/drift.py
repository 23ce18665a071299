"""Lists that move while they are read: noticed, and their torn places read again.

Who reads a list by offset or page number while rows are added and removed gets some rows twice and
misses others, whether pages are read one by one or at once. What can be seen of it afterwards: the
total changed between two pages, neighbouring pages share rows, or a page has fewer rows than it
should.

How the tears are mended. Two neighbouring pages fit together if they were read while the total was
the same and have no row in common. If they do not fit, the one that was read first is read again.
Both readings of it are kept, so it fits its neighbour on the other side as before, and its new one
as well. In this way every row that was in the list all along is found, as long as fewer rows than
one page holds have moved; merging by key removes what was read twice. So read again only what will
be merged: a table that is appended to would get the doubles.

What cannot be seen: as many rows added as removed between two pages, without a key to know rows by.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from restarrow.paging.plans import Continuation
from restarrow.types import Page, Request


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """What to do about a list that moves.

    Attributes:
        reread: whether to read torn pages again; otherwise they are only reported.
        rounds: how often, at most: the list may go on moving.
        most: how many pages, at most, in each round.
    """

    reread: bool = False
    rounds: int = 2
    most: int = 100


@dataclass(frozen=True, slots=True)
class PageFact:
    """What is known about one reading of one page.

    Attributes:
        number: the number of the page.
        request: what was asked for.
        order: the place of this reading among all readings, by the time at which they ended.
        rows: how many rows it had.
        keys: the hashes of its rows' keys, if rows have keys.
        total: the length of the list that it told.
        expected: how many rows it should have had.
    """

    number: int
    request: Request
    order: int
    rows: int
    keys: frozenset[int] = frozenset()
    total: int | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """What an audit found.

    Attributes:
        reasons: what was seen, for people; empty if the list stood still as far as can be seen.
        torn: the readings to repeat, in page order.
    """

    reasons: tuple[str, ...] = ()
    torn: tuple[PageFact, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything was found."""
        return bool(self.reasons)


def find_drift(facts: Iterable[PageFact]) -> Drift:
    """Decide, from all readings of all pages, what moved and what is to be read again. Pure."""
    pages: dict[int, list[PageFact]] = {}
    for fact in sorted(facts, key=lambda fact: fact.order):
        pages.setdefault(fact.number, []).append(fact)
    numbers = sorted(pages)
    torn: dict[int, PageFact] = {}
    reasons = _totals(fact for readings in pages.values() for fact in readings)
    for before, behind in pairwise(numbers):
        if _fits(pages[before], pages[behind]):
            continue
        older = min(pages[before][-1], pages[behind][-1], key=lambda fact: fact.order)
        torn[older.number] = older
        if any(one.keys & two.keys for one in pages[before] for two in pages[behind]):
            reasons.append(f"pages {before} and {behind} have rows in common")
    reasons += _shorts(pages[number][-1] for number in numbers)
    return Drift(tuple(reasons), tuple(torn[number] for number in sorted(torn)))


def _fits(before: Sequence[PageFact], behind: Sequence[PageFact]) -> bool:
    """Tell whether some reading of a page goes with some reading of the page behind it."""
    return any(
        one.total == two.total and not one.keys & two.keys for one in before for two in behind
    )


def _totals(facts: Iterable[PageFact]) -> list[str]:
    known = [f.total for f in sorted(facts, key=lambda f: f.order) if f.total is not None]
    if len(set(known)) < 2:
        return []
    ends = f"from {known[0]} to {known[-1]}"
    if known[0] == known[-1]:
        ends = f"between {min(known)} and {max(known)}"
    return [f"the total changed {ends} while the list was read"]


def _shorts(facts: Iterable[PageFact]) -> list[str]:
    shorts = [f for f in facts if f.expected is not None and f.rows < f.expected]
    if not shorts:
        return []
    one = shorts[0]
    more = f", and {len(shorts) - 1} more pages are short" if len(shorts) > 1 else ""
    return [f"page {one.number} has {one.rows} rows instead of {one.expected}{more}"]


@dataclass(slots=True)
class DriftAudit:
    """Collects what is known about the pages of one list while it is read.

    Attributes:
        policy: what to do about drift.
        identify: returns the key of a row, by which doubles are known.
        report: called once at the end, if there was drift, with what remains of it: nothing is torn
            any more if all was mended.
    """

    policy: DriftPolicy = field(default_factory=DriftPolicy)
    identify: Callable[[Any], Hashable] | None = None
    report: Callable[[Drift], None] | None = None
    _facts: list[PageFact] = field(default_factory=list[PageFact])
    _reasons: dict[str, None] = field(default_factory=dict[str, None])
    _rounds: int = 0

    def saw(self, page: Page, rows: Sequence[Any], order: int, following: Continuation) -> None:
        """Take note of a page, and of what the plan made of it."""
        keys: frozenset[int] = frozenset()
        if self.identify is not None:
            keys = frozenset(hash(self.identify(row)) for row in rows)
        self._facts.append(
            PageFact(
                page.number,
                page.request,
                order,
                len(rows),
                keys,
                following.total,
                following.expected,
            )
        )

    def next_round(self) -> tuple[PageFact, ...]:
        """Return the readings to repeat; none if all fits, or after the last round."""
        drift = find_drift(self._facts)
        self._reasons.update(dict.fromkeys(drift.reasons))
        if not self.policy.reread or self._rounds >= self.policy.rounds:
            return ()
        self._rounds += 1
        return drift.torn[: self.policy.most]

    def finish(self) -> None:
        """Report what was found."""
        if self._reasons and self.report is not None:
            self.report(Drift(tuple(self._reasons), find_drift(self._facts).torn))
