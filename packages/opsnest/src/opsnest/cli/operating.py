"""Commands that have loads repeated by a machine, and tell how they go."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from opsnest.cli.app import app
from opsnest.cli.choices import known
from opsnest.destinations import extra_of, known_destination
from opsnest.errors import ConfigurationError, StatusError
from opsnest.explain import exit_on_error
from opsnest.loading import PLATFORMS

if TYPE_CHECKING:
    from opsnest.deploy.jobs import Deployment, Job

__all__ = ["deploy", "show_status"]

Kind = Literal["cron", "systemd", "github"]


@app.command("deploy")
def deploy(  # noqa: PLR0913 - each is an option
    kind: Annotated[Kind, typer.Argument(help="cron, systemd or github", metavar="WHERE")],
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            help="After --: further options of `opsnest load`, such as -- --write append.",
            metavar="[-- OPTIONS]",
        ),
    ] = None,
    *,
    every: Annotated[
        str, typer.Option(help="How often: 15m, 1h, 1d or what divides a day likewise.")
    ] = "1h",
    to: Annotated[str, typer.Option("--to", help="A destination of dlt.")] = "duckdb",
    resource: Annotated[
        list[str] | None,
        typer.Option(help="Load this resource only; give it again for more than one."),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where it runs: the folder with .dlt/secrets.toml.")
    ] = Path(),
    timeout: Annotated[
        str, typer.Option(help="End a load that takes longer; a first one may take hours.")
    ] = "6h",
    write: Annotated[
        bool, typer.Option("--write", help="Write the files into their places.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --write: over files that say something else.")
    ] = False,
) -> None:
    """Print what cron, systemd or GitHub Actions need to load a platform every hour.

    Secrets are never written: what is printed names them, and says where they belong.
    """
    with exit_on_error():
        from opsnest.deploy.writing import printed  # noqa: PLC0415 - not needed by every command
        from opsnest.deploy.writing import write as write_files  # noqa: PLC0415

        job = _job(platform, to, resource, more, every, timeout, folder)
        made = _deployment(kind, job)
        for warning in made.warnings:
            typer.echo(f"warning: {warning}", err=True)
        if write:
            for line in write_files(made.files, force=force):
                typer.echo(line)
        else:
            typer.echo(printed(made.files), nl=False)
        typer.echo("Next:" if write else "Next, after it is written (--write):", err=True)
        for step in made.steps:
            typer.echo(f"  {step}", err=True)


def _job(
    platform: str,
    to: str,
    resource: list[str] | None,
    more: list[str] | None,
    every: str,
    timeout: str,
    folder: Path,
) -> Job:
    known(platform)

    from opsnest.catalogue import CATALOGUES  # noqa: PLC0415 - not needed by every command
    from opsnest.deploy.jobs import planned  # noqa: PLC0415

    lists = CATALOGUES[platform].by_name
    for name in resource or ():
        if name not in lists:
            message = f"{platform} has no list {name!r}.\n  Known: {', '.join(lists)}."
            raise ConfigurationError(message)
    if more and not more[0].startswith("-"):
        message = (
            f"{more[0]!r} is too much: one platform at a time.\n"
            "  Options of `opsnest load` come after --."
        )
        raise ConfigurationError(message)
    if known_destination(to) == "filesystem" and not _tells_how_to_write(more or ()):
        message = (
            "no files but Delta tables can be merged into: each load would be refused.\n"
            "  Say how to write: -- --table-format delta, -- --write append or -- --write replace."
        )
        raise ConfigurationError(message)

    from dlt.common.pipeline import get_dlt_pipelines_dir  # noqa: PLC0415 - slow to import

    data_dir = os.environ.get("DLT_DATA_DIR")
    return planned(
        platform,
        to=to,
        resources=tuple(dict.fromkeys(resource or ())),
        options=tuple(more or ()),
        every=every,
        timeout=timeout,
        folder=folder,
        python=sys.executable,
        pipelines=Path(get_dlt_pipelines_dir()),
        data_dir=str(Path(data_dir).absolute()) if data_dir else None,
    )


def _tells_how_to_write(options: Sequence[str]) -> bool:
    return any(option.startswith("--write") or option.endswith("delta") for option in options)


def _deployment(kind: Kind, job: Job) -> Deployment:
    from opsnest.deploy import variables  # noqa: PLC0415 - not needed by every command
    from opsnest.deploy.cron import cron  # noqa: PLC0415
    from opsnest.deploy.github import github  # noqa: PLC0415
    from opsnest.deploy.systemd import systemd  # noqa: PLC0415

    if kind == "cron":
        return cron(job)
    url = variables.files_url(job.to)
    needed = [
        *variables.source_variables(job.platform),
        *variables.destination_variables(job.to, url),
    ]
    if kind == "systemd":
        return systemd(job, needed)
    return github(job, needed, extra_of(job.to, url))


@app.command("status")
def show_status(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Platforms or pipelines; without any, all that ran here.",
            metavar="[PLATFORM]...",
        ),
    ] = None,
    *,
    stale_after: Annotated[
        str, typer.Option(help="How long ago the last good run may be: 90m, 2h, 1d.")
    ] = "2h",
    to: Annotated[
        str | None,
        typer.Option(help="Ask this destination about platforms that were loaded elsewhere."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Tell when each table was last written.")
    ] = False,
    pipelines_dir: Annotated[
        Path | None, typer.Option(help="Where dlt keeps its records; as dlt has it without.")
    ] = None,
) -> None:
    """Show when pipelines last ran, how fresh they are, and what failed or is pending.

    Ends with 9 if one is stale, failed, pending, was never loaded, or cannot be asked about.
    """
    with exit_on_error():
        from opsnest.durations import duration  # noqa: PLC0415 - not needed by every command

        limit = duration(stale_after, "--stale-after")
        if to is not None:
            known_destination(to)

        from dlt.common.pipeline import get_dlt_pipelines_dir  # noqa: PLC0415 - slow to import

        from opsnest.status import showing  # noqa: PLC0415
        from opsnest.status.judging import verdicts  # noqa: PLC0415

        folder = (pipelines_dir or Path(get_dlt_pipelines_dir())).absolute()
        now = datetime.now(UTC)
        found = verdicts(folder, names or [], stale_after=limit, now=now, to=to)
        console = Console()
        if as_json:
            told = showing.as_json(found, stale_after=limit, now=now)
            typer.echo(json.dumps(told, indent=2))
        elif not found:
            typer.echo(f"No pipeline has run here: {folder} has none.")
        elif console.is_terminal:
            console.print(showing.as_table(found, now=now))
        else:
            for line in showing.as_lines(found, now=now):
                typer.echo(line)
        if tables and not as_json:
            for line in showing.tables_table(found, now=now):
                typer.echo(line)
        ill = [each for each in found if each.state != "ok"]
        if ill:
            named = ", ".join(f"{each.records.name} ({each.state})" for each in ill)
            message = f"not well, of {len(found)} in all: {named}."
            raise StatusError(message)
