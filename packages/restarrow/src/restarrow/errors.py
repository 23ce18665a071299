"""What can go wrong, drawn as a tree. A leaf: nothing else of the package is imported here.

RestarrowError
├── ConfigurationError      what was asked for cannot be done; nothing was sent (a ValueError too)
├── FetchError              one page could not be had: .method .path .page .attempts
│   ├── TransportError      no answer: no connection, a time-out, a connection cut
│   ├── StatusError         an answer that refuses: .status .excerpt .headers
│   │   ├── AuthenticationError   the credentials, or the login that they are for, were refused
│   │   └── RateLimitedError      429, still after every wait that was allowed: .wait
│   ├── BodyError           an answer that cannot be read: .reason .offset
│   ├── ForeignOriginError  a URL outside the API's own origin, which credentials never go to
│   └── ClosedError         the client was closed meanwhile
├── PagingError             the pages do not come to an end: .path .page
└── NormaliseError          rows that cannot become a table: .table
    ├── DepthError          rows that are nested too deeply: .depth
    └── UnsupportedError    rows or settings that only dlt's own path handles: .reason

All of them can be pickled. Their messages say what happened, where (method, path and page) and
what can be done. They hold neither credentials nor query strings: a path ends at its `?`. What
an API answered is quoted from its beginning, with the credentials taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

#: Why a body cannot be read.
BodyReason = Literal[
    "truncated", "too large", "too deep", "wrong content type", "not JSON", "bad encoding"
]


class RestarrowError(Exception):
    """The root of all errors that this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: an error may need arguments that its message does not tell."""
        return _revive, (type(self), self.args, dict(self.__dict__))


class ConfigurationError(RestarrowError, ValueError):
    """What was asked for makes no sense, so that nothing was sent."""


@dataclass(frozen=True, slots=True)
class Where:
    """The request that an error is about.

    Attributes:
        method: the HTTP method.
        path: the path of the request, without query string.
        page: the number of the page within its list, from 0.
        attempts: how often the request was sent.
    """

    method: str
    path: str
    page: int = 0
    attempts: int = 1

    def __str__(self) -> str:
        """Say it as messages do: GET /v1/incidents, page 3, after 5 attempts."""
        tries = f", after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.method} {self.path}, page {self.page}{tries}"


class FetchError(RestarrowError):
    """One page could not be had.

    Attributes:
        what: what happened, and what can be done about it.
        where: the request, also as `method`, `path`, `page` and `attempts`.
    """

    def __init__(self, what: str, where: Where) -> None:
        super().__init__(f"{where}: {what}")
        self.what = what
        self.where = where

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.where.method

    @property
    def path(self) -> str:
        """The path that was asked for, without query string."""
        return self.where.path

    @property
    def page(self) -> int:
        """The number of the page, from 0."""
        return self.where.page

    @property
    def attempts(self) -> int:
        """How often the request was sent."""
        return self.where.attempts

    def after(self, attempts: int) -> FetchError:
        """Tell how often the request was sent in the end, and return the error."""
        self.where = replace(self.where, attempts=attempts)
        self.args = (f"{self.where}: {self.what}",)
        return self


class TransportError(FetchError):
    """No answer, or not all of its head: no connection, a time-out, a connection cut."""


class StatusError(FetchError):
    """An answer whose status refuses.

    Attributes:
        status: the HTTP status.
        excerpt: the beginning of the body.
        headers: the headers of the answer, their names in lower case, without cookies.
    """

    def __init__(
        self,
        what: str,
        where: Where,
        *,
        status: int,
        excerpt: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, where)
        self.status = status
        self.excerpt = excerpt
        self.headers = dict(headers or {})


class AuthenticationError(StatusError):
    """The credentials were refused, or the login that was to turn them into a token."""


class RateLimitedError(StatusError):
    """The API asked to wait longer, or more often, than the client may.

    Attributes:
        wait: the seconds that the API asked for last, if it did.
    """

    wait: float | None = None


class BodyError(FetchError):
    """An answer that cannot be read.

    Attributes:
        reason: why not.
        offset: the byte at which reading ended, if that says anything.
    """

    def __init__(
        self, what: str, where: Where, *, reason: BodyReason, offset: int | None = None
    ) -> None:
        super().__init__(what, where)
        self.reason: BodyReason = reason
        self.offset = offset


class ForeignOriginError(FetchError):
    """A URL, such as that of a next page, which leaves the API's own origin."""


class ClosedError(FetchError):
    """The client was closed before the page was there."""


class PagingError(RestarrowError):
    """The pages do not come to an end, or contradict each other.

    Attributes:
        path: the path of the list, without query string.
        page: the number of the page, from 0.
    """

    def __init__(self, what: str, *, path: str, page: int) -> None:
        super().__init__(f"{path}, page {page}: {what}")
        self.what = what
        self.path = path
        self.page = page


class NormaliseError(RestarrowError):
    """Rows that cannot become a table.

    Attributes:
        table: the table that they are for.
    """

    def __init__(self, what: str, *, table: str = "") -> None:
        super().__init__(f"table {table}: {what}" if table else what)
        self.what = what
        self.table = table


class DepthError(NormaliseError):
    """Rows that are nested more deeply than can be stored, by dlt or without it.

    Attributes:
        depth: how many levels of objects and lists there are.
    """

    def __init__(self, depth: int, *, table: str = "") -> None:
        what = (
            f"a row is nested {depth:,} levels deep, which nothing here can store: leave the field "
            "out, or make it a text, in a map before it comes here"
        )
        super().__init__(what, table=table)
        self.depth = depth


class UnsupportedError(NormaliseError):
    """Rows or settings that only dlt's own path handles, which is to be taken instead.

    Attributes:
        reason: what is not supported, to be shown to the user.
    """

    @property
    def reason(self) -> str:
        """Say what is not supported."""
        return self.what


def _revive(kind: type[RestarrowError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
