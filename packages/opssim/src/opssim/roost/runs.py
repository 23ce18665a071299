"""Work that somebody asked for and that ends by itself, computed whenever somebody looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

#: The stages of a run, and the part of its time at which each begins.
_STAGES: Final = ((0.0, "in_queue"), (0.1, "installing_dependencies"), (0.3, "in_progress"))
#: The part of a run's time that it takes to abort it.
_ABORTING: Final = 0.1


@dataclass(slots=True)
class Run:
    """An event on its way to an end."""

    begun: datetime
    outcome: str
    aborted: datetime | None = None

    def state(self, now: datetime, seconds: float) -> tuple[str, datetime | None]:
        """Return the status at `now`, and when the run ended if it has."""
        if self.aborted is not None:
            ended = self.aborted + timedelta(seconds=_ABORTING * seconds)
            return ("aborted", ended) if now >= ended else ("aborting", None)
        ended = self.begun + timedelta(seconds=seconds)
        if now >= ended:
            return self.outcome, ended
        passed = (now - self.begun).total_seconds()
        return [status for part, status in _STAGES if passed >= part * seconds][-1], None


@dataclass(slots=True)
class Executions:
    """Generated test files that were executed against a URL: event and file path, and since when.

    Attributes:
        seconds: how long an execution takes.
    """

    seconds: float
    _begun: dict[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime])

    def begin(self, event_id: str, paths: list[str], now: datetime) -> None:
        """Execute files of an event."""
        for path in paths:
            self._begun[event_id, path] = now

    def abort(self, event_id: str) -> int:
        """Forget the executions of an event and return how many there were."""
        keys = [key for key in self._begun if key[0] == event_id]
        for key in keys:
            del self._begun[key]
        return len(keys)

    def status(self, event_id: str, path: str, now: datetime) -> str | None:
        """Return how an execution is doing, or None if nobody asked for it."""
        begun = self._begun.get((event_id, path))
        if begun is None:
            return None
        ended = now >= begun + timedelta(seconds=self.seconds)
        return "successfully_executed" if ended else "in_progress"
