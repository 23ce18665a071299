"""Commands that open what was loaded in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opsnest.cli.app import app
from opsnest.cli.choices import known
from opsnest.errors import ConfigurationError
from opsnest.explain import exit_on_error
from opsnest.loading import PLATFORMS

__all__ = ["show"]


@app.command("show")
def show(
    platform: Annotated[
        str | None, typer.Argument(help=f"{', '.join(PLATFORMS)}; without, what ran last.")
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option(help="A pipeline by its name, instead of a platform.")
    ] = None,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Show what opsnest demo loaded in this folder.")
    ] = False,
    notebook: Annotated[
        Path | None,
        typer.Option(help="Open this marimo notebook on it, instead of the dashboard."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; without, one that is free.", min=1, max=65535)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the URL only.")] = False,
    pipelines_dir: Annotated[
        Path | None, typer.Option(help="Where dlt keeps the pipelines, if not in its own folder.")
    ] = None,
) -> None:
    """Open a pipeline in dlt's dashboard: tables, schema, loads, state, and queries.

    It is served to this machine alone, until Ctrl-C. DuckDB files are only read.
    """
    with exit_on_error():
        if platform and pipeline:
            message = "a platform and --pipeline are two pipelines.\n  Give one of them."
            raise ConfigurationError(message)
        if platform:
            _, pipeline, _ = PLATFORMS[known(platform)]
        if notebook and not notebook.is_file():
            message = f"there is no notebook {notebook}.\n  Those of Opsnest are in notebooks/."
            raise ConfigurationError(message)

        from opsnest.looking import dashboard, pipelines, serving  # noqa: PLC0415 - slow to import

        folder = pipelines.folder_of(pipelines_dir, demo=demo)
        if pipeline:
            pipelines.existing(pipeline, folder, platform=platform)
        elif not pipelines.pipelines_in(folder):
            message = (
                f"no pipeline has run here: {folder} has none.\n"
                "  Load a platform first: opsnest load rootly; or all, simulated: opsnest demo"
            )
            raise ConfigurationError(message)
        what = pipeline or (notebook.name if notebook else "The dashboard")
        serving.serve(
            notebook or dashboard.dashboard(),
            dashboard.arguments(pipeline, folder),
            port=port,
            browser=not no_browser,
            ready=lambda url: typer.echo(f"{what} is at {url}\nCtrl-C ends it."),
        )
        typer.echo("Closed.")
