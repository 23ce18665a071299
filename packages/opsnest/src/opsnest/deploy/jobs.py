"""What is to be run, and when: the same for cron, systemd and GitHub Actions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from opsnest.durations import duration
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS

__all__ = ["Deployment", "Job", "Schedule", "planned", "safe_path", "schedule"]

#: The intervals that divide an hour or a day, in minutes: others would come at uneven times.
_INTERVALS: Final = (5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
_NIGHT: Final = (3, 4, 5)
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Schedule:
    """At which minutes of which hours something runs, every day.

    Attributes:
        minutes: minutes of an hour.
        hours: hours of a day; all of them without any.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...] = ()

    def cron(self) -> str:
        """Return the five fields of a crontab."""
        return f"{_listed(self.minutes)} {_listed(self.hours) or '*'} * * *"

    def calendar(self) -> str:
        """Return the event in systemd's words."""
        hours = ",".join(f"{hour:02}" for hour in self.hours) or "*"
        return f"*-*-* {hours}:{','.join(f'{minute:02}' for minute in self.minutes)}:00"


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def schedule(every: str, name: str) -> Schedule:
    """Return when to run something, at minutes that are its own.

    If everything ran at the full hour, APIs and runners would be busy then and idle later. So the
    minute comes from the name: always the same, and another for each.

    Raises:
        ConfigurationError: the interval is none that divides an hour or a day.
    """
    length = duration(every, "--every")
    minutes = int(length.total_seconds() // 60)
    if minutes not in _INTERVALS or length % timedelta(minutes=1):
        message = (
            f"--every {every!r} does not divide an hour or a day evenly, or is too often.\n"
            "  Known: 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d."
        )
        raise ConfigurationError(message)
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    within = min(minutes, 60)
    first = 1 + number % (within - 1)
    if minutes <= 60:
        return Schedule(tuple(range(first, 60, within)))
    if minutes == 1440:
        return Schedule((first,), (_NIGHT[number // 60 % len(_NIGHT)],))
    step = minutes // 60
    return Schedule((first,), tuple(range(number // 60 % step, 24, step)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A load that is to be repeated.

    Attributes:
        platform: the platform, by its name on the command line.
        to: the destination.
        resources: the resources to load; without any those of the source.
        options: further options of `opsnest load`.
        every: the interval as it was given.
        schedule: when it runs.
        timeout: how long it may take.
        folder: where it runs: its settings are in `.dlt` there.
        python: the interpreter that has Opsnest.
        pipelines: the folder of dlt's records.
        data_dir: what DLT_DATA_DIR is set to, if anything.
    """

    platform: str
    to: str
    resources: tuple[str, ...]
    options: tuple[str, ...]
    every: str
    schedule: Schedule
    timeout: timedelta
    folder: Path
    python: str
    pipelines: Path
    data_dir: str | None = None

    @property
    def name(self) -> str:
        """What files and units are called."""
        return _name(self.platform, self.resources)

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        what = f" ({', '.join(self.resources)})" if self.resources else ""
        return f"load {self.platform}{what} into {self.to} every {self.every}"

    @property
    def lock(self) -> Path:
        """The file that whoever runs the pipeline holds: two at once would load rows twice."""
        return self.pipelines / f"{PLATFORMS[self.platform][1]}.lock"

    @property
    def timeout_minutes(self) -> int:
        """The whole minutes that it may take."""
        return max(1, int(self.timeout.total_seconds() // 60))

    def command(self, python: str | None = None) -> tuple[str, ...]:
        """Return the command, word by word."""
        chosen = [word for name in self.resources for word in ("--resource", name)]
        load = ("-m", "opsnest", "load", self.platform, "--to", self.to)
        return (python or self.python, *load, *chosen, *self.options)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is to be written for a job.

    Attributes:
        files: their texts, by path.
        steps: what to do next to have it run.
        warnings: what will not go as one may think.
    """

    files: dict[Path, str]
    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def _name(platform: str, resources: tuple[str, ...]) -> str:
    words = [word.replace("_", "-") for word in (platform, *sorted(resources))]
    name = f"opsnest-{'-'.join(words)}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"opsnest-{platform}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def planned(  # noqa: PLR0913 - each is an option, and all are given by name
    platform: str,
    *,
    to: str,
    resources: tuple[str, ...],
    options: tuple[str, ...],
    every: str,
    timeout: str,
    folder: Path,
    python: str,
    pipelines: Path,
    data_dir: str | None,
) -> Job:
    """Return the job that these options of the command line mean.

    Raises:
        ConfigurationError: an option makes no sense, or a path cannot be written down safely.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        message = f"{folder} is no folder.\n  Give the one that has .dlt/secrets.toml."
        raise ConfigurationError(message)
    paths = (str(folder), python, str(pipelines), data_dir or "")
    for text in (*paths, *options):
        safe_path(text)
    return Job(
        platform=platform,
        to=to,
        resources=resources,
        options=options,
        every=every,
        schedule=schedule(every, _name(platform, resources)),
        timeout=duration(timeout, "--timeout"),
        folder=folder,
        python=python,
        pipelines=pipelines.absolute(),
        data_dir=data_dir,
    )


def safe_path(text: str) -> str:
    """Return a text that can be quoted for every program here: on one line, without a backslash.

    Raises:
        ConfigurationError: it cannot.
    """
    if "\\" in text or not text.isprintable():
        message = (
            f"{text!r} has a backslash, a line break or another control character.\n"
            "  Programs differ in what they read there: use another path or option."
        )
        raise ConfigurationError(message)
    return text
