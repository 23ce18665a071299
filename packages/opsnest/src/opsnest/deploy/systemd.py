"""A service and its timer, for systemd's user instance."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from opsnest.deploy.cron import BUSY
from opsnest.deploy.jobs import Deployment, Job
from opsnest.deploy.variables import Variable

__all__ = ["systemd"]


def systemd(job: Job, variables: Iterable[Variable]) -> Deployment:
    """Return the service and the timer of a job.

    Args:
        job: the job.
        variables: what may be in the file of the environment.
    """
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").absolute()
    units, secrets = config / "systemd" / "user", config / "opsnest" / f"{job.name}.env"
    service, timer = f"{job.name}.service", f"{job.name}.timer"
    steps = (
        f"put the secrets into {job.folder}/.dlt/secrets.toml (chmod 600), or",
        f"make a file for them:  install -D -m 600 /dev/null {shlex.quote(str(secrets))}",
        f"activate it:  systemctl --user daemon-reload && systemctl --user enable --now {timer}",
        "let it run while you are not logged in:  loginctl enable-linger",
        f"try it:  systemctl --user start {service}",
        f"read what it says:  journalctl --user -u {service}",
    )
    files = {units / service: _service(job, secrets, variables), units / timer: _timer(job)}
    return Deployment(files, steps)


def _service(job: Job, secrets: Path, variables: Iterable[Variable]) -> str:
    flock = shutil.which("flock") or "/usr/bin/flock"
    # with -F systemd's signal reaches the load itself
    words = [flock, "-n", "-E", str(BUSY), "-F", str(job.lock), *job.command()]
    # flock makes the file that it locks, and not the folder around it
    folder = [shutil.which("mkdir") or "/bin/mkdir", "-p", str(job.pipelines)]
    keep = [f"Environment={_quoted(f'DLT_DATA_DIR={job.data_dir}')}"] if job.data_dir else []
    names = ", ".join(variable.name for variable in variables)
    return "\n".join(
        [
            f"# {job.name}: {job.title}.",
            f"# It ends with {BUSY} if another load of this pipeline still runs; a load that fails",
            "# leaves the unit failed: see `systemctl --user --failed`, or add OnFailure= here.",
            "[Unit]",
            f"Description={_percents(job.title.capitalize())}",
            "",
            "[Service]",
            "Type=oneshot",
            f"WorkingDirectory={_percents(str(job.folder))}",
            "# Secrets are read from .dlt/secrets.toml there, or from this file, one NAME=value a",
            f"# line: {names}.",
            "# Keep it readable by you alone: chmod 600.",
            f"EnvironmentFile=-{_percents(str(secrets))}",
            *keep,
            f"ExecStartPre={' '.join(map(_quoted, folder))}",
            f"ExecStart={' '.join(map(_quoted, words))}",
            f"TimeoutStartSec={job.timeout_minutes}min",
            "# a first signal lets the load end what it is at; what hangs is killed",
            "KillSignal=SIGINT",
            "TimeoutStopSec=5min",
            "UMask=0077",
            "NoNewPrivileges=yes",
            f"SyslogIdentifier={job.name}",
            "",
        ]
    )


def _timer(job: Job) -> str:
    return "\n".join(
        [
            f"# {job.name}: {job.title}. A service that still runs is not started again.",
            "[Unit]",
            f"Description={_percents(job.title.capitalize())}",
            "",
            "[Timer]",
            f"OnCalendar={job.schedule.calendar()}",
            "AccuracySec=30s",
            "# make up for a time at which the machine was off",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )


def _percents(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """Return a word of a command line, as systemd reads them."""
    escaped = _percents(word).replace("$", "$$").replace('"', r"\"")
    return f'"{escaped}"' if set(escaped) & set(" \"';#") else escaped
