"""How what we have to say comes into a file that may be there: texts in, text out.

Each function returns the text that the file should have; where it has that already, the same text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opsnest.errors import ConfigurationError
from opsnest.json_values import is_list, is_object

__all__ = ["with_block", "with_entry", "with_items", "with_lines", "with_toml"]

_BEGIN: Final = "<!-- opsnest: written by `opsnest ai init`, which renews all up to the end -->"
_END: Final = "<!-- end of opsnest -->"
#: Any beginning of ours, whatever words a release put there.
_BLOCK: Final = re.compile(rf"<!-- opsnest\b[^>]*-->.*?{re.escape(_END)}", re.DOTALL)


def with_block(text: str, block: str) -> str:
    """Return Markdown with our block in it: in the place of an earlier one, or at the end.

    Raises:
        ConfigurationError: a block of ours begins and does not end.
    """
    ours = f"{_BEGIN}\n{block.strip()}\n{_END}"
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: ours, text, count=1)
    if re.search(r"<!-- opsnest\b", text):
        message = f"a block of opsnest begins and does not end.\n  Add {_END!r} where it ends."
        raise ConfigurationError(message)
    return f"{text.rstrip()}\n\n{ours}\n".lstrip()


def with_lines(text: str, lines: Sequence[str]) -> str:
    """Return a list of ignored files with these in it."""
    there = {line.strip() for line in text.splitlines()}
    missing = [line for line in lines if line not in there]
    if not missing:
        return text
    before = f"{text.rstrip()}\n" if text.strip() else ""
    return before + "\n".join(missing) + "\n"


def with_entry(text: str, path: Sequence[str], entry: Any, *, force: bool) -> str:
    """Return a JSON object with an entry at a path; one that is there stays, unless forced.

    Raises:
        ConfigurationError: the text is not a JSON object, or has something else on the way.
    """
    document = _document(text, path, entry)
    above = _above(document, path)
    if path[-1] in above and (not force or above[path[-1]] == entry):
        return text
    above[path[-1]] = entry
    return _written(document, text)


def with_items(text: str, path: Sequence[str], items: Sequence[str]) -> str:
    """Return a JSON object whose list at a path has these items too.

    Raises:
        ConfigurationError: the text is not a JSON object, or has something else on the way.
    """
    document = _document(text, path, items)
    above = _above(document, path)
    there = above.setdefault(path[-1], [])
    if not is_list(there):
        raise ConfigurationError(_in_the_way(path))
    missing = [item for item in items if item not in there]
    if not missing:
        return text
    above[path[-1]] = [*there, *missing]
    return _written(document, text)


def _document(text: str, path: Sequence[str], value: Any) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        document: Any = json.loads(text)
    except ValueError:
        document = None
    if not is_object(document):
        for name in reversed(path):
            value = {name: value}
        advice = f"  Mend it, or add by hand:\n{json.dumps(value, indent=2)}"
        message = f"it is not a JSON object (comments are not JSON).\n{advice}"
        raise ConfigurationError(message)
    return document


def _above(document: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """Return the object that the last name of a path belongs to, made where it is missing."""
    for name in path[:-1]:
        below = document.setdefault(name, {})
        if not is_object(below):
            raise ConfigurationError(_in_the_way(path))
        document = below
    return document


def _in_the_way(path: Sequence[str]) -> str:
    return f"there is something else in the place of {'.'.join(path)}.\n  Mend it by hand."


def _written(document: dict[str, Any], text: str) -> str:
    indent = re.search(r"\n([ \t]+)\"", text)
    return json.dumps(document, indent=indent[1] if indent else 2, ensure_ascii=False) + "\n"


def with_toml(text: str, table: Sequence[str], members: Mapping[str, Any], *, force: bool) -> str:
    """Return TOML with a table in it; one that is there stays as it is, and is replaced if forced.

    Raises:
        ConfigurationError: the text is not TOML, or has something else in the place.
    """
    import tomlkit  # noqa: PLC0415 - one format of three needs it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    name = ".".join(table)
    try:
        document = tomlkit.parse(text)
        node: Any = document
        for part in table:
            node = node.get(part) if hasattr(node, "get") else None
        if node is not None and (not force or node.unwrap() == members):
            return text
        if node is None and not any(part in document for part in table[:1]):
            lines = [
                f"[{name}]",
                *(f"{key} = {json.dumps(value)}" for key, value in members.items()),
            ]
            before = f"{text.rstrip()}\n\n" if text.strip() else ""
            return before + "\n".join(lines) + "\n"
        node = document
        for part in table[:-1]:
            node = node[part]
        node[table[-1]] = dict(members)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError):
        message = f"it is not TOML that a table [{name}] can be added to.\n  Mend it by hand."
        raise ConfigurationError(message) from None
