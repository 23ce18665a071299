"""Snowflake by fakesnow, over the wire and with Snowflake's own connector.

Not shown by this: dlt's PUT and COPY word by word, as fakesnow reads them in other words; JSON
files, which dlt loads by default; many statements in one; and files in buckets.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import dlt
from tests.destinations.stand_ins.statements import Statements

__all__ = ["snowflake"]


def snowflake(port: int, statements: Statements, monkeypatch: Any) -> Any:
    """Return dlt's Snowflake destination, which loads into the fakesnow at this port."""
    cursor: Any = import_module("snowflake.connector.cursor").SnowflakeCursor
    execute = cursor.execute

    def executed(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        # of the connector's own there are some at the start of a session
        statements.note(command)
        kwargs.pop("num_statements", None)
        return execute(self, _for_fakesnow(command), *args, **kwargs)

    monkeypatch.setattr(cursor, "execute", executed)
    return dlt.destinations.snowflake(
        f"snowflake://fake:snow@fakesnow/DB1?host=127.0.0.1&port={port}&protocol=http"
        "&warehouse=WH&role=R&network_timeout=5",
        supports_multiple_statements=False,
        preferred_loader_file_format="parquet",
        supported_loader_file_formats=["parquet", "model"],
    )


def _for_fakesnow(command: str) -> str:
    """Return a PUT or COPY as fakesnow reads it: stages without quotes, and options that it has."""
    verb = command.lstrip().upper()
    if not verb.startswith(("PUT", "COPY INTO")):
        return command
    command = re.sub(r"'(@[^']*)'", lambda found: _stage(found[1]), command)
    if verb.startswith("PUT"):
        return command.replace(", AUTO_COMPRESS", " AUTO_COMPRESS")
    command = re.sub(r",?\s*(BINARY_AS_TEXT|USE_LOGICAL_TYPE)\s*=\s*\w+", "", command)
    return re.sub(r"MATCH_BY_COLUMN_NAME\s*=\s*'(\w+)'", r"MATCH_BY_COLUMN_NAME=\1", command)


def _stage(stage: str) -> str:
    return re.sub(r'/"([^"]*)"', r"/\1", stage)
