"""Azure's storage by Azurite. How DuckDB reads is changed: dlt gives it no other address."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import dlt
from tests.destinations.servers.fixtures import AZURE_ACCOUNT, AZURE_KEY

__all__ = ["azure"]


def azure(words: str, folder: str, monkeypatch: Any) -> Any:
    """Return dlt's destination for files, which loads into the storage that these words tell of."""
    client: Any = import_module("dlt.destinations.impl.duckdb.sql_client").DuckDbSqlClient
    build = client._build_secret_statements
    where = words.partition("AccountName=")[0]

    def built(*args: Any, **kwargs: Any) -> list[str]:
        return [
            text.replace("AccountName=", f"{where}AccountName=") for text in build(*args, **kwargs)
        ]

    monkeypatch.setattr(client, "_build_secret_statements", staticmethod(built))
    return dlt.destinations.filesystem(
        f"az://container/{folder}",
        credentials={
            "azure_storage_account_name": AZURE_ACCOUNT,
            "azure_storage_account_key": AZURE_KEY,
        },
        kwargs={"connection_string": words},
    )
