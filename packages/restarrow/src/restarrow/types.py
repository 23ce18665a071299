"""A request and the page that answers it. A leaf: nothing else of the package is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast


class Headers(Mapping[str, str]):
    """The headers of an answer: names in any case, several values of one name joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        items: Iterable[tuple[str, str]] = (
            cast("Mapping[str, str]", pairs).items() if isinstance(pairs, Mapping) else pairs
        )
        for name, value in items:
            key = name.lower()
            known = self._values.get(key)
            self._values[key] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """Show the names alone: values may be cookies."""
        return f"Headers({', '.join(self._values)})"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. All requests read, whatever their method: they may be sent again.

    Attributes:
        method: the HTTP method.
        path: relative to the client's base URL, or a whole URL.
        params: the query string, written as `requests` writes it.
        json: a body to send as JSON.
        data: a body to send as a form (a mapping, or pairs) or as it is (bytes or text).
        headers: headers beside the client's own, before which they go.
        accept: statuses beside 2xx that come back as a page instead of an error.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    json: Any = None
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    accept: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, whole.

    Attributes:
        number: which page of its list this is, from 0.
        request: what was asked for.
        url: where the answer came from, without query string and credentials.
        status: the HTTP status: 2xx, or one that the request accepts.
        headers: the headers of the answer.
        body: the body, decompressed and in UTF-8 without a byte order mark.
    """

    number: int
    request: Request
    url: str
    status: int
    headers: Headers
    body: bytes = field(repr=False)
