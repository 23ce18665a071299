"""One list in one load: what is asked, what comes, and what is known of it in the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from opsnest import clock
from opsnest.catalogue import Catalogue, Entry
from opsnest.errors import AnswerError
from opsnest.journal import Keeping, began
from opsnest.json_values import is_list, look_up
from opsnest.reading.api import Api
from opsnest.rows import to_utc
from restarrow.paging import DecodedPage, Plan, Slice

__all__ = ["Ask", "Dialect", "Page", "Reading", "Row"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a list; everything, without any of these.

    Attributes:
        since: rows from this time of their cursor on.
        between: rows that were made in this slice of time, whose end is not in it. Ends beyond
            all dates are left open.
        window: rows that touch this window of time, in lists that have one.
        sort: what to sort by.
        size: rows on a page, where it is not the usual number.
        include: what else the answer is to bring.
        ids: the parent's id, by the name that the path has for it.
        values: rows that have one of these where rows under way are asked for by.
    """

    since: str = ""
    between: Slice | None = None
    window: Slice | None = None
    sort: str | None = None
    size: int | None = None
    include: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Sequence[str] = ()


class Dialect(Protocol):
    """How a platform writes down what is asked."""

    def plan(self, entry: Entry, ask: Ask) -> Plan:
        """Return the plan that leads through the pages of a list."""
        ...

    def rows(self, entry: Entry, payload: Any) -> list[Row]:
        """Return the rows in an answer."""
        ...

    def ids(self, entry: Entry, parent: Row) -> Iterator[Mapping[str, str]]:
        """Yield what is asked for of a parent's row: once its id, most of the time.

        The names are those in the path of `entry`; its rows get these columns.
        """
        ...

    def children(self, entry: Entry, page: DecodedPage) -> Iterator[tuple[Row, list[Row]]]:
        """Yield each row of a page, with the rows of the included `entry` that belong to it."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list.

    Attributes:
        rows: the rows.
        total: how many rows the whole list has, if the answer told.
        last: whether the list ends here.
    """

    rows: list[Row]
    total: int | None
    last: bool


@dataclass(slots=True, kw_only=True)
class Reading:
    """The reading of one list.

    Attributes:
        entry: the list.
        catalogue: where its parents are.
        api: what is asked.
        dialect: how it is asked.
        since: how far it was read before; "" if never.
        part: read what was made in this span of time alone, and the children of it.
        ids_of: returns the ids of a list that is read whole, which several children share.
        given: the ids of the parents to ask for, where they are not those of a list.
        is_changed: tells whether a parent's row differs from what it was when its child was read.
        under_way: the rows that were under way, and what to ask for each of them by.
        since_of: returns how far the children of a parent were read before; "" if never.
        newest_of: the newest time of the children of each parent so far.
        gone: the refusals of parents that were gone when they were asked for their children.
        there: keys of rows that were not read, and are known to be there.
        living: the ids of all parents that there are, where they are known.
        whole: the newest time that there was when the list was last read whole; "" if never.
        newest: the newest time of the rows so far.
        total: how many rows the list has, as the last answer told.
        parents: the parents whose children were read, if not those of all.
        complete: whether the rows read are all that there are; those of `parents`, or of
            `window`, if there are any.
        window: the window of time that was read.
        old_before: rows with a time before this one will not be asked for again.
        look: looks at each answer, without the secrets that are known, before its rows are handed
            on, and tells whether it may hold one.
    """

    entry: Entry
    catalogue: Catalogue
    api: Api
    dialect: Dialect
    since: str = ""
    part: Slice | None = None
    ids_of: Callable[[str], list[str]] | None = None
    given: Sequence[str] = ()
    is_changed: Callable[[Row], bool] | None = None
    under_way: Mapping[str, str] = field(default_factory=dict[str, str])
    since_of: Callable[[str], str] = field(default=lambda _: "")
    newest_of: dict[str, str] = field(default_factory=dict[str, str])
    gone: list[AnswerError] = field(default_factory=list[AnswerError])
    there: set[str] = field(default_factory=set[str])
    living: set[str] | None = None
    whole: str = ""
    newest: str = ""
    total: int | None = None
    parents: set[str] | None = None
    complete: bool = False
    window: Slice | None = None
    old_before: str = ""
    look: Callable[[bytes], bool] = field(default=lambda _: False)

    def now(self) -> datetime:
        """Return when this load began, also where an earlier run has read a part of it."""
        return began(self.api.source) or clock.now()

    def pages(self, ask: Ask) -> Generator[Page]:
        """Yield the pages of the list, noting the newest time in them."""
        for page in self.answers(self.dialect.plan(self.entry, ask)):
            yield self._noted(page)

    def answers(self, plan: Plan, entry: Entry | None = None) -> Iterator[DecodedPage]:
        """Yield what a plan leads to, as it comes."""
        asked = entry or self.entry
        holding = [asked, self.entry]
        if self.entry.parent and (self.entry.within or self.entry.include):
            holding.append(self.catalogue.by_name[self.entry.parent])
        pages = self.api.pages(
            plan,
            resource=self.entry.name,
            rows=lambda payload: self.dialect.rows(asked, payload),
            holds=asked.holds,
            plain=asked.plain,
            keeping=Keeping(holding, lambda payload: self._with_rows(asked, payload)),
            look=self.look,
        )
        yield from pages

    def _with_rows(self, asked: Entry, payload: Any) -> Iterator[Any]:
        """Yield what may hold fields of these lists: an answer, its rows, what comes with them."""
        yield payload
        yield from self.dialect.rows(asked, payload)
        included: object = look_up(payload, "included")
        yield from included if is_list(included) else ()

    def _noted(self, page: DecodedPage) -> Page:
        rows = list(page.rows)
        self.newest = max(self.newest, newest_of(rows, self.entry.cursor))
        told = self.told(page)
        if told == 0 and rows:  # some servers do not count
            told = None
        if self.entry.paging == "keyset" and told is not None:
            # it counts all rows, not those asked for: at the last page, those that were read
            self.total = told
        return Page(rows, told, page.last)

    def told(self, page: DecodedPage) -> int | None:
        """Return the number of rows of the list that an answer tells."""
        total: object = look_up(page.payload, self.entry.total) if self.entry.total else None
        return total if isinstance(total, int) else None


def key_of(row: Row, key: Sequence[str]) -> str:
    """Return what identifies a row, as one text."""
    return "\x1f".join(str(row.get(name)) for name in key)


def newest_of(rows: list[Row], cursor: str | None) -> str:
    """Return the newest time of some rows, as `to_utc` writes it; "" if they have none."""
    return max((stamp_of(row, cursor) for row in rows), default="")


def stamp_of(row: Row, cursor: str | None) -> str:
    """Return the time of a row, as `to_utc` writes it; "" if it has none."""
    value: object = look_up(row, cursor) if cursor else None
    return to_utc(value) if isinstance(value, str) else ""
