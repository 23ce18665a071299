"""Say what went wrong to the person at the terminal: one message, no traceback, an exit code."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from opsnest.errors import ConfigurationError, DestinationError, OpsnestError, SourceError
from opsnest.explain_places import of_database, of_destination, of_disk
from opsnest.stopping import STOPPED, Terminated

__all__ = ["exit_on_error", "explain"]

INTERRUPTED = 130
TERMINATED = 143


@contextmanager
def exit_on_error() -> Generator[None]:
    """End the program with a message and an exit code when the block fails foreseeably.

    The codes are listed in `opsnest.errors`. What is not foreseen is raised as it is.

    Raises:
        SystemExit: the block failed, or was interrupted.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as fault:
        if any(isinstance(each, KeyboardInterrupt) for each in _chain(fault)):  # dlt wraps it
            sys.stderr.write(f"\n{STOPPED}\n")
            terminated = any(isinstance(each, Terminated) for each in _chain(fault))
            raise SystemExit(TERMINATED if terminated else INTERRUPTED) from None
        error = explain(fault)
        if error is None:
            raise
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None


def explain(fault: BaseException) -> OpsnestError | None:
    """Return the error behind an exception that can be explained, or None where there is none.

    dlt wraps what a source raises several times over; the cause is looked for along the chain.
    """
    chain = list(_chain(fault))
    for each in chain:
        if isinstance(each, KeyboardInterrupt):
            return None
        if isinstance(each, OpsnestError):
            return _with_resource(each, chain)
        if (refused := _of_engine(each, chain)) is not None:
            return refused
    for each in chain:
        error = _missing_setting(each) or of_disk(each) or of_database(each)
        if error is not None:
            return error
    return of_destination(fault)


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        yield fault
        fault = fault.__cause__ or fault.__context__


def _with_resource(error: OpsnestError, chain: list[BaseException]) -> OpsnestError:
    """Complete an error of the transport, which does not know for which resource it worked."""
    if isinstance(error, SourceError) and not error.resource:
        names = [getattr(each, "pipe_name", None) for each in chain]
        error.resource = next((str(name) for name in names if name), "connection")
    return error


def _of_engine(fault: BaseException, chain: list[BaseException]) -> OpsnestError | None:
    """Return the error for rows that restarrow cannot make tables of, and for its settings."""
    from restarrow import errors  # noqa: PLC0415 - slow to import

    if isinstance(fault, errors.ConfigurationError):
        return ConfigurationError(str(fault))
    if not isinstance(fault, errors.NormaliseError):
        return None
    names = [getattr(each, "pipe_name", None) for each in chain]
    resource = next((f"{name}: " for name in names if name), "")
    return DestinationError(
        f"{resource}{fault}.\n"
        "  Nothing of this load is in the tables; what was loaded before stays."
    )


def _missing_setting(fault: BaseException) -> ConfigurationError | None:
    from dlt.common.configuration.exceptions import ConfigFieldMissingException  # noqa: PLC0415 - slow to import

    if not isinstance(fault, ConfigFieldMissingException):
        return None
    lines = ["a setting is missing:"]
    for field, looked_up in _fields(fault.traces):
        sections = _sections(looked_up)
        section = ".".join(sections)
        variable = "__".join([*sections, field]).upper()
        lines += [
            f"  {field}: put it into .dlt/secrets.toml",
            f"      [{section}]",
            f'      {field} = "..."',
            f"    or into the environment variable {variable}",
        ]
    lines.append("  To try without any account: opsnest demo")
    return ConfigurationError("\n".join(lines))


def _fields(traces: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is missing; of a field that is a configuration itself, its own fields."""
    for field, looked_up in traces.items():
        inner = [trace.traces for trace in looked_up if hasattr(trace, "traces")]
        yield from _fields(inner[0]) if inner else [(field, looked_up)]


def _sections(looked_up: Any) -> list[str]:
    """Return the sections in which dlt looked for a setting: of a source rather than of others."""
    tried: list[list[str]] = [list(trace.sections or ()) for trace in looked_up]
    found = next((each for each in tried if "sources" in each), tried[0] if tried else [])
    # a source that is named like its section is also looked up without the repetition
    return [name for name, before in zip(found, [None, *found], strict=False) if name != before]
