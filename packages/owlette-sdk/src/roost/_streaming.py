"""What streams are made of, without reading any: lines, deltas of a chat, server-sent events."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from roost._errors import StreamError

__all__ = ["ChatParser", "EventParser", "Lines", "ServerSentEvent"]

#: Characters of one line: a line without an end must not fill the memory.
_LONGEST_LINE = 16 * 1024 * 1024
#: Python does not read numbers of thousands of digits.
_MILLISECONDS = re.compile("[0-9]{1,15}")


class Lines:
    """Bytes in, whole lines out, wherever the bytes were cut."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that are complete now, without their ends."""
        self._rest += self._decoder.decode(data)
        if "\n" in self._rest:
            *whole, self._rest = self._rest.split("\n")
            for line in whole:
                yield line.removesuffix("\r")
        if len(self._rest) > _LONGEST_LINE:
            msg = f"a line of more than {_LONGEST_LINE:,} characters"
            raise StreamError(msg)

    def close(self) -> Iterator[str]:
        """Yield the last line, if nothing ended it."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        if rest:
            yield rest.removesuffix("\r")


class ChatParser:
    """Finds the text in an answer of Cortex, whose lines have one of two forms.

    Either `0:"text"` with `3:"error"`, or server-sent events `data: {"type": "text-delta", ...}`.
    The content type is the same for both, and a line of the one may follow lines of the other.
    """

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the texts that are complete now.

        Raises:
            StreamError: the answer says what went wrong.
        """
        for line in self._lines.feed(data):
            yield from _text_of(line)

    def close(self) -> Iterator[str]:
        """Yield what is left in a last line without an end."""
        for line in self._lines.close():
            yield from _text_of(line)


def _text_of(line: str) -> Iterator[str]:
    if line.startswith("data:"):
        event = _json(line[5:])
        if isinstance(event, dict):
            yield from _text_of_event(event)  # pyright: ignore[reportUnknownArgumentType]
        return
    mark, separator, rest = line.partition(":")
    if not separator or mark not in {"0", "3"}:
        return
    said = _json(rest)
    if isinstance(said, str) and mark == "0":
        yield said
    elif mark == "3" and said is not None:
        raise StreamError(said if isinstance(said, str) else json.dumps(said))


def _text_of_event(event: dict[str, Any]) -> Iterator[str]:
    kind = event.get("type")
    delta = event.get("delta")
    if kind == "text-delta" and isinstance(delta, str):
        yield delta
    elif kind == "error":
        raise StreamError(str(event.get("errorText") or "the answer ended with an error"))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class ServerSentEvent:
    """One event of a stream.

    Attributes:
        event: its kind.
        data: what it says: decoded if it is JSON, else a text.
        id: its name, if it has one.
        retry_ms: milliseconds to wait before connecting again, if it tells.
    """

    event: str = "message"
    data: Any = None
    id: str | None = None
    retry_ms: int | None = None


@dataclass(slots=True)
class EventParser:
    """Finds server-sent events, by the rules of the HTML standard (9.2.6)."""

    _lines: Lines = field(default_factory=Lines)
    _event: ServerSentEvent = field(default_factory=ServerSentEvent)
    _data: list[str] = field(default_factory=list[str])

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that are complete now. One that is cut off at the end never is."""
        for line in self._lines.feed(data):
            if not line:
                yield from self._complete()
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                self._take(name, value.removeprefix(" "))

    def _take(self, name: str, value: str) -> None:
        if name == "event":
            self._event.event = value or "message"
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._event.id = value
        elif name == "retry" and _MILLISECONDS.fullmatch(value):
            self._event.retry_ms = int(value)

    def _complete(self) -> Iterator[ServerSentEvent]:
        event, text = self._event, "\n".join(self._data)
        had_data = bool(self._data)
        self._event, self._data = ServerSentEvent(), []
        if had_data:
            data = _json(text)
            event.data = text if data is None else data
            yield event
