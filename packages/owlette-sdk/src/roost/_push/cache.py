"""What files were hashed to, kept from push to push, so that what has not changed is not read.

How it works. A file is taken for what it was if its size, its times and its inode are what they
were. That cannot be told of a file that had changed just before it was hashed: it may have changed
once more within the same tick of the clock, with all of those as they were. Such files are not
kept (git calls them racily clean). All of this only saves time: a cache that is damaged, locked or
not writable is done without.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

from roost._constants import CHUNK_SIZE_BYTES
from roost._push.walk import LocalFile, Stamp

__all__ = ["HashCache", "default_path"]

log: logging.Logger = logging.getLogger("roost")

#: Nanoseconds before hashing within which a change makes a file too young to be kept: the coarsest
#: clock of a common file system (FAT) ticks every two seconds.
GRAIN_NS = 2_000_000_000
#: Seconds after which what is known of a folder that nobody pushes any more is forgotten.
_FORGOTTEN_S = 90 * 86_400
#: Seconds to wait for another push that writes.
_PATIENCE_S = 5.0
_DIGEST_BYTES = 32
_SCHEMA = """
CREATE TABLE IF NOT EXISTS folders (
    root TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    root TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
    ctime INTEGER NOT NULL, inode TEXT NOT NULL, device TEXT NOT NULL, digests BLOB NOT NULL,
    PRIMARY KEY (root, path)) WITHOUT ROWID;
"""


def default_path() -> Path:
    """Return the file in the user's cache folder, as the platform has it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        told = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(told) if told.startswith("/") else Path.home() / ".cache"
    return base / "owlette-sdk" / f"hashes-{CHUNK_SIZE_BYTES}-v1.sqlite"


def _sqlite3() -> ModuleType | None:
    """Return the module; None in builds of Python that have it not."""
    try:
        return import_module("sqlite3")
    except ImportError:
        return None


class HashCache:
    """The hashes of the files of one folder. Its methods are called from one thread at a time.

    Args:
        path: the file that it is kept in.
        root: the folder.
    """

    def __init__(self, path: Path, root: str) -> None:
        self._path = path
        self._root = root
        self._known: dict[str, tuple[Stamp, bytes]] = {}
        self._is_saved = True

    def load(self) -> None:
        """Read what is known of the folder; nothing, if that is damaged."""
        if (sqlite3 := _sqlite3()) is None:
            return
        try:
            if not self._path.exists():
                return
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as database:
                rows = database.execute(
                    "SELECT path, size, mtime, ctime, inode, device, digests"
                    " FROM files WHERE root = ?",
                    (self._root,),
                )
                for path, size, mtime, ctime, inode, device, digests in rows:
                    stamp = Stamp(size, mtime, ctime, int(inode), int(device))
                    if len(digests) == _DIGEST_BYTES * -(-size // CHUNK_SIZE_BYTES):
                        self._known[path] = stamp, digests
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            self._known.clear()
            log.warning("the cache of hashes is not used: %s: %s", self._path, error)
            if isinstance(error, sqlite3.DatabaseError) and "locked" not in str(error):
                with suppress(OSError):
                    self._path.unlink()

    def get(self, file: LocalFile) -> list[str] | None:
        """Return the hashes of a file's chunks; None if it may have changed."""
        known = self._known.get(file.path)
        if known is None or known[0] != file.stamp:
            return None
        digests = known[1].hex()
        size = 2 * _DIGEST_BYTES
        return [digests[at : at + size] for at in range(0, len(digests), size)]

    def put(self, file: LocalFile, digests: Iterable[str], hashed_from_ns: int) -> None:
        """Take note of a file that was hashed.

        Args:
            file: the file.
            digests: the hashes of its chunks.
            hashed_from_ns: when reading it began, in nanoseconds since 1970.
        """
        if max(file.stamp.mtime_ns, file.stamp.ctime_ns) < hashed_from_ns - GRAIN_NS:
            self._known[file.path] = file.stamp, bytes.fromhex("".join(digests))
            self._is_saved = False
        elif self._known.pop(file.path, None) is not None:
            self._is_saved = False

    def save(self, paths: Iterable[str]) -> None:
        """Write down what is known of the files that there are; of others, forget it."""
        sqlite3 = _sqlite3()
        if self._is_saved or sqlite3 is None:
            return
        rows = [
            (self._root, path, *stamp[:3], str(stamp.inode), str(stamp.device), digests)
            for path in paths
            if (found := self._known.get(path)) is not None
            for stamp, digests in [found]
        ]
        now = int(time.time())
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as database, database:
                database.executescript(_SCHEMA)
                stale = "SELECT root FROM folders WHERE used < ?"
                database.execute(
                    f"DELETE FROM files WHERE root = ? OR root IN ({stale})",  # noqa: S608
                    (self._root, now - _FORGOTTEN_S),
                )
                database.execute("DELETE FROM folders WHERE used < ?", (now - _FORGOTTEN_S,))
                database.execute("REPLACE INTO folders VALUES (?, ?)", (self._root, now))
                database.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._is_saved = True
        except (sqlite3.Error, OSError, UnicodeEncodeError) as error:
            log.warning("the cache of hashes is not written: %s: %s", self._path, error)
