"""Commands for Dagster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from opsnest.cli.app import app
from opsnest.errors import ConfigurationError
from opsnest.explain import exit_on_error

__all__ = ["dagster", "demo"]

dagster = typer.Typer(
    help="Load platforms with Dagster.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(dagster, name="dagster")

#: Seconds that Dagster has to end its processes.
_PATIENCE = 60
#: An instance of its own: nothing is sent anywhere, and two runs at once are enough for a laptop.
_INSTANCE = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
"""


@dagster.callback()
def options() -> None:
    """Load platforms with Dagster."""


@dagster.command("demo")
def demo(
    port: Annotated[int, typer.Option(help="The port of the page.", min=1, max=65535)] = 3000,
) -> None:
    """Open Dagster on four simulated platforms: no account, no network. Ctrl-C ends it."""
    with exit_on_error():
        import opsnest.dagster.demo  # noqa: PLC0415 - slow to import; serves the simulators

        home = opsnest.dagster.demo.FOLDER.absolute() / "home"
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(_INSTANCE)
        program = Path(sys.executable).with_name("dagster")
        if not program.exists():
            message = f"{program} is not there.\n  pip install 'opsnest[dagster,demo]'"
            raise ConfigurationError(message)
        typer.echo(f"Dagster will be at http://127.0.0.1:{port}\nCtrl-C ends it.")
        command = [
            str(program),
            "dev",
            "-m",
            "opsnest.dagster.demo",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
        ]
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(home),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
        }
        ended = _wait(subprocess.Popen(command, env=environment))  # noqa: S603 - ours
        raise SystemExit(ended)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for Dagster; hand Ctrl-C on, and give it time to end its own processes."""
    # ended as a service is, it would leave Dagster behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)
        typer.echo("Closed.")
        return 0
