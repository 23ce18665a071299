"""Say what is wrong with where rows go: a disk, a file of DuckDB, a destination."""

from __future__ import annotations

import errno
from typing import Final

from opsnest.connecting import why
from opsnest.errors import DestinationError

__all__ = ["of_database", "of_destination", "of_disk"]

#: What DuckDB says where there is no room, in the words of the operating system.
_NO_ROOM: Final = ("No space left on device", "Disk quota exceeded")
_TOO_LONG: Final = "File too large"
#: What it says of a file that was cut off, or was never one of its own.
_TORN: Final = ("not a valid DuckDB database file", "Could not read enough bytes")


def of_disk(fault: BaseException) -> DestinationError | None:
    """Explain an error of the operating system; None if it is another one."""
    if not isinstance(fault, OSError):
        return None
    file = fault.filename2 or fault.filename  # where a copy went, rather than what was copied
    where = f" ({file})" if file else ""
    match fault.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return _full(where)
        case errno.EFBIG:
            return _limited(where)
        case errno.EACCES | errno.EROFS | errno.EPERM:
            return DestinationError(
                f"no permission to write here{where}.\n"
                "  Run it in a folder of your own, or change the permissions."
            )
        case _:
            return None


def _full(where: str) -> DestinationError:
    return DestinationError(
        f"the disk is full{where}.\n  Make room and run it again; what was loaded before stays."
    )


def _limited(where: str) -> DestinationError:
    return DestinationError(
        f"a file may not become longer here{where}.\n"
        "  Raise the limit (ulimit -f) and run it again; what was loaded before stays."
    )


def of_database(fault: BaseException) -> DestinationError | None:
    """Explain an error of DuckDB; None if it is another one."""
    import duckdb  # noqa: PLC0415 - slow to import

    if not isinstance(fault, duckdb.Error):
        return None
    first = why(fault)
    if any(words in first for words in _NO_ROOM):
        return _full(f": {first}")
    if _TOO_LONG in first:
        return _limited(f": {first}")
    if isinstance(fault, duckdb.IOException):
        return _of_file(first)
    return DestinationError(f"DuckDB refused: {first}\n  Run it again, or report it.")


def _of_file(first: str) -> DestinationError:
    if "lock" in first:
        return DestinationError(
            "the DuckDB file is open in another program, which keeps it to itself.\n"
            f"  {first}\n"
            "  Close that program and run it again."
        )
    if any(words in first for words in _TORN):
        return DestinationError(
            f"DuckDB cannot read its file: {first}\n"
            "  One that was cut off before it held a row has been removed: run it again.\n"
            "  Check the path, if it is still there: name another file, or put a backup there."
        )
    return DestinationError(
        f"DuckDB could not use its file: {first}\n"
        "  Check the path, its permissions and the room on its disk."
    )


def of_destination(fault: BaseException) -> DestinationError | None:
    """Explain a step of dlt that failed at the destination; None if it is another one."""
    from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: PLC0415 - slow to import

    if not isinstance(fault, PipelineStepFailed) or fault.step not in {"sync", "load"}:
        return None
    if fault.step == "sync":
        return DestinationError(
            f"the destination cannot be asked what it has: {why(fault.exception)}\n"
            "  Nothing was done: run it again once the destination works."
        )
    return DestinationError(
        f"the destination could not be loaded: {why(fault.exception)}\n"
        "  What was extracted is kept: run it again to load it, once the destination works."
    )
