"""The command `opssim`: serve simulators until somebody has seen enough."""

from __future__ import annotations

import argparse
import errno
import shlex
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import opssim
from opssim.core.server import Running, serve
from opssim.core.simulator import Simulator

_LAST_PORT: Final = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    names = list(_MAKERS) if options.all else list(dict.fromkeys(options.names))
    if not names:
        options.error(f"name what to serve: {', '.join(_MAKERS)}, or --all")
    unknown = [name for name in names if name not in _MAKERS]
    if unknown:
        options.error(f"there is no {unknown[0]!r}: only {', '.join(_MAKERS)}")
    if options.port + len(names) - 1 > _LAST_PORT:
        options.error(f"--port {options.port} leaves no ports for {len(names)} simulators")
    try:
        with _leaving_when_told():
            return _serve(names, options)
    except ValueError as error:
        options.error(str(error))
    except KeyboardInterrupt:
        print("\nstopped")
    return 0


@contextmanager
def _leaving_when_told() -> Generator[None]:
    """Leave at SIGTERM as at Ctrl-C, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(names: Sequence[str], options: argparse.Namespace) -> int:
    """Serve simulators on neighbouring ports until time is up or somebody interrupts."""
    with ExitStack() as running:
        for number, name in enumerate(names):
            try:
                simulator = _MAKERS[name](options)
            except sqlite3.Error as error:
                what = f"{options.state} cannot be used ({error}): name another --state"
                print(f"opssim: {what}", file=sys.stderr)
                return 1
            simulator.latency = options.latency
            wanted = options.port + number if options.port else 0
            try:
                server = running.enter_context(serve(simulator, wanted))
            except OSError as error:
                print(f"opssim: {_cannot_listen(wanted, error)}", file=sys.stderr)
                return 1
            print(_introduction(server, _settings(server, seed_page=options.seed_page)))
            folder = Path(running.enter_context(TemporaryDirectory(prefix="opssim-")))
            for line in simulator.introduce(folder):
                print(f"  {line}")
        print("Ctrl-C to stop", flush=True)
        threading.Event().wait(options.seconds)
    return 0


def _cannot_listen(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken: name another with --port, or leave it out for a free one"
    return f"cannot listen on port {port} ({error.strerror}): name another with --port"


def _settings(running: Running[Simulator], *, seed_page: bool) -> dict[str, str]:
    """Return the environment variables of a source, with those of dltHub's example on demand."""
    settings = running.configuration
    if seed_page and isinstance(running.simulator, opssim.CloudBotSimulator):
        name = "SOURCES__CLOUD_BOT_SOURCE__MANAGEMENT_TOKEN"
        settings[name] = running.simulator.management_token
    return settings


def _introduction(running: Running[Simulator], settings: Mapping[str, str]) -> str:
    """Return what a user needs to know of a simulator, ready to copy."""
    simulator = running.simulator
    counts = ", ".join(f"{count} {name}" for name, count in simulator.counts().items() if count)
    return "\n".join(
        [
            f"{simulator.name}: {running.url}",
            f"  {counts}",
            *(f"  {_plain(name)}: {value}" for name, value in settings.items()),
            *(f"  export {name}={shlex.quote(value)}" for name, value in settings.items()),
            "",
        ]
    )


def _plain(setting: str) -> str:
    """Return what a setting is called where it is used: `token` for `SOURCES__...__TOKEN`."""
    return setting.rpartition("__")[2].lower()


def _rootly(options: argparse.Namespace) -> Simulator:
    quirks = opssim.RootlyQuirks.strict() if options.strict else opssim.RootlyQuirks()
    if options.offset_limit is not None:
        quirks = replace(quirks, deep_offset_limit=options.offset_limit)
    return opssim.RootlySimulator(
        seed=options.seed,
        incidents=options.incidents,
        alerts=options.alerts,
        rate_limit=options.rate_limit,
        quirks=quirks,
    )


