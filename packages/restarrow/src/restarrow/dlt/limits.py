"""The limits that a user may set, in dlt's own configuration: `[restarrow]` in `config.toml`.

Or in the environment, such as `RESTARROW__MAX_BODY`.
"""

from __future__ import annotations

from typing import Any, Final

import dlt

from restarrow.errors import ConfigurationError
from restarrow.http import WireOptions

__all__ = ["max_body", "max_new_columns"]

#: The longest column that Arrow and PostgreSQL take is below 2 GiB, and half of that, respectively.
_MOST_BYTES: Final = 2**30
_COLUMNS: Final = 500


def max_body() -> int:
    """Return how many bytes an answer may have, after decompression.

    Raises:
        ConfigurationError: it is set to what makes no sense.
    """
    return _setting("max_body", WireOptions().max_body, _MOST_BYTES)


def max_new_columns() -> int:
    """Return how many columns a table may get in one load before that is worth a warning.

    Raises:
        ConfigurationError: it is set to what makes no sense.
    """
    return _setting("max_new_columns", _COLUMNS, 10**9)


def _setting(name: str, default: int, most: int) -> int:
    key = f"restarrow.{name}"
    try:
        found: Any = dlt.config.get(key, int)
    except ValueError:
        found = 0
    if found is None:
        return default
    number = int(found)
    if not 1 <= number <= most:
        msg = f"{key} in dlt's configuration must be a number from 1 to {most:,}"
        raise ConfigurationError(msg)
    return number
