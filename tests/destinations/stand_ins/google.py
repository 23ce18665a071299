"""Google's storage by fake-gcs-server and BigQuery by bqemulator, with Google's own clients."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import dlt
from tests.destinations.stand_ins.statements import Statements

__all__ = ["bigquery", "gcs"]


def _nobody() -> Any:
    """Return credentials that are nobody's."""
    specs: Any = import_module("dlt.common.configuration.specs.gcp_credentials")
    base: Any = import_module("google.auth.credentials").AnonymousCredentials
    nobody = type("Nobody", (base,), {"quota_project_id": "p1"})()
    credentials = specs.GcpServiceAccountCredentials()
    specs.GcpDefaultCredentials.parse_native_representation(credentials, nobody)
    return credentials


def gcs(address: str, folder: str, monkeypatch: Any) -> Any:
    """Return dlt's destination for files, which loads into the storage at this address."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    # it would ask by gRPC for a minute what the emulator cannot answer
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    return dlt.destinations.filesystem(
        f"gs://bucket/{folder}",
        credentials=_nobody(),
        kwargs={"endpoint_url": address, "token": "anon"},
    )


def bigquery(address: str, statements: Statements, monkeypatch: Any) -> Any:
    """Return dlt's BigQuery destination, which loads into the emulator at this address."""
    cursor: Any = import_module("google.cloud.bigquery.dbapi.cursor").Cursor
    execute = cursor.execute

    def executed(self: Any, operation: str, *args: Any, **kwargs: Any) -> Any:
        statements.note(operation)
        return execute(self, operation, *args, **kwargs)

    monkeypatch.setattr(cursor, "execute", executed)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
    # the emulator does not unpack files
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION", "true")
    return dlt.destinations.bigquery(credentials=_nobody())
