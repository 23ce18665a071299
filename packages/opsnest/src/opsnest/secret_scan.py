"""Find secrets that people pasted into texts, and take them out before rows are loaded.

Fields that are known to hold secrets are dropped elsewhere (`opsnest.rows`). Here shapes are looked
for: in clean answers that takes one pass over their bytes.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from typing import Any, Final, Literal, TypeVar, get_args

import msgspec

from opsnest.errors import ConfigurationError
from opsnest.json_values import is_list, is_object
from opsnest.secret_shapes import ANYTHING, PLACEHOLDER, SHAPES, kind_of_name

__all__ = ["Choice", "SecretScan", "choice_of", "holds", "mask", "may_hold"]

#: re2 has no types: it is imported as if it were data.
re2: Any = import_module("re2")

log = logging.getLogger("opsnest")

#: What to do with secrets in rows: remove them and warn, only warn, or load them without a word.
Choice = Literal["mask", "warn", "keep"]

#: Characters that a value has, for a name alone to make it a secret.
_LEAST: Final = 8
#: Columns that a warning names.
_NAMED: Final = 5

#: What may stand beside a secret that is all there is, apart from our own marks.
_BESIDE_MARKS: Final = re.compile(r"\[removed: [^\]]*\]|(?i:bearer|basic|token)|[\s\"'\\:=,;]")
_MARK: Final = "[removed: "
_PATTERNS: Final = tuple((shape.kind, shape.pattern()) for shape in SHAPES)


def _anything() -> Any:
    """Compile what tells whether bytes may hold a secret, be they UTF-8 or not."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    return re2.compile(ANYTHING.encode(), options)


_ANYTHING: Final = _anything()

Row = dict[str, Any]
Item = TypeVar("Item")


def choice_of(text: str, source: str) -> Choice:
    """Return what is to be done with secrets in rows, as a setting says it.

    Raises:
        ConfigurationError: the setting is none of the choices.
    """
    choices: tuple[Choice, ...] = get_args(Choice)
    for choice in choices:
        if text == choice:
            return choice
    message = (
        f"{source}: secrets_in_rows={text!r} is not known.\n"
        "  Use 'mask' to remove them and warn, 'warn' to load them with a warning, or 'keep'."
    )
    raise ConfigurationError(message)


def may_hold(texts: Iterable[bytes]) -> list[bool]:
    """Tell of each of some encoded JSON whether it may hold a secret."""
    return [_ANYTHING.search(text) is not None for text in texts]


def holds(value: Any) -> bool:
    """Tell whether there is a secret in decoded JSON, as `may_hold` cannot tell for sure."""
    texts = list({text for text in _texts(value) if len(text) >= _LEAST})
    walk = _Walk(frozenset(_suspicious(texts, [_bytes(text) for text in texts])))
    walk.value(value, "")
    return bool(walk.found)


class SecretScan:
    """The scan of one resource in one load.

    Args:
        source: the dlt source, for messages.
        resource: the resource, for messages.
        choice: what to do with what is found.
        key: columns that identify a row; they stay, or rows would become one.
    """

    def __init__(
        self, source: str, resource: str, choice: Choice = "mask", key: Collection[str] = ()
    ) -> None:
        self._name = f"{source} / {resource}"
        self._choice: Choice = choice
        self._key = frozenset(key)
        self._suspicious = False
        self._found: set[tuple[str, str, int]] = set()

    def look(self, body: bytes) -> bool:
        """Look at an answer, and tell whether it may hold a secret.

        Rows are looked at from the first such answer on: those of an answer may come later, with
        others.
        """
        if self._choice == "keep" or not body:
            return False
        may = may_hold([body])[0]
        self._suspicious = self._suspicious or may
        return may

    def rows(self, rows: list[Row]) -> None:
        """Mask secrets in rows, in place, if any answer so far was suspicious."""
        if self._suspicious and rows:
            self.all_rows(rows)

    def all_rows(self, rows: list[Row]) -> None:
        """Mask secrets in rows, in place, whatever was looked at before."""
        if self._choice == "keep":
            return
        suspicious = _suspicious(rows, [_encoded(row) for row in rows])
        # most texts of a suspicious row are not: RE2 tells which, for all at once
        texts = list({text for row in suspicious for text in _texts(row) if len(text) >= _LEAST})
        walk = _Walk(frozenset(_suspicious(texts, [_bytes(text) for text in texts])))
        for row in suspicious:
            masked = walk.members(row, "", self._key)
            if self._choice == "mask":
                row.clear()
                row.update(masked)
        self._found |= walk.found

    def one(self, row: Row) -> Row:
        """Mask secrets in a row that came by itself, in place, warn, and return it."""
        self.all_rows([row])
        self.report()
        return row

    def report(self) -> None:
        """Warn of what was found since the last report: kinds, columns and numbers, no values.

        A secret that is in a column of several rows, or in a row that was read twice, is one.
        """
        if not self._found:
            return
        kinds = Counter(kind for kind, _, _ in self._found)
        paths = sorted({path for _, path, _ in self._found})
        what = ", ".join(
            f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.most_common()
        )
        where = ", ".join(paths[:_NAMED])
        if len(paths) > _NAMED:
            where += f" and {len(paths) - _NAMED} more columns"
        if self._choice == "mask":
            advice = 'set secrets_in_rows = "keep" to load them'
            log.warning("%s: removed %s from %s; %s", self._name, what, where, advice)
        else:
            advice = 'set secrets_in_rows = "mask" to remove them'
            log.warning("%s: loaded %s in %s; %s", self._name, what, where, advice)
        self._found = set()


