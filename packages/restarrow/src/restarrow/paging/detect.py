"""What kind of list an answer is a page of, and where its rows are. Pure.

It guesses as dlt guesses, in the same order and with the same weak spots, because what is guessed
decides which requests are sent. Two of them are worth knowing: a list that is recognised by its
number of pages is counted from page 1 after a first request without a page number, so that an API
whose first page is 1 gives it twice and its last page never; and any key that begins with `next`
counts. Name the paginator instead of relying on this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from restarrow.paging.links import is_url, link_targets
from restarrow.paging.paths import Path, finder, is_list
from restarrow.paging.plans import Continuation, Plan, SinglePagePlan
from restarrow.paging.ranges import PageNumberPlan
from restarrow.paging.references import CursorPlan, HeaderLinkPlan, JsonLinkPlan
from restarrow.types import Page, Request

#: Names under which lists keep their rows.
ROW_KEYS = frozenset(
    {
        "content",
        "data",
        "entities",
        "entries",
        "items",
        "objects",
        "payload",
        "records",
        "results",
        "rows",
        "values",
    }
)
_DEEPEST_ROWS = 3
_TOTAL_PAGES = re.compile("^(?:total_pages|pages|totalpages)$")
_LINK_KEYS = ("href", "url")


class AutoPlan:
    """Looks at the first page to find out how to go on.

    Args:
        request: the first request.
        base_url: what the request's path is below, for links that leave out the host.
    """

    def __init__(self, request: Request, *, base_url: str = "") -> None:
        self._request = request
        self._base_url = base_url

    def first(self) -> Request:
        """Return the request as it is: nothing is known yet."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Find the plan, and go on with it.

        Raises:
            ConfigurationError: what was found is at a path that is not supported.
            PagingError: the page contradicts what was found.
        """
        plan = detect_plan(page, payload, self._request, base_url=self._base_url)
        found = plan.after(page, payload, rows)
        return Continuation(
            found.requests,
            done=found.done,
            certain=found.certain,
            plan=plan,
            problem=found.problem,
            total=found.total,
            expected=found.expected,
        )


class RowSelector:
    """Finds the rows of a page.

    Args:
        path: where they are. Without one, the first page that is seen decides, for all of them.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._find = finder(path) if path else None

    def __call__(self, payload: Any) -> list[Any]:
        """Return the rows: what is found alone counts as a page of one, and null as none.

        Raises:
            ConfigurationError: the rows are at a path that is not supported.
        """
        if self._find is None:
            self._find = finder(detect_rows(payload))
        values = self._find(payload)
        found = values[0] if len(values) == 1 else list(values)
        if found is None:
            return []
        return found if is_list(found) else [found]


def detect_plan(page: Page, payload: Any, request: Request, *, base_url: str = "") -> Plan:
    """Return the plan for the list that a first page begins."""
    if link_targets(page.headers.get("link", "")).get("next"):
        return HeaderLinkPlan(request, base_url=base_url)
    following = _search(payload, _next_in)
    if following is not None:
        path, value = following
        if isinstance(value, str) and value.startswith(("http", "/")) and is_url(value):
            return JsonLinkPlan(request, ".".join(path), base_url=base_url)
    pages = _search(payload, _total_pages_in)
    if pages is not None and _is_whole(pages[1]):
        return PageNumberPlan(request, total_path=".".join(pages[0]))
    if following is not None:
        return CursorPlan(request, ".".join(following[0]))
    return SinglePagePlan(request)


def detect_rows(payload: Any) -> str:
    """Return the path of the rows in a page: of a list with a usual name, or of the first list."""
    first: tuple[str, ...] | None = None
    for path in _lists(payload, ()):
        if path[-1] in ROW_KEYS:
            return ".".join(path)
        first = first or path
    return "$" if first is None else ".".join(first)


_Found = tuple[tuple[str, ...], Any]


def _lists(payload: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(payload, Mapping) or len(path) >= _DEEPEST_ROWS:
        return
    for key, value in cast("Mapping[str, Any]", payload).items():
        if isinstance(value, list):
            yield (*path, key)
        else:
            yield from _lists(value, (*path, key))


def _search(
    payload: Any, look: Callable[[str, Any], _Found | None], path: tuple[str, ...] = ()
) -> _Found | None:
    """Return the first thing that `look` finds, objects before what comes after them."""
    if not isinstance(payload, Mapping):
        return None
    for key, value in cast("Mapping[str, Any]", payload).items():
        found = look(key, value)
        if found is not None:
            return (*path, *found[0]), found[1]
        deeper = _search(value, look, (*path, key))
        if deeper is not None:
            return deeper
    return None


def _next_in(key: str, value: Any) -> _Found | None:
    if not key.lower().startswith("next"):
        return None
    if isinstance(value, Mapping):
        for inner, target in cast("Mapping[str, Any]", value).items():
            if inner.lower().startswith(_LINK_KEYS) and isinstance(target, str | int | float):
                return (key, inner), target
        return None
    return ((key,), value) if isinstance(value, str | int | float) else None


def _total_pages_in(key: str, value: Any) -> _Found | None:
    if _TOTAL_PAGES.match(key.lower()) and isinstance(value, str | int | float):
        return (key,), value
    return None


def _is_whole(value: Any) -> bool:
    try:
        int(value)
    except (ValueError, OverflowError):
        return False
    return True
