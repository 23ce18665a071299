"""What one load has read so far, and what an earlier one that was cut off has left of it."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict, deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest import clock
from opsnest.errors import AnswerError
from opsnest.journal.file import Record, RecordFile
from restarrow.types import Request

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["Journal", "began", "journal_of", "journaling"]

log = logging.getLogger("opsnest")

#: Pages that are older are asked for again: cursors end, and rows change.
_OLDEST: Final = timedelta(hours=12)
#: Bytes on disk, beyond which pages are not kept.
_LARGEST: Final = 4 * 2**30
_NAME: Final = "opsnest_pages.journal"

#: The journals that are open, by the name of the source.
_open: Final[dict[str, Journal]] = {}


class Journal:
    """The pages of one load.

    A request may be made several times in one load, for several answers: each answer that was kept
    is given out once, in the order in which they came.

    Args:
        path: the file.
        start: what has to be the same for the pages to be of use: from where the lists are read.

    Attributes:
        began: when the load began whose pages these are.
        taken: the pages that were given out.
    """

    def __init__(self, path: Path, start: str) -> None:
        self.began = clock.now()
        self.taken = 0
        self._start = start
        self._pages: dict[str, deque[Record]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._file = RecordFile(path)
        self._full = False
        if not self._read_on():
            self._begin()

    def _read_on(self) -> bool:
        """Take up what an earlier run has left; tell whether it is of use."""
        records = self._file.records()
        head = next(records, None)
        if head is None or head.about.get("start") != self._start:
            return False
        began = datetime.fromisoformat(head.about["began"])
        if not timedelta() <= self.began - began <= _OLDEST:
            return False
        for record in records:
            self._pages[record.about["of"]].append(record)
        self.began = began
        return True

    def _begin(self) -> None:
        self._file.close()
        self._file.path.unlink(missing_ok=True)
        self._file = RecordFile(self._file.path)
        self._pages.clear()
        about = {"start": self._start, "began": self.began.isoformat()}
        self._append(about)

    @property
    def left(self) -> int:
        """The pages that are there and were not given out yet."""
        return sum(len(pages) for pages in self._pages.values())

    def take(self, account: str, resource: str, request: Request) -> bytes | None:
        """Return the next answer to a request that an earlier run has kept, if there is one."""
        with self._lock:
            kept = self._pages.get(_identity(account, resource, request))
            if not kept:
                return None
            record = kept.popleft()
            self.taken += 1
        return self._file.body(record)

    def keep(self, account: str, resource: str, request: Request, body: bytes) -> None:
        """Keep an answer. Where the disk is full, the load goes on without."""
        self._append({"of": _identity(account, resource, request)}, body)

    def _append(self, about: dict[str, Any], body: bytes = b"") -> None:
        if self._full or self._file.closed:  # an answer may come when nobody waits for it any more
            return
        try:
            self._file.append(about, body)
        except OSError as error:
            self._stop(f"it cannot be written: {error.strerror or error}")
        else:
            if self._file.size > _LARGEST:
                self._stop(f"it has reached {_LARGEST / 2**30:.0f} GiB")

    def _stop(self, why: str) -> None:
        self._full = True
        log.warning(
            "The page journal ends here, as %s.\n"
            "  The load goes on; if it is cut off, later pages are asked for again.",
            why,
        )

    def close(self) -> None:
        """Leave the pages for the next run."""
        self._file.close()

    def remove(self) -> None:
        """Remove the pages."""
        self._file.close()
        self._file.path.unlink(missing_ok=True)


def _identity(account: str, resource: str, request: Request) -> str:
    """Return what a request has in common with itself in another run, and with no other."""
    asked = [
        account,
        resource,
        request.method,
        request.path,
        sorted((name, str(value)) for name, value in request.params.items()),
        request.json,
    ]
    words = json.dumps(asked, sort_keys=True, default=str).encode()
    return blake2b(words, digest_size=16).hexdigest()


@contextmanager
def journaling(pipeline: Pipeline, source: str) -> Generator[None]:
    """Keep the pages that a source reads for a pipeline until the block ends.

    A block that fails leaves them for the next run, unless a request that followed from them was
    refused: then what they say may not hold any more.
    """
    path = Path(pipeline.working_dir) / _NAME
    try:
        journal = Journal(path, _start_of(pipeline.state, source))
    except OSError as error:
        log.warning("There is no page journal, as it cannot be written: %s", error)
        yield
        return
    if journal.left:
        log.warning(
            "%s: an earlier run was cut off; %d pages are taken from its journal of %s.",
            source,
            journal.left,
            journal.began.isoformat(timespec="seconds"),
        )
    _open[source] = journal
    try:
        yield
        journal.remove()
    except BaseException as fault:
        if journal.taken and _is_refused(fault):
            journal.remove()
        raise
    finally:
        del _open[source]
        journal.close()


def journal_of(source: str) -> Journal | None:
    """Return the journal of a source that is being loaded, if it has one."""
    return _open.get(source)


def began(source: str) -> datetime | None:
    """Return when the reading of a source began that is being loaded, also by an earlier run."""
    journal = _open.get(source)
    return journal.began if journal else None


def _start_of(state: Mapping[str, Any], source: str) -> str:
    """Return a digest of how far the lists of a source were read, and of what reads them."""
    sources: Mapping[str, Any] = state.get("sources", {})
    start = [version("opsnest"), source, sources.get(source, {})]
    words = json.dumps(start, sort_keys=True, default=str)
    return blake2b(words.encode(), digest_size=16).hexdigest()


def _is_refused(fault: BaseException | None) -> bool:
    while fault is not None:
        if type(fault) is AnswerError:
            return fault.status is None or fault.status < 500
        fault = fault.__cause__ or fault.__context__
    return False
