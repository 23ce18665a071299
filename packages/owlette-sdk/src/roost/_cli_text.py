"""What the command line says: a line of progress, results, errors with what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from roost._errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RoostApiError,
    RoostTransportError,
    VersionStaleError,
)
from roost._hooks import redacted
from roost._push.rules import shown
from roost.resources._push_types import (
    DiscoverProgress,
    HashProgress,
    PullProgress,
    PushProgressCheckMissing,
    PushProgressEvent,
    PushProgressUpload,
)

__all__ = ["Line", "error_text", "result_text"]

#: Seconds between two texts of the line of progress.
_PACE_S = 0.1
_WIDTH = 79

_HINTS: Mapping[type[Exception], str] = {
    AuthenticationError: "is OWLETTE_TOKEN the key that was made, and has it not expired?",
    PermissionDeniedError: "make a key with this scope, or ask who manages the site",
    NotFoundError: "is the id right, and may this key see the site?",
    VersionStaleError: "somebody else has published: look at it, and push again",
    RoostTransportError: "is the API there, and the network?",
}


class Line:
    """A line that is written over again and again, where somebody is looking.

    Args:
        stream: where to.
        is_shown: whether at all.
    """

    def __init__(self, stream: TextIO, *, is_shown: bool) -> None:
        self._stream = stream
        self._is_shown = is_shown
        self._next_at = 0.0
        self._width = 0

    def show(self, event: PushProgressEvent | PullProgress) -> None:
        """Show an event, unless another one was shown just now."""
        now = time.monotonic()
        if self._is_shown and now >= self._next_at:
            self._next_at = now + _PACE_S
            self.write(_event_text(event))

    def write(self, text: str) -> None:
        """Show a text in the place of the last one."""
        if self._is_shown:
            text = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
            print(f"\r{text:<{self._width}}", end="", file=self._stream, flush=True)
            self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=self._stream, flush=True)
            self._width = 0


def _event_text(event: PushProgressEvent | PullProgress) -> str:
    if isinstance(event, DiscoverProgress):
        return f"{event.file_count} files, {size(event.total_bytes)}"
    if isinstance(event, HashProgress):
        done = f"{event.files_done}/{event.files_total} files"
        return f"reading {done}, {size(event.bytes_done)}: {shown(event.file)}"
    if isinstance(event, PushProgressCheckMissing):
        return f"{event.missing} of {event.total} chunks are missing"
    if isinstance(event, PushProgressUpload):
        return f"uploading {event.uploaded}/{event.total} chunks"
    if isinstance(event, PullProgress):
        done = f"{event.files_done}/{event.files_total} files"
        return f"writing {done}, {size(event.bytes_done)}: {shown(event.file)}"
    return f"publishing, attempt {event.attempt + 1}"


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def error_text(error: Exception) -> str:
    """Return what went wrong, where, and what to do next."""
    said = redacted(str(error))
    if isinstance(error, RoostApiError):
        where = f"{error.method} {error.url}: " if error.method else ""
        named = [
            f"HTTP {error.status}",
            error.code,
            error.request_id and f"request {error.request_id}",
        ]
        said = f"{where}{said} ({', '.join(each for each in named if each)})"
    elif isinstance(error, OSError) and error.filename is not None:
        said = f"{shown(str(error.filename))}: {error.strerror}"
    hint = next((text for kind, text in _HINTS.items() if isinstance(error, kind)), None)
    return f"{said}\n{hint}" if hint else said


def result_text(command: str, result: Mapping[str, Any]) -> str:
    """Return a result as people read it."""
    texts: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "push": _push_text,
        "plan": _plan_text,
        "pull": _pull_text,
        "verify": _verify_text,
        "deploy": _deploy_text,
        "rollback": _rollback_text,
        "status": _status_text,
        "whoami": _whoami_text,
    }
    return texts[command](result)


def _push_text(result: Mapping[str, Any]) -> str:
    stats = result["stats"]
    return (
        f"version {result['version_number']} of {stats['file_count']} files,"
        f" {size(stats['total_bytes'])}, is current: {result['version_id']}\n"
        f"{stats['uploaded_chunks']} of {stats['unique_chunks']} chunks were uploaded"
    )


def _plan_text(result: Mapping[str, Any]) -> str:
    stats = result["stats"]
    files = f"{stats['file_count']} files, {size(stats['total_bytes'])}"
    if result["is_current"]:
        return f"{files}: this is the current version already, {result['version_id']}"
    chunks = f"{stats['uploaded_chunks']} of {stats['unique_chunks']} chunks"
    uploaded, calls = size(result["upload_bytes"]), result["calls"]
    lines = [
        f"{files}: a push would publish {result['version_id']}",
        f"{chunks} would be uploaded, {uploaded}, with {calls} calls of the API",
        *(f"  {path}" for path in result["new"]),
        *(f"  left out: {path}: {why}" for path, why in result["skipped"].items()),
    ]
    return "\n".join(lines)


def _pull_text(result: Mapping[str, Any]) -> str:
    return (
        f"version {result['version_number']}: {len(result['written'])} files written,"
        f" {result['unchanged']} were as they had to be;"
        f" {result['fetched_chunks']} chunks, {size(result['fetched_bytes'])}, were fetched"
    )


def _verify_text(result: Mapping[str, Any]) -> str:
    verdict = "is" if result["is_equal"] else "is not"
    lines = [f"the folder {verdict} version {result['version_number']}, {result['version_id']}"]
    for kind in ("missing", "changed", "extra"):
        lines += [f"  {kind}: {path}" for path in result[kind]]
    return "\n".join(lines)


def _deploy_text(result: Mapping[str, Any]) -> str:
    state = "would begin" if result.get("dryRun") else f"is in stage {result.get('stage')}"
    again = " (it was under way)" if result.get("alreadyRunning") else ""
    first: list[str] = result.get("canary") or []
    rest: list[str] = result.get("fleet") or []
    return (
        f"the rollout of {result.get('versionId')} {state}{again}:"
        f" {len(first)} machines first, {len(rest)} after them"
    )


def _rollback_text(result: Mapping[str, Any]) -> str:
    number = result.get("currentVersionNumber")
    return f"version {number} is current: {result.get('currentVersionId')}"


def _status_text(result: Mapping[str, Any]) -> str:
    current: dict[str, Any] = result.get("currentVersion") or {}
    rollout: dict[str, Any] = result.get("latestRollout") or {}
    lines = [f"{result.get('name') or result.get('roostId')} ({result.get('roostId')})"]
    if result.get("deletedAt"):
        lines.append(f"removed at {result['deletedAt']}")
    if current:
        number, created = current.get("versionNumber"), current.get("createdAt")
        lines.append(f"version {number} of {created}: {current.get('versionId')}")
    else:
        lines.append("nothing has been published")
    if rollout:
        lines.append(f"latest rollout: {rollout.get('stage')}, of {rollout.get('versionId')}")
    return "\n".join(lines)


def _whoami_text(result: Mapping[str, Any]) -> str:
    key: dict[str, Any] = result.get("key") or {}
    scopes: list[dict[str, Any]] = key.get("scopes") or []
    who = result.get("email") or result.get("userId")
    lines = [f"{who}, role {result.get('role')}, site {result.get('primarySiteId')}"]
    if key:
        lines.append(f"key {key.get('keyPrefix')}… {key.get('name')} ({key.get('environment')})")
    for scope in scopes:
        permissions: list[str] = scope.get("permissions") or []
        lines.append(f"  {scope.get('resource')} {scope.get('id')}: {', '.join(permissions)}")
    return "\n".join(lines)
