"""Commands that load, and those that tell what a load would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from opsnest.cli.app import app
from opsnest.cli.choices import chosen, known, pipeline_of
from opsnest.errors import ConfigurationError
from opsnest.explain import exit_on_error
from opsnest.loading import PLATFORMS, load
from opsnest.stopping import stopping

__all__ = ["demo", "load_platform", "replay_platform", "show_plan", "show_sources"]


@app.command()
def demo(
    database: Annotated[
        Path, typer.Option(help="The DuckDB file to load into.", dir_okay=False)
    ] = Path("opsnest_demo.duckdb"),
    incidents: Annotated[
        int, typer.Option(help="The size of the largest list.", min=10, max=1_000_000)
    ] = 1000,
) -> None:
    """Load four simulated platforms into a DuckDB file: no account, no network."""
    with exit_on_error():
        from opsnest.demo import run_demo  # noqa: PLC0415 - slow to import

        run_demo(Console(), database=database, incidents=incidents)


@app.command("load")
def load_platform(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    to: Annotated[str, typer.Option("--to", help="A destination of dlt.")] = "duckdb",
    resource: Annotated[
        list[str] | None,
        typer.Option(help="Load this resource only; give it again for more than one."),
    ] = None,
    write: Annotated[
        Literal["merge", "append", "replace"],
        typer.Option(help="Replace rows that changed, add them, or read all and replace tables."),
    ] = "merge",
    table_format: Annotated[
        Literal["delta", "iceberg"] | None,
        typer.Option(help="The format of tables in files, for --to filesystem."),
    ] = None,
    if_running: Annotated[
        Literal["wait", "leave"],
        typer.Option(help="What to do while another run of the pipeline has not ended."),
    ] = "wait",
    keep_journal: Annotated[
        Path | None,
        typer.Option(help="Keep the pages that are read in this file, for `opsnest replay`."),
    ] = None,
) -> None:
    """Load a platform with the credentials in .dlt/secrets.toml or the environment."""
    with exit_on_error():
        known(platform)

        from opsnest import sources  # noqa: PLC0415 - slow to import
        from opsnest.destinations import fit  # noqa: PLC0415
        from opsnest.progress import Progress  # noqa: PLC0415

        if keep_journal is not None and not keep_journal.absolute().parent.is_dir():
            message = f"there is no folder {keep_journal.parent}.\n  Make it, or name another file."
            raise ConfigurationError(message)
        source_name, pipeline_name, dataset_name = PLATFORMS[platform]
        source = chosen(getattr(sources, source_name)(), resource)
        fit(source, to, write=write, table_format=table_format)
        pipeline = pipeline_of(pipeline_name, to, dataset_name, table_format)
        progress = Progress(Console(stderr=True))
        with stopping(), progress.showing(), progress.platform(platform) as collector:
            pipeline.collector = collector
            outcome = load(
                pipeline,
                source,
                afresh=write == "replace",
                if_running=if_running,
                keep_journal=keep_journal,
            )
        typer.echo(str(outcome))


@app.command("replay")
def replay_platform(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    to: Annotated[str, typer.Option("--to", help="A destination of dlt.")] = "duckdb",
    journal: Annotated[
        Path | None,
        typer.Option(
            help="The pages that a load has kept; those of the load that failed without any."
        ),
    ] = None,
    write: Annotated[
        Literal["merge", "append", "replace"],
        typer.Option(help="Replace rows that changed, add them, or replace tables."),
    ] = "merge",
    table_format: Annotated[
        Literal["delta", "iceberg"] | None,
        typer.Option(help="The format of tables in files, for --to filesystem."),
    ] = None,
) -> None:
    """Make the tables of a load anew from the pages that it has kept, without a call."""
    with exit_on_error():
        known(platform)

        from opsnest.destinations import fit  # noqa: PLC0415 - slow to import
        from opsnest.replaying import replay, source_to_replay  # noqa: PLC0415

        _, pipeline_name, dataset_name = PLATFORMS[platform]
        source = fit(source_to_replay(platform), to, write=write, table_format=table_format)
        pipeline = pipeline_of(pipeline_name, to, dataset_name, table_format)
        typer.echo(str(replay(pipeline, source, journal)))


@app.command("sources")
def show_sources(
    platform: Annotated[str | None, typer.Argument(help="One platform, with all it has.")] = None,
) -> None:
    """Show what can be loaded: the platforms, or the lists of one of them."""
    with exit_on_error():
        from opsnest.catalogue import CATALOGUES  # noqa: PLC0415 - not needed by every command
        from opsnest.showing import lists_table, platforms_table  # noqa: PLC0415

        if platform is None:
            Console().print(platforms_table(CATALOGUES))
        else:
            Console().print(lists_table(CATALOGUES[known(platform)]))


@app.command("plan")
def show_plan(
    platform: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    to: Annotated[str, typer.Option("--to", help="A destination of dlt.")] = "duckdb",
    resource: Annotated[
        list[str] | None,
        typer.Option(help="Plan for this resource only; give it again for more than one."),
    ] = None,
) -> None:
    """Show what a load would cost: calls, minutes at the key's limit, and how lists are read."""
    with exit_on_error():
        known(platform)

        from opsnest import sources  # noqa: PLC0415 - slow to import
        from opsnest.planning import plan  # noqa: PLC0415
        from opsnest.reading import watching_lists  # noqa: PLC0415
        from opsnest.showing import plan_table  # noqa: PLC0415

        source_name, pipeline_name, dataset_name = PLATFORMS[platform]
        with watching_lists() as made:
            source = chosen(getattr(sources, source_name)(), resource)
        if not made:
            message = (
                f"{platform} has no plan: its calls depend on what the SDK finds.\n"
                "  A load of it tells before it begins."
            )
            raise ConfigurationError(message)
        pipeline = pipeline_of(pipeline_name, to, dataset_name)
        lines = plan(made[-1], list(source.selected_resources), pipeline)
        Console().print(plan_table(made[-1].catalogue, lines))
