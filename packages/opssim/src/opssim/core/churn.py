"""Data that changes while it is read: the state of the world between two pages of a list."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Churn:
    """Change a list at every `every`-th request for it, before the request is answered.

    Attributes:
        every: how many requests lie between two changes; 0 leaves the data alone.
        insert: rows added at each change.
        touch: rows updated at each change.
        times: changes after which each list is left alone, so that reading it can end.
        delete: rows removed at each change.
    """

    every: int = 0
    insert: int = 1
    touch: int = 0
    times: int = 3
    delete: int = 0
    _asked: Counter[str] = field(default_factory=Counter[str], repr=False)
    _done: Counter[str] = field(default_factory=Counter[str], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def before_list(
        self,
        table: str,
        insert: Callable[[str, int], None],
        touch: Callable[[str, int], None],
        delete: Callable[[str, int], None] | None = None,
    ) -> None:
        """Note a request for `table`, and change it if its turn has come."""
        with self._lock:
            self._asked[table] += 1
            due = self.every > 0 and self._asked[table] % self.every == 0
            if not due or self._done[table] >= self.times:
                return
            self._done[table] += 1
        if self.insert:
            insert(table, self.insert)
        if self.touch:
            touch(table, self.touch)
        if self.delete and delete is not None:
            delete(table, self.delete)
