"""What Roost.ai is asked, and how its pages follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object, look_up
from opsnest.reading import Ask
from opsnest.rows import from_text
from opsnest.sources.roost_rows import files_of, log_rows, method_rows
from restarrow.paging import Continuation, DecodedPage, Plan, SinglePagePlan
from restarrow.types import Page, Request

__all__ = ["RoostDialect", "SkipPlan"]

Row = dict[str, Any]

_DONE: Final = Continuation(done=True)
#: What is asked for of a row is refused with this when the row is gone meanwhile.
_GONE: Final = frozenset({404})
#: These must be sent, although they narrow nothing down.
_EVERYTHING: Final = {
    "get_for_all": "true",
    "getAll": "true",
    "searchTerm": "",
    "isCaseSensitive": "false",
    "isWholeWord": "false",
}
_PARAMS: Final[Mapping[str, Mapping[str, str]]] = {
    "tests": _EVERYTHING,
    "test_plans": _EVERYTHING,
    "test": {"clone_test": "false"},
}


class RoostDialect:
    """Writes requests as RoostGPT's OpenAPI file v1.1.15 has them.

    Args:
        file_choice: the `file_choice` that `execution_report` asks for.
    """

    def __init__(self, file_choice: str = "test") -> None:
        self._file_choice = file_choice

    def plan(self, entry: Entry, ask: Ask) -> Plan:
        """Return the plan that leads through the pages of a list."""
        params: dict[str, Any] = dict(_PARAMS.get(entry.name, {}))
        if ask.sort:
            params["order_by"] = ask.sort
        if "file_path" in ask.ids:
            params["file_path"] = ask.ids["file_path"]
        if entry.name == "execution_report":
            params["file_choice"] = self._file_choice
        path = entry.path.format_map({name: quote(key, "") for name, key in ask.ids.items()})
        if entry.paging == "none":
            return SinglePagePlan(Request("GET", path, params, accept=_GONE))
        return SkipPlan(Request("GET", path, params), ask.size or entry.page_size)

    def rows(self, entry: Entry, payload: Any) -> list[Row]:
        """Return the rows in an answer, or those that a row of events has within."""
        match entry.name:
            case "event_logs":
                return log_rows(payload)
            case "execution_status":
                # "text" where the server sends JSON, and text without quotes where it does not
                status = from_text(payload) if isinstance(payload, str) else payload
                return [] if status is None else [{"status": status}]
            case "event_methods":
                return list(method_rows(payload))
            case _ if entry.paging == "none":
                return [payload] if is_object(payload) else []
            case _:
                data = look_up(payload, entry.holds[0])
                return data if is_list(data) else []

    def ids(self, entry: Entry, parent: Row) -> Iterator[Mapping[str, str]]:
        """Yield the id of a parent, or that of an event with each file of its report."""
        key = {str(entry.parent_key): str(parent["id"])}
        if "file_path" not in entry.key:
            yield key
            return
        for path in files_of(parent):
            yield {**key, "file_path": path}

    def children(self, entry: Entry, page: DecodedPage) -> Iterator[tuple[Row, list[Row]]]:
        """Yield nothing: no list of Roost.ai brings those of another along."""
        del entry, page
        return iter(())


@dataclass(frozen=True, slots=True)
class SkipPlan:
    """Pages by offset through a list that moves, and has no total that could be trusted.

    It advances by the rows that came, not by those that were asked for, as the server caps pages in
    silence. Each page begins with the last row of the page before. Where it begins with a row that
    was not seen yet, rows before it have gone, and others may have slipped into pages that were
    read: then it goes back until it meets a row that it knows. It ends with a page that is not full
    and has no other rows than those; a page without any is beyond an end that came nearer.

    Attributes:
        request: the request, without a page.
        take: rows to ask for.
        skip: where it stands.
        most: rows of the fullest page so far.
        seen: the ids of the rows so far, which all pages of a reading add to.
    """

    request: Request
    take: int
    skip: int = 0
    most: int = 0
    seen: set[str] = field(default_factory=set[str], compare=False, repr=False)

    def first(self) -> Request:
        """Return the request of the page."""
        params = {**self.request.params, "take": self.take, "skip": self.skip}
        return replace(self.request, params=params)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Go on behind the rows that came, or back to where the list has moved to."""
        del page, payload
        ids = [str(look_up(row, "id")) for row in rows]
        most = max(self.most, len(rows))
        # pages of a single row cannot overlap, as none of them would bring another
        overlap = 1 if most > 1 else 0
        lost = self.skip > 0 and overlap > 0 and not (ids and ids[0] in self.seen)
        nothing_new = self.seen.issuperset(ids)
        self.seen.update(ids)
        if lost:
            return self._at(max(0, self.skip - most + 1), most)
        if not rows or (nothing_new and len(rows) < most):
            return _DONE
        return self._at(self.skip + len(rows) - overlap, most)

    def _at(self, skip: int, most: int) -> Continuation:
        following = replace(self, skip=skip, most=most)
        # a list that moves may have to be asked for the same place again
        return Continuation((following.first(),), plan=following, repeats=True)
