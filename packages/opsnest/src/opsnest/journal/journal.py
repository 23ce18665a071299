"""What one load has read so far, and what an earlier one that was cut off has left of it."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict, deque
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from opsnest import clock
from opsnest.errors import AnswerError
from opsnest.journal.file import Record, RecordFile
from opsnest.json_values import is_list, is_object
from restarrow.types import Request

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = [
    "Head",
    "Journal",
    "Kept",
    "began",
    "journal_of",
    "journaling",
    "moment_of",
    "opened",
    "path_of",
]

log = logging.getLogger("opsnest")

#: Pages that are older are asked for again: cursors end, and rows change.
_OLDEST: Final = timedelta(hours=12)
#: Bytes on disk, beyond which pages are not kept.
_LARGEST: Final = 4 * 2**30
_NAME: Final = "opsnest_pages.journal"

#: What is open, by the name of the source.
_open: Final[dict[str, Pages]] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept.

    Attributes:
        body: its body.
        more: what else is known of it, if it is none that a load goes on with.
    """

    body: bytes
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Pages(Protocol):
    """What answers are taken from, and kept in."""

    #: When the load began whose pages these are.
    began: datetime
    #: Whether all answers come from here, and nobody is asked.
    replays: bool

    def take(self, account: str, resource: str, request: Request) -> Kept | None:
        """Return the next answer to a request that was kept, if there is one."""
        ...

    def keep(
        self,
        account: str,
        resource: str,
        request: Request,
        body: bytes,
        for_replay: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """What a journal begins with: of which load its pages are.

    Attributes:
        source: the name of the source.
        resources: the resources that are read.
        state: how far they were read before, as dlt keeps it.
        version: the version of Opsnest.
    """

    source: str
    resources: tuple[str, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    version: str = version("opsnest")

    @classmethod
    def read(cls, about: Mapping[str, Any], state: bytes) -> Head | None:
        """Return the head that a record is; None if it is none."""
        source, names, made_by = about.get("source"), about.get("resources"), about.get("version")
        try:
            known: object = json.loads(state)
        except (ValueError, RecursionError):
            return None
        if not (isinstance(source, str) and isinstance(made_by, str) and is_list(names)):
            return None
        if not (is_object(known) and all(isinstance(name, str) for name in names)):
            return None
        return cls(source, tuple(names), known, made_by)

    @property
    def start(self) -> str:
        """What has to be the same for the pages of an earlier run to be of use."""
        words = json.dumps([self.version, self.source, self.state], sort_keys=True, default=str)
        return blake2b(words.encode(), digest_size=16).hexdigest()


class Journal:
    """The pages of one load.

    A request may be made several times in one load, for several answers: each answer that was kept
    is given out once, in the order in which they came.

    Args:
        path: the file.
        head: of which load the pages are; those of another one are thrown away.

    Attributes:
        began: when the load began whose pages these are.
        taken: the pages that were given out.
    """

    replays = False

    def __init__(self, path: Path, head: Head) -> None:
        self.began = clock.now()
        self.taken = 0
        self._head = head
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
        if head is None or head.about.get("start") != self._head.start:
            return False
        began = moment_of(head.about.get("began"))
        if began is None or not timedelta() <= self.began - began <= _OLDEST:
            return False
        for record in records:
            if "read" in record.about:  # to the end: what is to be loaded now is new
                return False
            by, of = record.about.get("by"), record.about.get("of")
            if "more" not in record.about and isinstance(by, str) and isinstance(of, str):
                self._pages[f"{by}/{of}"].append(record)
        self.began = began
        return True

    def _begin(self) -> None:
        self._file.close()
        self._file.path.unlink(missing_ok=True)
        self._file = RecordFile(self._file.path)
        self._pages.clear()
        about = {
            "start": self._head.start,
            "began": self.began.isoformat(),
            "version": self._head.version,
            "source": self._head.source,
            "resources": self._head.resources,
        }
        self._append(about, json.dumps(self._head.state, default=str).encode())

    @property
    def left(self) -> int:
        """The pages that are there and were not given out yet."""
        return sum(len(pages) for pages in self._pages.values())

    def take(self, account: str, resource: str, request: Request) -> Kept | None:
        """Return the next answer to a request that an earlier run has kept, if there is one."""
        with self._lock:
            kept = self._pages.get(f"{account}/{identity(resource, request)}")
            if not kept:
                return None
            record = kept.popleft()
            try:
                body = self._file.body(record)
            except OSError:
                return None  # it is asked for again
            self.taken += 1
        return Kept(body)

    def keep(
        self,
        account: str,
        resource: str,
        request: Request,
        body: bytes,
        for_replay: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an answer. Where the disk is full, the load goes on without.

        Args:
            account: whose answer it is.
            resource: the resource that was asked for.
            request: what was asked.
            body: the answer.
            for_replay: what else is known of an answer that is of use to a replay only, as a load
                that goes on has to ask again.
        """
        about: dict[str, Any] = {"by": account, "of": identity(resource, request)}
        if for_replay is not None:
            about["more"] = for_replay
        self._append(about, body)

    def end(self) -> None:
        """Say that all has been read: the pages are for a replay from now on."""
        self._append({"read": clock.now().isoformat()})

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
        with self._lock:  # pages come from several threads
            stopped, self._full = self._full, True
        if stopped:
            return
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


def moment_of(text: object) -> datetime | None:
    """Return a moment that was written down; None if it is none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def identity(resource: str, request: Request) -> str:
    """Return what a request has in common with itself in another run, and with no other."""
    asked = [
        resource,
        request.method,
        request.path,
        sorted((name, str(value)) for name, value in request.params.items()),
        request.json,
    ]
    words = json.dumps(asked, sort_keys=True, default=str).encode()
    return blake2b(words, digest_size=16).hexdigest()


def path_of(pipeline: Pipeline) -> Path:
    """Return the file of the journal of a pipeline, which is there while it is of use."""
    return Path(pipeline.working_dir) / _NAME


def note_extracted(pipeline: Pipeline) -> None:
    """Say that the pages of an earlier run are in what it has extracted.

    It may have been cut off after dlt had put that aside, and before it could say so itself. The
    next load would take old pages for what there is now.
    """
    path = path_of(pipeline)
    if not path.exists():
        return
    try:
        with closing(RecordFile(path)) as file:
            if not any("read" in record.about for record in file.records()):
                file.append({"read": clock.now().isoformat()})
    except OSError:  # without a note, they must not be there
        path.unlink(missing_ok=True)


@contextmanager
def journaling(pipeline: Pipeline, source: str, resources: Iterable[str] = ()) -> Generator[None]:
    """Keep the pages that a source reads for a pipeline until the block ends.

    They stay until they are loaded. A block that fails leaves them for the next run, unless a
    request that followed from them was refused: then what they say may not hold any more.
    """
    state: Mapping[str, Any] = pipeline.state.get("sources", {})
    head = Head(source, tuple(resources), state.get(source, {}))
    try:
        journal = Journal(path_of(pipeline), head)
    except OSError as error:
        log.warning("There is no page journal, as it cannot be written: %s", error)
        yield
        return
    if journal.left:
        log.warning(
            "%s: an earlier run was cut off; %d pages are in its journal of %s, and not asked for "
            "again with the same key.",
            source,
            journal.left,
            journal.began.isoformat(timespec="seconds"),
        )
    try:
        with opened(source, journal):
            yield
        journal.end()
    except BaseException as fault:
        if journal.taken and _is_refused(fault):
            journal.remove()
        raise
    finally:
        journal.close()


@contextmanager
def opened(source: str, pages: Pages) -> Generator[None]:
    """Let a source take its answers from some pages until the block ends."""
    _open[source] = pages
    try:
        yield
    finally:
        del _open[source]


def journal_of(source: str) -> Pages | None:
    """Return the journal of a source that is being loaded, if it has one."""
    return _open.get(source)


def began(source: str) -> datetime | None:
    """Return when the reading of a source began that is being loaded, also by an earlier run."""
    journal = _open.get(source)
    return journal.began if journal else None


def _is_refused(fault: BaseException | None) -> bool:
    while fault is not None:
        if type(fault) is AnswerError:
            # what is no refusal, such as a page that a proxy sends with 200, says nothing of them
            return fault.status is None or 400 <= fault.status < 500
        fault = fault.__cause__ or fault.__context__
    return False
