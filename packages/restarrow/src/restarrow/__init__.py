"""REST pages to Arrow tables, with the same tables as dlt.

- `restarrow.normalise`: rows into parent and child tables.
- `restarrow.http`: pages, fetched patiently.
- `restarrow.dlt`: both behind dlt's `rest_api`, with the extra `dlt`.
"""

from __future__ import annotations

__all__: list[str] = []
