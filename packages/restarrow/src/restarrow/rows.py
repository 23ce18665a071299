"""The rows of a page, left as the bytes that they are: only what is around them is decoded.

A page is mostly rows, and who turns them into columns needs no Python objects of them. Where they
are has to be a plain path of names; what else there is, such as totals and cursors, is decoded as
ever. A page that does not look as expected is decoded whole.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from restarrow.errors import ConfigurationError
from restarrow.http.body import decode_json
from restarrow.normalise.byte_lane import Raws
from restarrow.paging.detect import RowSelector, detect_rows
from restarrow.paging.paths import Path, plain_names
from restarrow.paging.reading import DecodedPage
from restarrow.types import Page

__all__ = ["RawRows", "RowReader", "batches"]

#: Bytes and rows in a batch: below, what each table costs outweighs what it saves.
BATCH_BYTES: Final = 12 * 1024 * 1024
BATCH_ROWS: Final = 20_000
#: Bytes in the first batch. It is decoded to learn the shape of the rows, which takes ten times the
#: memory of the bytes; and allocators seldom give back what small objects were in.
_FIRST_BYTES: Final = 1024 * 1024

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any = msgspec.json.Decoder()


class RawRows(list[msgspec.Raw]):
    """The rows of one page, each as it came."""

    __slots__ = ()


class RowReader:
    """Reads the pages of one list: what `read_pages` takes as `decode` and `select`.

    Args:
        selector: where the rows are. Without one, the first page that is seen decides.
        looked_at: the paths that the plan looks at. If one of them leads into the rows, these are
            decoded as well.
    """

    def __init__(self, selector: Path | None = None, looked_at: Iterable[Path] = ()) -> None:
        self._select = RowSelector(selector) if selector else None
        self._names = plain_names(selector) if selector else None
        self._looked_at = [plain_names(path) for path in looked_at]
        self._raw = self._may_be_raw()
        self._envelope: _Envelope | None = None

    def decode_rows(self) -> None:
        """Decode rows, too."""
        self._raw = False

    def decode(self, page: Page) -> Any:
        """Decode a page, bar its rows if they can be told apart.

        Raises:
            BodyError: it is not JSON.
            ConfigurationError: the rows are at a path that is not supported.
        """
        if self._select is None:
            whole = decode_json(page)
            path = detect_rows(whole)
            self._select = RowSelector(path)
            self._names = plain_names(path)
            self._raw = self._raw and self._may_be_raw()
        if self._raw:
            payload = self._split(page.body, self._names or ())
            if payload is not None:
                return payload
        return decode_json(page)

    def _split(self, body: bytes, names: tuple[str, ...]) -> Any:
        """Decode a body but for its rows, in one go if it has the keys of the one before."""
        payload = None if self._envelope is None else self._envelope.split(body)
        if payload is None:
            payload = _split(body, names)
            if payload is not None and len(names) == 1:
                with suppress(ValueError):  # keys that no field can have
                    self._envelope = _Envelope(list(payload), names[0])
        return payload

    def select(self, payload: Any) -> Sequence[Any]:
        """Return the rows of what was decoded: `RawRows`, or values."""
        if self._raw:
            found = payload
            for name in self._names or ():
                found = found.get(name) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            if isinstance(found, RawRows):
                return found
        if self._select is None:
            msg = "rows were selected before a page was decoded"
            raise ConfigurationError(msg)
        return self._select(payload)

    def _may_be_raw(self) -> bool:
        names = self._names
        if names is None:
            return self._select is None  # not known yet
        return not any(path is None or _meet(path, names) for path in self._looked_at)


def _meet(path: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether one of two paths leads through where the other one ends."""
    return all(one == two for one, two in zip(path, other, strict=False))


class _Envelope:
    """Splits bodies that are objects with these keys and no others."""

    def __init__(self, keys: Sequence[str], rows: str) -> None:
        fields = {f"f{at}": key for at, key in enumerate(keys)}
        self._fields = fields
        self._rows = rows
        kind = msgspec.defstruct(
            "_Body",
            [(name, list[msgspec.Raw] if key == rows else Any) for name, key in fields.items()],
            rename=fields,
            forbid_unknown_fields=True,
        )
        self._decoder = msgspec.json.Decoder(kind)

    def split(self, body: bytes) -> dict[str, Any] | None:
        """Return what a body holds; None if it has other keys, or no list of rows."""
        try:
            found = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        payload = {key: getattr(found, name) for name, key in self._fields.items()}
        payload[self._rows] = RawRows(payload[self._rows])
        return payload


def _split(body: bytes | msgspec.Raw, names: Sequence[str]) -> Any:
    """Decode a body but for the list at these names; None if it is not there."""
    try:
        if not names:
            return RawRows(_rows.decode(body))
        members: dict[str, Any] = dict(_members.decode(body))
        held = members.pop(names[0])
        rows = _split(held, names[1:])
        if rows is None:
            return None
        for name, value in members.items():
            members[name] = _any.decode(value)
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    members[names[0]] = rows
    return members


def batches(
    pages: Iterable[DecodedPage], *, most_bytes: int = BATCH_BYTES, most_rows: int = BATCH_ROWS
) -> Generator[Raws | list[Any], None, None]:
    """Join the rows of pages to batches of a size that is worth a table. None is empty.

    Yields:
        rows as they came, or decoded rows where pages had to be decoded.
    """
    held: list[Any] = []
    size = 0
    is_raw = True
    enough = min(_FIRST_BYTES, most_bytes)
    for page in pages:
        raw = isinstance(page.rows, RawRows)
        if held and raw != is_raw:
            yield _batch(held, raw=is_raw)
            held, size = [], 0
        is_raw = raw
        held.extend(page.rows)
        size += len(page.page.body)
        if size >= enough or len(held) >= most_rows:
            yield _batch(held, raw=is_raw)
            held, size, enough = [], 0, most_bytes
    if held:
        yield _batch(held, raw=is_raw)


def _batch(rows: list[Any], *, raw: bool) -> Raws | list[Any]:
    return Raws(rows, checked=True) if raw else rows
