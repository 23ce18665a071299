"""Commands for code assistants: what they need to know, what they may see, their setup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opsnest.cli.app import app
from opsnest.cli.choices import known
from opsnest.explain import exit_on_error
from opsnest.loading import PLATFORMS

__all__ = ["ai", "init", "serve_mcp", "show_context"]

ai = typer.Typer(help="Set up a code assistant.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ai, name="ai")

_SAID = {"new": "wrote", "changed": "updated", "same": "unchanged", "kept": "kept"}
_WOULD = {"new": "would write", "changed": "would update", "same": "unchanged", "kept": "kept"}


@ai.callback()
def options() -> None:
    """Set up a code assistant."""


@app.command("context")
def show_context(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
) -> None:
    """Print what a code assistant needs to write a pipeline for a platform, in Markdown."""
    with exit_on_error():
        from opsnest.catalogue import CATALOGUES  # noqa: PLC0415 - not needed by every command
        from opsnest.catalogue.context import context  # noqa: PLC0415

        typer.echo(context(CATALOGUES[known(platform)]), nl=False)


@app.command("mcp")
def serve_mcp(
    pipelines_dir: Annotated[
        Path | None, typer.Option(help="Where dlt keeps the pipelines, if not in its own folder.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Show this pipeline only; give it again for more than one."),
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(help="The DuckDB file, where the pipelines' scripts name it themselves."),
    ] = None,
) -> None:
    """Let a code assistant look at pipelines and tables over MCP: read-only, without secrets."""
    with exit_on_error():
        from opsnest.mcp.server import make_server, serve  # noqa: PLC0415 - slow to import

        serve(make_server(pipelines_dir, allow or (), database))


@ai.command("init")
def init(
    agent: Annotated[str, typer.Option(help="claude, cursor or codex")],
    folder: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace entries and files of ours that were changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be written, and write nothing.")
    ] = False,
) -> None:
    """Write rules, ignored files and the MCP server for a code assistant; keep what is there."""
    with exit_on_error():
        from opsnest.agents.writing import changes_for, write  # noqa: PLC0415

        changes = changes_for(agent, folder, force=force)
        if not dry_run:
            write(changes)
        words = _WOULD if dry_run else _SAID
        for change in changes:
            differs = " (differs from ours: --force replaces it)" if change.does == "kept" else ""
            typer.echo(f"{words[change.does]} {change.path}: {change.what}{differs}")
