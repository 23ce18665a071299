"""Where things are in an answer, and where they go in a request. Pure.

A path is the part of JSONPath that list APIs need: names (`meta.next`, `$.links`), quoted names
(`meta['next page']`), places in a list (`pages[0]`) and all of them (`items[*]`). It finds what
jsonpath-ng finds. Any other JSONPath is refused, never guessed; who has a JSONPath library at hand
passes a function instead of a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard, cast

from restarrow.errors import ConfigurationError
from restarrow.types import Request

#: Returns every value that a path leads to, in order.
Finder = Callable[[Any], Sequence[Any]]
#: A path as text, or what finds its values.
Path = str | Finder

_Step = str | int | None

_NAME = r"@?[A-Za-z_][A-Za-z0-9_@\-]*"
_QUOTED = r"'[^'\\]+'|\"[^\"\\]+\""
#: One step with what goes before it: a dot or not, a bracket or not.
_TOKEN = re.compile(
    rf"(?P<dot>\.)?(?:\[(?P<index>\d+)\]|\[(?P<all>\*)\]|\[(?P<in>{_QUOTED})\]"
    rf"|(?P<name>{_NAME})|(?P<quoted>{_QUOTED}))"
)
#: Names that jsonpath-ng reads as something else, unless they are quoted.
_RESERVED = frozenset({"where", "wherenot", "true", "false", "null"})


def finder(path: Path) -> Finder:
    """Return the function that finds what is at a path.

    Raises:
        ConfigurationError: the path is JSONPath beyond names, quoted names, `[0]` and `[*]`.
    """
    if not isinstance(path, str):
        return path
    steps = _parse(path)

    def find(payload: Any) -> Sequence[Any]:
        found = [payload]
        for step in steps:
            found = [value for parent in found for value in _children(parent, step)]
        return found

    return find


def plain_names(path: Path) -> tuple[str, ...] | None:
    """Return the names that a path goes through; None if it is more than names, or no text."""
    if not isinstance(path, str):
        return None
    try:
        steps = _parse(path)
    except ConfigurationError:
        return None
    names = tuple(step for step in steps if isinstance(step, str))
    return names if len(names) == len(steps) else None


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a JSON array."""
    return isinstance(value, list)


def first_at(find: Finder, payload: Any) -> Any:
    """Return the first value that is found, None without any."""
    values = find(payload)
    return values[0] if values else None


def check_body_path(request: Request, path: str) -> None:
    """Make sure that a value can be written into a request's JSON body at a path of names.

    Raises:
        ConfigurationError: there is something else than an object on the way, or the request has
            another body, which would be sent instead of the JSON.
    """
    if request.data:
        msg = f"the request has data beside JSON, so that {path!r} of its JSON would never be sent"
        raise ConfigurationError(msg)
    inner: Any = {} if request.json is None else request.json
    for name in path.split("."):
        if not isinstance(inner, Mapping):
            msg = f"{path!r} leads through something else than an object in the request's JSON"
            raise ConfigurationError(msg)
        inner = cast("Mapping[str, Any]", inner).get(name, {})


def with_param(request: Request, name: str, value: Any) -> Request:
    """Return the request with one parameter more, or another value of it in the same place."""
    return replace(request, params={**request.params, name: value})


def with_body(request: Request, path: str, value: Any) -> Request:
    """Return the request with a value in its JSON body. The body that was given stays as it is."""
    body: dict[str, Any] = dict(cast("Mapping[str, Any]", request.json or {}))
    *parents, last = path.split(".")
    inner = body
    for name in parents:
        copy: dict[str, Any] = dict(cast("Mapping[str, Any]", inner.get(name, {})))
        inner[name] = copy
        inner = copy
    inner[last] = value
    return replace(request, json=body)


def _parse(path: str) -> tuple[_Step, ...]:
    if path == "$":
        return ()
    rest = path.removeprefix("$")
    rooted = rest != path
    steps: list[_Step] = []
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if token is None or not _joins(token, first=at == 0, rooted=rooted):
            break
        steps.append(_step(token))
        at = token.end()
    if not steps or at < len(rest):
        msg = (
            f"the JSONPath {path!r} is not supported: write names with dots between them, "
            "'quoted names', [0] or [*]"
        )
        raise ConfigurationError(msg)
    return tuple(steps)


def _joins(token: re.Match[str], *, first: bool, rooted: bool) -> bool:
    """Tell whether a step may stand here: names need a dot between them, brackets do not."""
    if token["name"] in _RESERVED:
        return False
    dotted = token["dot"] is not None
    if first and not rooted:
        return not dotted
    return dotted or not (token["name"] or token["quoted"])


def _step(token: re.Match[str]) -> _Step:
    if token["all"]:
        return None
    if token["index"]:
        return int(token["index"])
    quoted = token["in"] or token["quoted"]
    return quoted[1:-1] if quoted else token["name"]


def _children(parent: Any, step: _Step) -> Iterable[Any]:
    if isinstance(parent, Mapping):
        members = cast("Mapping[str, Any]", parent)
        if step is None:
            return members.values()
        return (members[step],) if isinstance(step, str) and step in members else ()
    if is_list(parent):
        if step is None:
            return parent
        return (parent[step],) if isinstance(step, int) and step < len(parent) else ()
    return ()
