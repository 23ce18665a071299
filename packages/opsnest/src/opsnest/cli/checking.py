"""Commands that look whether a load would work."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from opsnest.cli.app import app
from opsnest.errors import DestinationError
from opsnest.explain import exit_on_error

__all__ = ["doctor"]


@app.command("doctor")
def doctor(
    to: Annotated[str, typer.Option("--to", help="A destination of dlt.")] = "duckdb",
    table_format: Annotated[
        Literal["delta", "iceberg"] | None,
        typer.Option(help="The format of tables in files, for --to filesystem."),
    ] = None,
) -> None:
    """Check a destination before a load: packages, settings, permissions, the way of the data."""
    with exit_on_error():
        from opsnest.doctor import check_destination  # noqa: PLC0415 - slow to import

        for check in check_destination(to, table_format=table_format):
            typer.echo(f"{'ok  ' if check.is_well else 'FAIL'} {check.what}: {check.found}")
            if not check.is_well:
                message = f"{to} cannot be loaded yet: {check.what}."
                raise DestinationError(message)
