"""JSON paths find what jsonpath-ng finds, which dlt uses, or are refused."""

from __future__ import annotations

from dlt.common import jsonpath

from fuzz.taking import Taker
from restarrow.errors import ConfigurationError
from restarrow.paging import finder
from restarrow.paging.paths import plain_names

ALLOWED = (ConfigurationError,)


def one(data: bytes) -> None:
    """Look a path up in a payload."""
    taker = Taker(data)
    path = taker.line().decode("utf-8", "replace")
    payload = taker.json()
    names = plain_names(path)
    try:
        find = finder(path)
    except ALLOWED:
        assert names is None
        return
    assert list(find(payload)) == jsonpath.find_values(path, payload)
    if names is not None:
        found = payload
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        assert found is None or list(find(payload)) == [found]
