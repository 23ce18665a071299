"""Errors of an API as they are written down, for a replay to come to the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from opsnest.errors import AccessError, AnswerError, ReplayError, SourceError

__all__ = ["error_told", "is_refusal", "told"]

_KINDS: Final[Mapping[str, type[SourceError]]] = {
    kind.__name__: kind for kind in (AccessError, AnswerError, SourceError)
}


def is_refusal(status: int | None) -> bool:
    """Tell whether a status says that the same request would be refused again just so."""
    return status is not None and 400 <= status < 500 and status != 429


def told(error: SourceError) -> dict[str, Any]:
    """Return what to write down of an error, without what the API itself said."""
    known_kind = type(error).__name__ in _KINDS
    kind = type(error).__name__ if known_kind else SourceError.__name__
    known = {field.name: getattr(error, field.name) for field in fields(error)}
    return {"error": kind, **known, "message": None}


def error_told(more: Mapping[str, Any]) -> SourceError:
    """Return the error that was written down.

    Raises:
        ReplayError: none was.
    """
    kind = more.get("error")
    status = more.get("status")
    known = {name: value for name, value in more.items() if name not in {"error", "status"}}
    names = {field.name for field in fields(SourceError)} - {"status"}
    if (
        not (isinstance(kind, str) and kind in _KINDS and set(known) == names)
        or not (status is None or isinstance(status, int))
        or not all(isinstance(each, str | None) for each in known.values())
    ):
        message = "an error in the page journal is none of ours.\n  Load it again: opsnest load."
        raise ReplayError(message)
    return _KINDS[kind](**known, status=status)
