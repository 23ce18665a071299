"""What all commands hang off. What goes wrong is one message and a code: see `opsnest.errors`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Load operations platforms into your own database.",
    epilog="Exit codes: 0 success, 1 unexpected, 2 wrong usage, 3 configuration, 4 no access, "
    "5 unreachable, 6 the API failed, 7 destination, 8 an action failed, 9 a pipeline is not well, "
    "130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - called by typer
    if wanted:
        typer.echo(f"opsnest {version('opsnest')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Load operations platforms into your own database."""
