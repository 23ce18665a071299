"""REST pages to Arrow tables, with the same tables as dlt: yet to be written.

This release holds the name and nothing else: importing it works, and there is nothing to call.
"""

from __future__ import annotations

__all__: list[str] = []
