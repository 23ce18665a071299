"""The command line: `python -m roost push ./dist rst_abc --site site-1`, and what belongs to it.

Results go to standard output, as text or with `--json`; progress and errors to standard error.

Exit codes: 0 it is done; 1 it failed; 2 it was asked in a way that makes no sense; 3 it was done,
but the answer is no: a folder that is not the version, a rollout that was aborted; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from roost._cli_text import Line, error_text, result_text
from roost._constants import DEFAULT_API_URL, SDK_VERSION
from roost._errors import DeploymentFailedError, RoostError
from roost._hooks import redacted
from roost._roost import Roost
from roost.resources.roosts import (
    DeployOptions,
    PullOptions,
    PushOptions,
    RollbackOptions,
)

__all__ = ["main"]

DONE, FAILED, USAGE, NO, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code.

    Args:
        arguments: those of the command line; `sys.argv`'s if None.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    line = Line(sys.stderr, is_shown=sys.stderr.isatty() and not options.quiet)
    token = os.environ.get("OWLETTE_TOKEN", "")
    try:
        made = Roost(token=token, api_url=options.api_url, timeout=options.timeout)
    except ValueError as error:
        hint = "" if token else ": set OWLETTE_TOKEN to an API key, which begins with owk_"
        print(f"error: {redacted(str(error))}{hint}", file=sys.stderr)
        return USAGE
    try:
        code, result = asyncio.run(_run(made, options, line))
    except (RoostError, OSError, ValueError) as error:
        line.clear()
        print(f"error: {error_text(error)}", file=sys.stderr)
        return NO if isinstance(error, DeploymentFailedError) else FAILED
    except KeyboardInterrupt:
        line.clear()
        again = {"push": "push", "pull": "pull"}.get(options.command)
        more = f": another {again} goes on where this one was" if again else ""
        print(f"interrupted{more}", file=sys.stderr)
        return INTERRUPTED
    line.clear()
    _print(result, options)
    return code


def _print(result: Any, options: argparse.Namespace) -> None:
    text = (
        json.dumps(result, indent=2, ensure_ascii=False)
        if options.json
        else result_text(options.command, result)
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # who reads it has seen enough; Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _run(client: Roost, options: argparse.Namespace, line: Line) -> tuple[int, Any]:
    """Do what is asked, and return the exit code and the result as JSON has it."""
    commands: dict[str, Callable[[Roost, argparse.Namespace, Line], Awaitable[Any]]] = {
        "push": _pushed,
        "plan": _planned,
        "pull": _pulled,
        "verify": _verified,
        "deploy": _deployed,
        "rollback": _rolled_back,
        "status": _status,
        "whoami": _whoami,
    }
    async with client:
        result = await commands[options.command](client, options, line)
    return NO if options.command == "verify" and not result["is_equal"] else DONE, result


async def _pushed(client: Roost, options: argparse.Namespace, line: Line) -> dict[str, Any]:
    told = PushOptions(**_of_push(options), on_progress=line.show)
    return asdict(await client.roosts.push(options.folder, options.roost, told))


async def _planned(client: Roost, options: argparse.Namespace, line: Line) -> dict[str, Any]:
    told = PushOptions(**_of_push(options), on_progress=line.show)
    return asdict(await client.roosts.plan(options.folder, options.roost, told))


async def _pulled(client: Roost, options: argparse.Namespace, line: Line) -> dict[str, Any]:
    told = PullOptions(options.site, on_progress=line.show)
    return asdict(await client.roosts.pull(options.roost, options.version, options.folder, told))


async def _verified(client: Roost, options: argparse.Namespace, _: Line) -> dict[str, Any]:
    told = PullOptions(options.site)
    result = await client.roosts.verify(options.roost, options.version, options.folder, told)
    return {**asdict(result), "is_equal": result.is_equal}


async def _rolled_back(client: Roost, options: argparse.Namespace, _: Line) -> dict[str, Any]:
    back = RollbackOptions(options.site, options.version)
    return (await client.roosts.rollback(options.roost, back)).raw


async def _whoami(client: Roost, _: argparse.Namespace, __: Line) -> dict[str, Any]:
    return (await client.account.whoami()).raw


async def _deployed(client: Roost, options: argparse.Namespace, line: Line) -> dict[str, Any]:
    wanted = DeployOptions(
        options.site, options.version, options.machine or None, dry_run=options.dry_run
    )
    begun = await client.roosts.deploy(options.roost, wanted)
    if not options.wait or options.dry_run:
        return begun.raw
    done = await client.deployments.wait(
        options.roost,
        begun.rollout_id,
        site_id=options.site,
        timeout=options.wait_for,
        on_change=lambda now: line.write(f"rollout: {now['stage']}"),
    )
    return {**done}


async def _status(client: Roost, options: argparse.Namespace, _: Line) -> dict[str, Any]:
    roost = await client.roosts.get(options.roost, site_id=options.site)
    page = await client.deployments.list_page(options.roost, site_id=options.site, page_size=1)
    latest = next(iter(page[0]), None)
    return {**roost.raw, "latestRollout": latest}


def _of_push(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "site_id": options.site,
        "name": options.name,
        "targets": options.target or None,
        "extract_path": options.extract_path,
        "description": options.description,
        "ignore": options.ignore,
        "include_empty": options.include_empty,
        "on_conflict": options.on_conflict,
        "cache": options.cache,
        "concurrency": options.concurrency,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m roost",
        description="Publish folders to Owlette machines, and bring them back.",
        epilog="The API key is taken from OWLETTE_TOKEN. Exit codes: 0 done, 1 failed, 2 asked"
        " wrongly, 3 done but the answer is no (verify, an aborted rollout), 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"owlette-sdk {SDK_VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, what: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=what, description=what)
        made.add_argument("--json", action="store_true", help="print the result as JSON")
        made.add_argument("--quiet", action="store_true", help="show no progress")
        address = os.environ.get("OWLETTE_API_URL") or DEFAULT_API_URL
        made.add_argument("--api-url", default=address, help="OWLETTE_API_URL, or %(default)s")
        made.add_argument("--timeout", type=float, default=30.0, help="seconds of each step")
        return made

    for name, what in (
        ("push", "publish a folder as the current version of a roost"),
        ("plan", "tell what a push would do, and do nothing"),
    ):
        _add_push(command(name, what))
    for name, what in (
        ("pull", "write a version into a folder, as far as it differs"),
        ("verify", "tell whether a folder is a version, byte for byte"),
    ):
        made = command(name, what)
        made.add_argument("roost")
        made.add_argument("version", help="a number, an id, current, previous or first")
        made.add_argument("folder")
        _add_site(made)
    _add_deploy(command("deploy", "roll a version out, to a few machines first"))
    back = command("rollback", "make an earlier version the current one, on all machines at once")
    back.add_argument("roost")
    back.add_argument("version", nargs="?", help="a number, an id or first; the previous one")
    _add_site(back)
    status = command("status", "show a roost: its versions, and its latest rollout")
    status.add_argument("roost")
    _add_site(status)
    command("whoami", "show whose key it is, and what it may do")
    return parser


def _add_site(parser: argparse.ArgumentParser) -> None:
    known = os.environ.get("OWLETTE_SITE")
    parser.add_argument("--site", default=known, required=not known, help="or OWLETTE_SITE")


def _add_push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder")
    parser.add_argument("roost")
    _add_site(parser)
    parser.add_argument("--description", help="of the version, up to 500 characters")
    parser.add_argument("--name", help="what the roost is called from now on")
    parser.add_argument("--target", action="append", help="a machine to roll out to; repeatable")
    parser.add_argument("--extract-path", help="the folder on the machines")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="PATTERN", help="as in .gitignore"
    )
    parser.add_argument("--include-empty", action="store_true", help="publish empty files, too")
    parser.add_argument(
        "--on-conflict",
        choices=("retry", "raise"),
        default="retry",
        help="if somebody else publishes meanwhile: publish after them, or fail",
    )
    parser.add_argument(
        "--no-cache", dest="cache", action="store_false", help="read every file, changed or not"
    )
    parser.add_argument("--concurrency", type=int, default=8, help="chunks sent at once")


def _add_deploy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("roost")
    _add_site(parser)
    parser.add_argument("--version", help="the id of a version; the current one")
    parser.add_argument("--machine", action="append", help="not to all machines; repeatable")
    parser.add_argument("--dry-run", action="store_true", help="tell what would happen")
    parser.add_argument("--wait", action="store_true", help="until it is complete or aborted")
    parser.add_argument("--wait-for", type=float, metavar="SECONDS", help="no longer than that")
