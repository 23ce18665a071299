"""Open the destination of a pipeline, and say so in one message where that cannot be done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opsnest.errors import DestinationError

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = ["DUCKDB", "FILES", "connected", "secrets_of", "why"]

DUCKDB: Final = "dlt.destinations.duckdb"
FILES: Final = "dlt.destinations.filesystem"

#: Characters that a secret has, for a text to be looked through for it.
_LEAST: Final = 4


@contextmanager
def connected(pipeline: Pipeline, schema: str | None = None) -> Generator[Any]:
    """Open the destination of a pipeline until the block ends, and yield dlt's client for it.

    Args:
        pipeline: the pipeline.
        schema: the name of the schema that the client is for; the default one without any.

    Raises:
        DestinationError: it cannot be reached.
    """
    destination: Any = pipeline.destination
    closed: Any = pipeline.destination_client(schema or "")
    try:
        client = closed.__enter__()
    except Exception as error:  # each driver has its own
        if isinstance(error, OSError) or destination.destination_type == DUCKDB:
            raise  # `opsnest.explain` knows what is wrong with a file
        message = (
            f"{pipeline.pipeline_name}: the destination cannot be reached: "
            f"{why(error, secrets_of(closed.config))}\n"
            "  Nothing is lost: run it again once the destination works."
        )
        raise DestinationError(message) from error
    try:
        yield client
    finally:
        closed.__exit__(None, None, None)


def why(error: BaseException, secrets: list[str] | None = None) -> str:
    """Return the first line of what an error says, without secrets."""
    from opsnest.secret_scan import mask  # noqa: PLC0415 - slow to import

    first = str(getattr(error, "inner_exc", error)).strip().partition("\n")[0]
    for secret in sorted(secrets or [], key=len, reverse=True):
        first = first.replace(secret, "[secret]")
    return str(mask(first))


def secrets_of(config: Any) -> list[str]:
    """Return the secrets in a configuration of dlt, to keep them out of what is said."""
    from dlt.common.configuration.specs.base_configuration import (  # noqa: PLC0415
        BaseConfiguration,
        is_secret_hint,
    )

    found: list[str] = []
    for name, hint in config.get_resolvable_fields().items():
        value = getattr(config, name, None)
        if isinstance(value, BaseConfiguration):
            found += secrets_of(value)
        elif is_secret_hint(hint) and isinstance(value, str) and len(value) >= _LEAST:
            found.append(value)
    return found
