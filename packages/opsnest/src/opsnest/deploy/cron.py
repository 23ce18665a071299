"""A line for a crontab."""

from __future__ import annotations

import shlex
from typing import Final

from opsnest.deploy.jobs import Deployment, Job
from opsnest.errors import ConfigurationError

__all__ = ["BUSY", "cron"]

#: The exit code when the load before is still running (EX_TEMPFAIL).
BUSY: Final = 75
#: Characters that cron takes in a command; what is longer is cut off or refused.
_LONGEST: Final = 990


def cron(job: Job) -> Deployment:
    """Return the crontab line of a job, with what it says about itself.

    Raises:
        ConfigurationError: it is longer than cron allows.
    """
    command = _command(job)
    # cron ends a command at the first percent sign, even within quotes
    escaped = command.replace("%", r"\%")
    if len(escaped) > _LONGEST:
        message = (
            f"the command has {len(escaped)} characters, and cron takes no more than {_LONGEST}.\n"
            "  Use a folder with a shorter path, fewer --resource, or `opsnest deploy systemd`."
        )
        raise ConfigurationError(message)
    log = job.folder / ".dlt" / f"{job.name}.log"
    about = [
        f"{job.title}. Times are those of the machine.",
        f"settings come from {job.folder}/.dlt/secrets.toml: cron has none of your shell's.",
        f"what is printed, cron mails (MAILTO): a load that failed. The log is {log}.",
        f"it ends with {BUSY} if the load before still runs, 124 after {job.timeout_minutes} min.",
    ]
    lines = [*(f"# {job.name}: {line}" for line in about), f"{job.schedule.cron()} {escaped}"]
    path = job.folder / ".dlt" / f"{job.name}.cron"
    replace = (
        f"( crontab -l 2>/dev/null | grep -vF '{job.name}: '; cat {shlex.quote(str(path))} ) "
        "| crontab -"
    )
    steps = (f"activate it, or replace it in your crontab:  {replace}",)
    return Deployment({path: "\n".join([*lines, ""])}, steps, _warnings(job))


def _command(job: Job) -> str:
    quoted = shlex.quote
    log = quoted(f".dlt/{job.name}.log")
    keep = f"DLT_DATA_DIR={quoted(job.data_dir)} " if job.data_dir else ""
    # `timeout` in front of a group would send the signal twice, and dlt gives up at the second
    limit = f"timeout --foreground -s INT -k 5m {job.timeout_minutes}m"
    return (
        f"cd {quoted(str(job.folder))} && umask 077 && mkdir -p .dlt {quoted(str(job.pipelines))} "
        f"&& {keep}flock -n -E {BUSY} {quoted(str(job.lock))} {limit} {shlex.join(job.command())} "
        f">> {log} 2>&1 "
        f'|| {{ code=$?; echo "{job.name}: ended with $code, see {log} in "'
        f'{quoted(str(job.folder))} >&2; exit "$code"; }}'
    )


def _warnings(job: Job) -> tuple[str, ...]:
    if (job.folder / ".dlt" / "secrets.toml").exists():
        return ()
    warning = (
        f"there is no {job.folder}/.dlt/secrets.toml, and cron has none of the variables of your "
        "shell: put the secrets there, readable by you alone (chmod 600)."
    )
    return (warning,)
