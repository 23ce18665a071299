"""REST pages to Arrow tables, with the same tables as dlt.

- `read`, `stream`: lists as Arrow tables, without dlt.
- `restarrow.dlt`: a drop-in for dlt's `rest_api`, with the extra `dlt`.
- `restarrow.http`, `restarrow.paging`, `restarrow.normalise`: what both are made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restarrow.streaming import read, stream

__all__ = ["read", "stream"]


def __getattr__(name: str) -> Any:
    """Import what is offered when it is first asked for: pyarrow and httpx take their time."""
    if name in __all__:
        return getattr(import_module("restarrow.streaming"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