def mask(value: Any) -> Any:
    """Return decoded JSON with the secrets in it replaced."""
    return _Walk(None).value(value, "")


class _Walk:
    """Replaces secrets in decoded JSON.

    Args:
        suspicious: the texts that may hold secrets; None for all.

    Attributes:
        found: for each secret its kind, the path of its column, and its hash.
    """

    def __init__(self, suspicious: frozenset[str] | None) -> None:
        self.found: set[tuple[str, str, int]] = set()
        self._suspicious = suspicious

    def value(self, value: Any, path: str) -> Any:
        """Return a value without secrets."""
        if isinstance(value, str):
            return self._text(value, path)
        if is_object(value):
            return self.members(value, f"{path}." if path else "")
        if is_list(value):
            return [self.value(item, path) for item in value]
        return value

    def members(self, members: Row, above: str, key: frozenset[str] = frozenset()) -> Row:
        """Return an object without secrets in names or values, bar those of the names in `key`."""
        masked: Row = {}
        pair = _kind_of_pair(members)
        for name, value in members.items():
            if name in key:
                masked[name] = value
                continue
            new = self._name(name, above, taken=(masked, members))
            kind = kind_of_name(name) or (pair if name == "value" else None)
            masked[new] = self._member(value, kind, f"{above}{new}")
        return masked

    def _name(self, name: str, above: str, taken: tuple[Row, Row]) -> str:
        """Return a name without secrets; one that was masked is made unlike all others."""
        new = unique = self._text(name, f"{above}[name]")
        number = 1
        while new != name and any(unique in names for names in taken):
            number += 1
            unique = f"{new} {number}"
        return unique

    def _member(self, value: Any, kind: str | None, path: str) -> Any:
        """Return a member's value without secrets; all of it is one if its name says so."""
        new = self.value(value, path)
        if kind is None or not isinstance(value, str):
            return new
        if new == value and (len(value) < _LEAST or PLACEHOLDER.match(value)):
            return value
        if _MARK in new and not _BESIDE_MARKS.sub("", new):
            return new  # what was found in it, now or before it came, was all of it
        self.found.add((kind, path, hash(value)))
        return _mark(kind)

    def _text(self, text: str, path: str) -> str:
        if len(text) < _LEAST or (self._suspicious is not None and text not in self._suspicious):
            return text
        for kind, pattern in _PATTERNS:

            def marked(match: re.Match[str], kind: str = kind) -> str:
                groups = match.groupdict()
                group = next((name for name in ("secret", "bare") if groups.get(name)), 0)
                self.found.add((kind, path, hash(match[group])))
                start, end = match.span(group)
                before = match.string[match.start() : start]
                return f"{before}{_mark(kind)}{match.string[end : match.end()]}"

            text = pattern.sub(marked, text)
        return text


def _kind_of_pair(members: Row) -> str | None:
    """Return what `value` is in a pair such as `{"key": "password", "value": ...}`."""
    for name in ("key", "name"):
        of = members.get(name)
        if isinstance(of, str) and (kind := kind_of_name(of)):
            return kind
    return None


def _suspicious(items: list[Item], encoded: list[bytes]) -> list[Item]:
    """Return those of some items whose encoded form may hold a secret."""
    if not items:
        return []
    return [item for item, may in zip(items, may_hold(encoded), strict=True) if may]


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in decoded JSON, names of members included."""
    if isinstance(value, str):
        yield value
    elif is_object(value):
        yield from value
        for member in value.values():
            yield from _texts(member)
    elif is_list(value):
        for item in value:
            yield from _texts(item)


def _encoded(row: Row) -> bytes:
    try:
        return msgspec.json.encode(row, enc_hook=str)
    except UnicodeEncodeError:  # half a pair of surrogates: JSON can have that
        return _bytes(json.dumps(row, ensure_ascii=False, default=str))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _mark(kind: str) -> str:
    return f"{_MARK}{kind}]"