def _roost(options: argparse.Namespace) -> Simulator:
    quirks = opssim.RoostQuirks.strict() if options.strict else opssim.RoostQuirks()
    return opssim.RoostSimulator(
        seed=options.seed,
        tests=options.tests,
        events=options.events,
        quirks=replace(quirks, required_params=False) if options.seed_page else quirks,
    )


def _cloud_bot(options: argparse.Namespace) -> Simulator:
    quirks = opssim.CloudBotQuirks.strict() if options.strict else opssim.CloudBotQuirks()
    return opssim.CloudBotSimulator(
        seed=options.seed,
        executions=options.executions,
        quirks=replace(quirks, seed_page=True) if options.seed_page else quirks,
    )


def _owlette(options: argparse.Namespace) -> Simulator:
    habits = opssim.OwletteHabits.strict() if options.strict else opssim.OwletteHabits()
    return opssim.OwletteSimulator(
        seed=options.seed,
        machines=options.machines,
        file=options.state,
        habits=replace(habits, limit_per_hour=options.limit_per_hour),
        fail_rate=options.fail_rate,
    )


_MAKERS: Final[Mapping[str, Callable[[argparse.Namespace], Simulator]]] = {
    "rootly": _rootly,
    "roost": _roost,
    "cloud-bot": _cloud_bot,
    "owlette": _owlette,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opssim", description="Simulate operations APIs on loopback.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"opssim {version('opssim')}")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="serve simulators until Ctrl-C",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    serving.set_defaults(error=serving.error)  # its usage is the one to show
    serving.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(_MAKERS)}")
    serving.add_argument("--all", action="store_true", help="all of them")
    serving.add_argument("--seed", type=int, default=7, help="what all rows follow from")
    for option, size in _SIZES.items():
        serving.add_argument(f"--{option}", type=_amount, default=size, metavar="N", help="rows")
    serving.add_argument(
        "--port", type=_port, default=0, help="port of the first; the next ones follow; 0 is free"
    )
    serving.add_argument(
        "--seed-page",
        action="store_true",
        help="be as dltHub's pages describe the APIs: cloud-bot has the paths named there, and "
        "roost needs no query parameters",
    )
    serving.add_argument(
        "--strict", action="store_true", help="switch on every quirk that is hard to live with"
    )
    serving.add_argument(
        "--latency", type=_seconds, default=0.0, metavar="SECONDS", help="how late answers come"
    )
    serving.add_argument(
        "--rate-limit", type=_amount, default=3000, metavar="N", help="requests a minute (rootly)"
    )
    serving.add_argument(
        "--offset-limit",
        type=_amount,
        metavar="N",
        help="rows that page[number] reaches on incidents, if not as many as usual (rootly)",
    )
    serving.add_argument(
        "--limit-per-hour",
        type=_amount,
        default=300,
        metavar="N",
        help="requests an hour for the routes that count them (owlette)",
    )
    serving.add_argument(
        "--fail-rate", type=_share, default=0.0, metavar="PART", help="pulls that fail (owlette)"
    )
    serving.add_argument(
        "--state", type=Path, metavar="FILE", help="keep the state there, and find it (owlette)"
    )
    serving.add_argument(
        "--for", type=_seconds, dest="seconds", metavar="SECONDS", help="stop after this time"
    )
    return parser


#: As many rows as the simulators have by default.
_SIZES: Final = {
    "incidents": 1000,
    "alerts": 2000,
    "tests": 200,
    "events": 1500,
    "executions": 3000,
    "machines": 8,
}


def _amount(text: str) -> int:
    if not text.isdecimal():
        msg = f"{text!r} is not a whole number from 0 up"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _port(text: str) -> int:
    port = _amount(text)
    if port > _LAST_PORT:
        msg = f"{text} is not a port: the last one is {_LAST_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return port


def _share(text: str) -> float:
    part = _seconds(text)
    if part > 1:
        msg = f"{text!r} is not a part from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return part


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        msg = f"{text!r} is not a number of seconds"
        raise argparse.ArgumentTypeError(msg)
    return seconds
