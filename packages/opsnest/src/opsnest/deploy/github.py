"""A workflow for GitHub Actions."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from opsnest.deploy.jobs import Deployment, Job
from opsnest.deploy.variables import Variable
from opsnest.errors import ConfigurationError

__all__ = ["github"]

#: Minutes after which GitHub ends a job of its own runners, whatever it says.
_LONGEST: Final = 360

_LOST: Final = (
    "a runner's disk is gone after each run, and a DuckDB file with it: rows, and what was read "
    "so far. Load into a database that stays, such as --to postgres."
)


def github(job: Job, variables: Sequence[Variable], extra: str) -> Deployment:
    """Return the workflow of a job.

    Args:
        job: the job.
        variables: what the load needs to know; values come from the repository's settings.
        extra: the extra of Opsnest that the destination needs.

    Raises:
        ConfigurationError: an option would be read as an expression by GitHub.
    """
    command = shlex.join(job.command("python"))
    if "${{" in command:
        message = "an option has ${{ in it, which GitHub would replace.\n  Leave it out."
        raise ConfigurationError(message)
    root = _root(job.folder)
    path = root / ".github" / "workflows" / f"{job.name}.yml"
    within = job.folder.relative_to(root).as_posix()
    text = _workflow(job, command, variables, extra, within)
    shown = shlex.quote(str(path.relative_to(root)))
    at = f"git -C {shlex.quote(str(root))}"
    commit = f"{at} add {shown} && {at} commit -m 'Load {job.platform}' && {at} push"
    steps = [
        *(
            f"set it once:  gh {'secret' if each.secret else 'variable'} set {each.name}"
            + ("  (if you use it)" if each.optional else "")
            for each in variables
        ),
        f"activate it, on the default branch:  {commit}",
        f"try it:  gh workflow run {path.name}",
    ]
    warnings = [_LOST] if job.to == "duckdb" else []
    if job.to == "filesystem" and not any("__CREDENTIALS" in each.name for each in variables):
        warnings.append(
            "a folder of the runner is gone after each run: set bucket_url to a place that stays, "
            "such as s3://my-bucket/opsnest."
        )
    if not (root / ".git").exists():
        warnings.append(f"{root} is no repository of git: GitHub reads workflows at its root only.")
    return Deployment({path: text}, tuple(steps), tuple(warnings))


def _root(folder: Path) -> Path:
    """Return the root of the repository around a folder, or the folder itself."""
    for each in (folder, *folder.parents):
        if (each / ".git").exists():
            return each
    return folder


def _workflow(
    job: Job, command: str, variables: Sequence[Variable], extra: str, within: str
) -> str:
    package = f"opsnest{f'[{extra}]' if extra else ''}=={version('opsnest')}"
    state = (
        [f"WARNING: {_LOST}"]
        if job.to == "duckdb"
        else [
            "dlt's state is kept at the destination, with the rows: each run restores it from",
            "there, and loads only what has changed.",
        ]
    )
    about = [
        f"{job.name}: {job.title}. Times are UTC; GitHub may start late.",
        *state,
        "Set what is named below under Settings > Secrets and variables > Actions.",
        "A run that fails is told by mail to whoever changed the schedule last.",
    ]
    env = [
        f"          {each.name}: ${{{{ {'secrets' if each.secret else 'vars'}.{each.name} }}}}"
        for each in variables
    ]
    return "\n".join(
        [
            *(f"# {line}" for line in about),
            f"name: {_text(f'{job.title[0].upper()}{job.title[1:]}')}",
            "",
            "on:",
            "  schedule:",
            f'    - cron: "{job.schedule.cron()}"',
            "  workflow_dispatch:",
            "",
            "permissions:",
            "  contents: read",
            "",
            "# two loads of one pipeline at once would load rows twice: the second waits",
            "concurrency:",
            f"  group: {job.lock.stem}",
            "  cancel-in-progress: false",
            "",
            "jobs:",
            "  load:",
            "    runs-on: ubuntu-latest",
            f"    timeout-minutes: {min(job.timeout_minutes, _LONGEST)}",
            "    steps:",
            "      - uses: actions/checkout@v5",
            "        with:",
            "          persist-credentials: false",
            "      - uses: actions/setup-python@v6",
            "        with:",
            f'          python-version: "{sys.version_info.major}.{sys.version_info.minor}"',
            # a plain text of YAML: it begins with a letter, and has neither ": " nor " #"
            f"      - run: python -m pip install {shlex.quote(package)}",
            "      - name: Load",
            *([f"        working-directory: {_text(within)}"] if within != "." else []),
            "        env:",
            *env,
            f"        run: {_text(command)}",
            "",
        ]
    )


def _text(text: str) -> str:
    """Return a text as YAML: within single quotes, where only they mean something."""
    return "'" + text.replace("'", "''") + "'"
