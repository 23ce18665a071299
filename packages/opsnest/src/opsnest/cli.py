"""The command line. What goes wrong is one message and an exit code: see `opsnest.errors`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from opsnest.errors import ConfigurationError
from opsnest.explain import exit_on_error
from opsnest.loading import PLATFORMS, load

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

__all__ = ["main"]

app = typer.Typer(
    help="Load operations platforms into your own database.",
    epilog="Exit codes: 0 success, 1 unexpected, 2 wrong usage, 3 configuration, 4 no access, "
    "5 unreachable, 6 the API failed, 7 destination, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line."""
    app(prog_name="opsnest")


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
) -> None:
    """Load a platform with the credentials in .dlt/secrets.toml or the environment."""
    with exit_on_error():
        _known(platform)

        from opsnest import sources  # noqa: PLC0415 - slow to import
        from opsnest.progress import Progress  # noqa: PLC0415

        source_name, pipeline_name, dataset_name = PLATFORMS[platform]
        source = _chosen(getattr(sources, source_name)(), resource)
        pipeline = _pipeline(pipeline_name, to, dataset_name)
        progress = Progress(Console(stderr=True))
        with progress.showing(), progress.platform(platform) as collector:
            pipeline.collector = collector
            outcome = load(pipeline, source)
        typer.echo(str(outcome))


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
            Console().print(lists_table(CATALOGUES[_known(platform)]))


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
        _known(platform)

        from opsnest import sources  # noqa: PLC0415 - slow to import
        from opsnest.planning import plan  # noqa: PLC0415
        from opsnest.reading import watching_lists  # noqa: PLC0415
        from opsnest.showing import plan_table  # noqa: PLC0415

        source_name, pipeline_name, dataset_name = PLATFORMS[platform]
        with watching_lists() as made:
            source = _chosen(getattr(sources, source_name)(), resource)
        if not made:
            message = (
                f"{platform} has no plan: its calls depend on what the SDK finds.\n"
                "  A load of it tells before it begins."
            )
            raise ConfigurationError(message)
        pipeline = _pipeline(pipeline_name, to, dataset_name)
        lines = plan(made[-1], list(source.selected_resources), pipeline)
        Console().print(plan_table(made[-1].catalogue, lines))


def _known(platform: str) -> str:
    """Return the name of a platform, if it is one.

    Raises:
        ConfigurationError: it is none.
    """
    if platform not in PLATFORMS:
        message = f"there is no platform {platform!r}.\n  Known: {', '.join(PLATFORMS)}."
        raise ConfigurationError(message)
    return platform


def _pipeline(name: str, destination: str, dataset: str) -> Pipeline:
    import dlt  # noqa: PLC0415
    from dlt.common.destination.exceptions import UnknownDestinationModule  # noqa: PLC0415

    try:
        return dlt.pipeline(pipeline_name=name, destination=destination, dataset_name=dataset)
    except UnknownDestinationModule:
        known = sorted(set(dlt.destinations.__all__) - {"destination"})
        message = f"dlt has no destination {destination!r}.\n  Known: {', '.join(known)}."
        raise ConfigurationError(message) from None


def _chosen(source: DltSource, names: list[str] | None) -> Any:
    """Return the source with these resources selected, or as it comes."""
    unknown = [name for name in names or () if name not in source.resources]
    if unknown:
        message = (
            f"{source.name} has no resource {unknown[0]!r}.\n"
            f"  Known: {', '.join(source.resources)}."
        )
        raise ConfigurationError(message)
    return source.with_resources(*names) if names else source
