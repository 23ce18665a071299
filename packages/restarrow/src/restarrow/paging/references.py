"""Lists in which each page tells where the next one is: by a link, or by a cursor. No IO.

Only one request is ever known ahead: the next page can be fetched while the caller works on the
one before, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from restarrow.errors import ConfigurationError
from restarrow.paging.flags import read_more
from restarrow.paging.links import asked_url, link_targets, resolve
from restarrow.paging.paths import (
    Path,
    check_body_path,
    finder,
    first_at,
    with_body,
    with_param,
)
from restarrow.paging.plans import DONE, Continuation
from restarrow.types import Page, Request


class JsonLinkPlan:
    """Follows the URL of the next page in the body.

    Args:
        request: the first request.
        next_url_path: where the URL is.
        base_url: what the request's path is below. A link that leaves out the host starts from
            there, or from where the page came from if this is empty.
    """

    def __init__(
        self, request: Request, next_url_path: Path = "next", *, base_url: str = ""
    ) -> None:
        self._request = request
        self._find = finder(next_url_path)
        self._base_url = base_url

    def first(self) -> Request:
        """Return the first request."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Follow the link in the body."""
        return _follow(page, first_at(self._find, payload), self._base_url)


class HeaderLinkPlan:
    """Follows the URL of the next page in the `Link` header.

    Args:
        request: the first request.
        links_next_key: the relation of the next page's link.
        base_url: as for `JsonLinkPlan`.
    """

    def __init__(
        self, request: Request, links_next_key: str = "next", *, base_url: str = ""
    ) -> None:
        self._request = request
        self._relation = links_next_key
        self._base_url = base_url

    def first(self) -> Request:
        """Return the first request."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Follow the link in the headers."""
        targets = link_targets(page.headers.get("link", ""))
        return _follow(page, targets.get(self._relation), self._base_url)


class HeaderCursorPlan:
    """Passes on the cursor that a header tells.

    Args:
        request: the first request.
        cursor_key: the name of the header.
        cursor_param: the parameter for the cursor.
    """

    def __init__(
        self, request: Request, cursor_key: str = "next", cursor_param: str = "cursor"
    ) -> None:
        self._request = request
        self._header = cursor_key
        self._param = cursor_param

    def first(self) -> Request:
        """Return the first request."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Pass on the cursor."""
        cursor = page.headers.get(self._header)
        if cursor is None:
            return DONE
        return Continuation((with_param(page.request, self._param, cursor),))


class CursorPlan:
    """Passes on the cursor that the body tells.

    Args:
        request: the first request.
        cursor_path: where the cursor is.
        cursor_param: the parameter for the cursor, `cursor` by default.
        cursor_body_path: where in the request's JSON the cursor goes, instead of a parameter.
        stop_after_empty_page: whether a page without rows is the last one.
        has_more_path: where it is told whether there is more.

    Raises:
        ConfigurationError: the arguments contradict each other.
    """

    def __init__(
        self,
        request: Request,
        cursor_path: Path = "cursors.next",
        cursor_param: str | None = None,
        cursor_body_path: str | None = None,
        *,
        stop_after_empty_page: bool = False,
        has_more_path: Path | None = None,
    ) -> None:
        if cursor_param is None and cursor_body_path is None:
            cursor_param = "cursor"
        elif (cursor_param is None) == (cursor_body_path is None) or not (
            cursor_param or cursor_body_path
        ):
            msg = "give either cursor_param or cursor_body_path"
            raise ConfigurationError(msg)
        if cursor_body_path:
            check_body_path(request, cursor_body_path)
        self._request = request
        self._find = finder(cursor_path)
        self._param = cursor_param
        self._body_path = cursor_body_path
        self._stop_after_empty = stop_after_empty_page
        self._has_more = finder(has_more_path) if has_more_path else None

    def first(self) -> Request:
        """Return the first request."""
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Pass on the cursor.

        Raises:
            PagingError: the page does not tell whether there is more.
        """
        cursor = first_at(self._find, payload)
        if self._stop_after_empty and not rows:
            return DONE
        more = read_more(self._has_more, payload, page)
        if not cursor or not more:
            return DONE
        if self._body_path:
            request = with_body(page.request, self._body_path, cursor)
        else:
            request = with_param(page.request, self._param or "", cursor)
        # a scroll keeps its cursor; such a list ends otherwise
        repeats = self._stop_after_empty or self._has_more is not None
        return Continuation((request,), repeats=repeats)


def _follow(page: Page, link: Any, base_url: str) -> Continuation:
    if link is None:
        return DONE
    if not isinstance(link, str) or not link:
        return Continuation(problem=f"the link to the next page is {link!r:.40}, no URL")
    request = page.request
    asked = asked_url(base_url, request.path) if base_url else request.path
    if "://" not in asked:
        asked = page.url
    try:
        url = resolve(link, asked)
    except ValueError:
        return Continuation(problem="the link to the next page is no URL that can be read")
    # the link has its own query: the parameters of the first page are not repeated
    return Continuation((replace(request, path=url, params={}),))
