"""The state of a simulated Owlette: documents by place and key, and the bytes of its storage.

Everything is in one SQLite database, in memory or in a file. What a transaction has done is there
after it, even if the process is killed, and nothing of it if it was killed before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from opssim.core.store import JsonObject, decode, encode

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    place TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (place, key)
);
CREATE INDEX IF NOT EXISTS by_place ON documents (place, number);
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL
);
"""


class Database:
    """Documents, each at a place such as `sites/site-1/roosts`, in the order of their making.

    All methods may be called from any thread; a transaction belongs to the thread that began it,
    and others wait.

    Args:
        file: where the state is kept; in memory without one.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            file or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # survives the process, not a power cut
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make all that is done within happen at once, or nothing of it if it raises."""
        with self._lock:
            if self._depth:
                yield  # part of the one around it
                return
            self._depth = 1
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth = 0

    def get(self, place: str, key: str) -> JsonObject | None:
        """Return a fresh copy of a document, or None."""
        with self._lock:
            found = self._db.execute(
                "SELECT body FROM documents WHERE place = ? AND key = ?", (place, key)
            ).fetchone()
        return decode(found[0]) if found else None

    def put(self, place: str, key: str, document: JsonObject) -> None:
        """Write a document; one that is there keeps its turn."""
        with self._lock:
            self._db.execute(
                "INSERT INTO documents (place, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (place, key) DO UPDATE SET body = excluded.body",
                (place, key, encode(document)),
            )

    def delete(self, place: str, key: str) -> bool:
        """Remove a document, and tell whether it was there."""
        with self._lock:
            done = self._db.execute(
                "DELETE FROM documents WHERE place = ? AND key = ?", (place, key)
            )
            return done.rowcount > 0

    def documents(self, place: str, *, newest_first: bool = False) -> list[JsonObject]:
        """Return all documents at a place, in the order of their making."""
        return [document for _, document in self.items(place, newest_first=newest_first)]

    def items(self, place: str, *, newest_first: bool = False) -> Iterator[tuple[str, JsonObject]]:
        """Yield the keys and documents at a place, in the order of their making."""
        newest = "SELECT key, body FROM documents WHERE place = ? ORDER BY number DESC"
        oldest = "SELECT key, body FROM documents WHERE place = ? ORDER BY number ASC"
        with self._lock:
            rows = self._db.execute(newest if newest_first else oldest, (place,)).fetchall()
        for key, body in rows:
            yield key, decode(body)

    def count(self, place: str) -> int:
        """Return how many documents are at a place, where `*` stands for any one part of it."""
        with self._lock:
            if "*" in place:
                depth = place.count("/")
                found = self._db.execute(
                    "SELECT COUNT(*) FROM documents WHERE place GLOB ? "
                    "AND length(place) - length(replace(place, '/', '')) = ?",
                    (place, depth),
                ).fetchone()
            else:
                found = self._db.execute(
                    "SELECT COUNT(*) FROM documents WHERE place = ?", (place,)
                ).fetchone()
        return int(found[0])

    # ---- objects: what the storage holds

    def put_object(self, key: str, body: bytes) -> None:
        """Write an object."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO objects (key, size, body) VALUES (?, ?, ?)",
                (key, len(body), body),
            )

    def object(self, key: str) -> bytes | None:
        """Return an object, or None."""
        with self._lock:
            found = self._db.execute("SELECT body FROM objects WHERE key = ?", (key,)).fetchone()
        return bytes(found[0]) if found else None

    def object_size(self, key: str) -> int | None:
        """Return how many bytes an object has; None without one."""
        with self._lock:
            found = self._db.execute("SELECT size FROM objects WHERE key = ?", (key,)).fetchone()
        return int(found[0]) if found else None

    def delete_object(self, key: str) -> bool:
        """Remove an object, and tell whether it was there."""
        with self._lock:
            return self._db.execute("DELETE FROM objects WHERE key = ?", (key,)).rowcount > 0

    def stored_bytes(self, prefix: str) -> int:
        """Return the bytes of all objects whose keys begin like this."""
        with self._lock:
            found = self._db.execute(
                "SELECT COALESCE(SUM(size), 0) FROM objects WHERE substr(key, 1, ?) = ?",
                (len(prefix), prefix),
            ).fetchone()
        return int(found[0])
