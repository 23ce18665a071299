"""What is to be thought of a pipeline: whether it is well, and what is wrong if it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from opsnest.durations import ago
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS
from opsnest.status.destinations import Place, look_at
from opsnest.status.records import Records, known_pipelines, read_records

__all__ = ["State", "Verdict", "judged", "verdicts"]

#: What a pipeline can be, the worst first.
State = Literal["failed", "pending", "unreachable", "never", "stale", "ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be thought of one pipeline.

    Attributes:
        records: what is known of it where it ran.
        place: what the destination says.
        fresh: up to when its tables are known to be like the platform: the last run that ended
            well, or the last load that the destination has.
        state: what it is; the worst if it is several things.
        problems: what is wrong, each a sentence.
        notes: what is good to know, and nothing to act on.
    """

    records: Records
    place: Place
    fresh: datetime | None
    state: State
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verdicts(
    folder: Path,
    names: Sequence[str],
    *,
    stale_after: timedelta,
    now: datetime,
    to: str | None = None,
) -> list[Verdict]:
    """Judge pipelines: those of some platforms, or all that have run here.

    Args:
        folder: the folder of dlt's records of all pipelines.
        names: platforms, or names of pipelines; without any all that are in the folder.
        stale_after: how old the last good run may be.
        now: the time.
        to: the destination of platforms that have not run here, but elsewhere.

    Raises:
        ConfigurationError: a name is neither a platform nor a pipeline that has run here.
    """
    there = known_pipelines(folder)
    for name in names:
        if name not in PLATFORMS and name not in there:
            known = ", ".join([*PLATFORMS, *there])
            message = f"{name!r} is no platform, and no pipeline of it ran here.\n  Known: {known}."
            raise ConfigurationError(message)
    wanted = [PLATFORMS[name][1] if name in PLATFORMS else name for name in names] or there
    found: list[Verdict] = []
    for name in dict.fromkeys(wanted):
        records = read_records(folder, name)
        here = name in there and (to is None or records.destination == to)
        if not here and to is not None:
            records = _elsewhere(name, to)
        # what was never loaded has no destination to ask
        place = look_at(folder, records, here=here) if records.destination else Place()
        found.append(judged(records, place, stale_after=stale_after, now=now))
    return found


def _elsewhere(name: str, to: str) -> Records:
    """Return where a platform's pipeline loads to that has not run here."""
    for source, pipeline, dataset in PLATFORMS.values():
        if pipeline == name:
            return Records(name=name, destination=to, dataset=dataset, schemas=(source,))
    return Records(name=name)


def judged(records: Records, place: Place, *, stale_after: timedelta, now: datetime) -> Verdict:
    """Judge one pipeline by what is known of it.

    Args:
        records: what is known of it where it ran.
        place: what the destination says.
        stale_after: how old the last good run may be.
        now: the time.
    """
    times = [each for each in (records.succeeded, place.loaded) if each is not None]
    fresh = max(times, default=None)
    problems: list[tuple[State, str]] = []
    notes: list[str] = []
    failure = records.failure
    # a load from another machine may have made up for it
    if failure is not None and (place.loaded is None or place.loaded < failure.at):
        when = ago(now - failure.at)
        problems.append(("failed", f"{failure.step} failed {when}: {failure.why}"))
    for each in records.failed_jobs:
        problems.append(("failed", f"the destination refused rows for good: {each}"))  # noqa: PERF401 - for its type
    if records.pending:
        _judge_pending(records, place, problems, notes, stale_after=stale_after, now=now)
    _judge_place(records, place, problems, notes)
    if fresh is None:
        if not place.problem or place.missing or place.locked:
            problems.append(("never", "nothing was ever loaded, as far as is known here"))
    elif now - fresh > stale_after:
        problems.append(("stale", f"the last good run was {ago(now - fresh)}"))
    problems.sort(key=lambda each: _ORDER.index(each[0]))
    return Verdict(
        records=records,
        place=place,
        fresh=fresh,
        state=problems[0][0] if problems else "ok",
        problems=tuple(text for _, text in problems),
        notes=tuple(notes),
    )


#: The states, the worst first.
_ORDER: Final[tuple[State, ...]] = ("failed", "pending", "unreachable", "never", "stale", "ok")


def _judge_place(
    records: Records, place: Place, problems: list[tuple[State, str]], notes: list[str]
) -> None:
    """Say what is wrong with the destination: nothing if another program has it just now."""
    has_run = records.succeeded is not None
    if place.locked and place.problem:
        notes.append(f"{place.problem}; a load may be running")
    elif place.missing and has_run:
        problems.append(("unreachable", f"nothing is at the destination: {place.problem}"))
    elif place.problem and not place.missing:
        problems.append(("unreachable", f"the destination cannot be asked: {place.problem}"))
    elif records.destination is None and has_run:
        lost = "nothing tells where it loads to: its state.json is broken; load it again"
        problems.append(("unreachable", lost))


def _judge_pending(
    records: Records,
    place: Place,
    problems: list[tuple[State, str]],
    notes: list[str],
    *,
    stale_after: timedelta,
    now: datetime,
) -> None:
    """Say what waits to be loaded: nothing to act on while a load is at it."""
    oldest = records.pending[0]
    count = len(records.pending)
    what = f"{count} load package{'s' * (count > 1)} pending, since {ago(now - oldest)}"
    if (records.running or place.locked) and now - oldest <= stale_after:
        notes.append(f"{what}: a load is running")
        return
    problems.append(("pending", f"{what}: a load is running, or was cut off; load it again"))
