"""Pages of an earlier load, as the only ones that there are: nobody is asked for others."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsnest.errors import ReplayError
from opsnest.journal.file import Record, RecordFile
from opsnest.journal.journal import Head, Kept, identity, moment_of
from opsnest.json_values import is_object
from restarrow.types import Request

__all__ = ["Replay"]


class Replay:
    """The pages of a journal, given out to whoever asks for them.

    Args:
        path: the file, which is not changed.

    Attributes:
        began: when the load began whose pages these are.
        head: of which load they are.

    Raises:
        ReplayError: the file is not there, or no journal.
    """

    replays = True

    def __init__(self, path: Path) -> None:
        try:
            self._file = RecordFile(path, writable=False)
        except FileNotFoundError:
            message = (
                f"there is no page journal {path}.\n"
                "  A load leaves one until its rows are loaded; `opsnest load --keep-journal FILE` "
                "keeps it."
            )
            raise ReplayError(message) from None
        records = self._file.records()
        head = next(records, None)
        began = moment_of(head.about.get("began")) if head else None
        known = self._head(head) if head else None
        if began is None or known is None:
            self._file.close()
            message = f"{path} is no page journal.\n  Give the file that a load has kept."
            raise ReplayError(message)
        self.began = began
        self.head = known
        self._pages: dict[str, deque[Record]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._is_whole = False
        for record in records:
            self._is_whole = self._is_whole or "read" in record.about
            of = record.about.get("of")
            if isinstance(of, str) and is_object(record.about.get("more", {})):
                self._pages[of].append(record)

    def _head(self, record: Record) -> Head | None:
        try:
            return Head.read(record.about, self._file.body(record))
        except OSError:
            return None

    def take(self, account: str, resource: str, request: Request) -> Kept:
        """Return the next answer to a request, to whomever it was.

        Raises:
            ReplayError: none was kept.
        """
        del account
        with self._lock:
            kept = self._pages.get(identity(resource, request))
            record = kept.popleft() if kept else None
        if record is None:
            why = (
                "It was not kept (a text, or a secret that could not be masked), or this version "
                "or its settings ask for something else."
                if self._is_whole
                else "The load was cut off before it had read all."
            )
            message = (
                f"{self.head.source} / {resource}: the page journal has no answer to "
                f"{request.method} {request.path}\n  {why}\n"
                "  Load it from the API instead: opsnest load."
            )
            raise ReplayError(message)
        try:
            return Kept(self._file.body(record), record.about.get("more", {}))
        except OSError as error:
            message = (
                f"{self.head.source} / {resource}: the answer to {request.method} {request.path} "
                "in the page journal is damaged.\n  Load it from the API instead: opsnest load."
            )
            raise ReplayError(message) from error

    def keep(
        self,
        account: str,
        resource: str,
        request: Request,
        body: bytes,
        for_replay: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep nothing: all of it is there."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
