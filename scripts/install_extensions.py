"""Install DuckDB's extensions from packages, as DuckDB itself would download them.

dlt reads files in clouds, and tables of Delta and Iceberg, with them.
"""

from __future__ import annotations

import site
from pathlib import Path

import duckdb

FORM = "duckdb_extension_*/extensions/v*/*.duckdb_extension"

with duckdb.connect() as connection:
    for folder in site.getsitepackages():
        for path in sorted(Path(folder).glob(FORM)):
            connection.execute(f"FORCE INSTALL '{path}'")
