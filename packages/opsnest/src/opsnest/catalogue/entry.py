"""What a catalogue says of a list: data alone, for whoever reads, plans or documents it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

__all__ = [
    "BETWEEN",
    "DELETED",
    "SECRETS_IN_ROWS",
    "STRATEGIES",
    "Catalogue",
    "Entry",
    "Paging",
    "Strategy",
    "how",
]

#: The column that tells when a row was found to be gone.
DELETED: Final = "deleted_at"

#: A setting of every source: name, where it belongs, what it means.
SECRETS_IN_ROWS: Final = (
    "secrets_in_rows",
    "argument",
    (
        "what to do with secrets that people pasted into texts: `mask` them and warn (default), "
        "only `warn`, or `keep` them without a word"
    ),
)

#: A setting of the sources that can be asked for a span of time.
BETWEEN: Final = (
    "between",
    "argument",
    "two times with a time zone: load what was made from the first to the second alone",
)

#: How a list is asked for only what changed; `STRATEGIES` says what each means.
Strategy = Literal["changed", "newest_first", "appended", "whole", "windows", "snapshot"]

#: What each strategy does, in words for people.
STRATEGIES: Mapping[Strategy, str] = {
    "changed": "asks for the rows that changed since the last load",
    "newest_first": "reads the last changed first, and stops where the last load began",
    "appended": "asks for the rows that were made since the last load: rows never change",
    "whole": "reads all rows, and loads those that differ from the last load",
    "windows": "reads the days around now again, in windows of time",
    "snapshot": "replaces the table with what there is now",
}

#: How the pages of a list follow each other: by a cursor, by a number, by an offset, by filtering
#: from the last row on, or not at all.
Paging = Literal["cursor", "number", "offset", "keyset", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One list of a platform.

    Paths of columns are dotted, as in `opsnest.rows.Cleaning`.

    Attributes:
        name: the resource, and its table.
        path: the path below the base URL; `{names}` in it stand for the parent's id.
        method: how it is asked: lists of Automation 360 are posted.
        holds: names of which an answer has one, or it is none of this API; the rows are in the
            first of them.
        total: where an answer has the number of rows of the whole list; None if nowhere.
        counts: the path that counts the rows by status, for where `total` says 0 beside rows.
        key: the primary key.
        paging: how its pages follow each other.
        page_size: the most rows that are asked for at once.
        strategy: how only what changed is read.
        cursor: where a row has the time that the strategy goes by.
        filter: the parameter or field that asks for rows from a time on, if there is one.
        sort: what to sort by, if the list can.
        slices: where a row has the time by which a first load is cut into slices read at once.
        slice_filter: the parameter or field that asks for rows which were made in a span of time,
            without the comparison.
        window: where a row has its beginning and its end, in lists that are read by windows.
        overlaps: whether each page begins with the last row of the page before, which shows whether
            the list moved.
        whole_after: for a list that is read newest first, how far its times may go on before it is
            read whole again, to find rows that are gone; None for never.
        single: the path of one row of the list, with `{id}` in it.
        lookback: how far before the last load a list is asked for again.
        under_way: a column, and the values that it leaves again: rows that had one of them are
            asked for until they have another, whatever their time of change says.
        under_way_by: the field that asks for such rows; several may share its value.
        parent: the list whose ids go into the path.
        parent_key: the column that gets the parent's id, which is part of the key.
        of_changed: whether it is asked for those parents only that have changed.
        within: the column of the parent's rows that holds these rows, which takes no call.
        include: the name by which the parent's list brings these rows along.
        secrets: what is left out.
        json: what is kept as JSON, because its members differ from row to row.
        json_text: JSON that comes in a string.
        times: where a row has times, some of which may stand for "none yet".
        text: what is loaded as text, though it comes as a number at times. `[]` in a path means
            each item of a list.
        plain: whether an answer may be text instead of JSON.
        selected: whether it is loaded unless others are chosen.
        optional: whether it is left out, with a warning, where the key may not read it.
        note: what else a user should know.
    """

    name: str
    path: str
    method: str = "GET"
    holds: tuple[str, ...] = ("data",)
    total: str | None = "meta.total_count"
    counts: str | None = None
    key: tuple[str, ...] = ("id",)
    paging: Paging = "number"
    page_size: int = 100
    strategy: Strategy = "whole"
    cursor: str | None = None
    filter: str | None = None
    sort: str | None = None
    slices: str | None = None
    slice_filter: str | None = None
    window: tuple[str, ...] = ()
    overlaps: bool = False
    whole_after: timedelta | None = None
    single: str | None = None
    lookback: timedelta = timedelta(minutes=5)
    under_way: tuple[str, tuple[str, ...]] | None = None
    under_way_by: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    of_changed: bool = False
    within: str | None = None
    include: str | None = None
    secrets: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    json_text: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    plain: bool = False
    selected: bool = False
    optional: bool = False
    note: str = ""

    @property
    def can_be_deleted(self) -> bool:
        """Whether rows may go, and stay in the table with a mark."""
        return self.strategy not in {"appended", "snapshot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What is known of a platform.

    Attributes:
        platform: its name on the command line.
        title: its name for people.
        source: the dlt source.
        about: what it is, in a sentence.
        entries: its lists.
        calls: how many calls a key has, in a number of seconds; None where no limit is known.
        settings: the source's settings: name, where it belongs, what it means.
        troubles: what goes wrong at times, and what to do.
        marks: whether rows that are gone are marked in `deleted_at`.
    """

    platform: str
    title: str
    source: str
    about: str
    entries: tuple[Entry, ...]
    calls: tuple[int, float] | None = None
    settings: tuple[tuple[str, str, str], ...] = ()
    troubles: tuple[tuple[str, str], ...] = ()
    marks: bool = True
    by_name: Mapping[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find entries by name.

        Raises:
            ValueError: two have one name, or a parent is not there.
        """
        by_name = {entry.name: entry for entry in self.entries}
        if len(by_name) < len(self.entries):
            msg = f"two entries of the catalogue of {self.platform} have one name"
            raise ValueError(msg)
        for entry in self.entries:
            if entry.parent is not None and entry.parent not in by_name:
                msg = f"{self.platform}: {entry.name} has no parent {entry.parent}"
                raise ValueError(msg)
        object.__setattr__(self, "by_name", by_name)

    def ancestors(self, entry: Entry) -> Iterator[Entry]:
        """Yield the parent of an entry, the parent's parent, and so on."""
        while entry.parent is not None:
            entry = self.by_name[entry.parent]
            yield entry

    def has_parts(self, entry: Entry) -> bool:
        """Tell whether the API can be asked for what was made in a span of time alone."""
        if entry.slice_filter or entry.window:
            return True
        if entry.parent is None or not (entry.of_changed or entry.within or entry.include):
            return False
        parent = self.by_name[entry.parent]
        return not parent.window and self.has_parts(parent)


def how(entry: Entry) -> str:
    """Return how a list is read, in words."""
    if entry.within:
        return f"comes with {entry.parent}, within {entry.within}"
    if entry.include:
        return f"comes with changed {entry.parent}: takes no call for each of them"
    if entry.parent is not None:
        which = "changed " if entry.of_changed else ""
        return f"asks once for each of the {which}{entry.parent}"
    return STRATEGIES[entry.strategy]
