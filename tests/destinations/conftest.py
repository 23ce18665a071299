"""Servers that the tests of destinations load into. One that cannot be started fails the tests."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.destinations.servers.fixtures import (
    azurite,
    bigquery,
    extensions,
    fake_gcs,
    fakesnow,
    moto,
)

__all__ = ["azurite", "bigquery", "extensions", "fake_gcs", "fakesnow", "moto"]

#: Not to be seen in any message.
PASSWORD = "a-password-that-is-nowhere-to-be-seen"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep dlt to a folder of the test, and to itself."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres() -> Generator[str]:
    """Start a PostgreSQL of our own, and yield its address."""
    programs = _programs()
    # it refuses to run as root
    user = "postgres" if getpass.getuser() == "root" else None
    folder = Path(tempfile.mkdtemp(prefix="opsnest-pg-"))
    if user:
        shutil.chown(folder, "postgres")
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data, port = folder / "data", _free_port()

    def command(program: str, *words: str) -> None:
        subprocess.run(
            [programs / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
            cwd=folder,
            user=user,
        )

    command("initdb", "-D", str(data), "-U", "loader", "-A", "md5", f"--pwfile={secret}", "-N")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        " -c synchronous_commit=off -c full_page_writes=off"
    )
    command("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://loader:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        command("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, the newest where there are several."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb")
    if not debian and not found:
        pytest.fail("PostgreSQL is not installed: run scripts/install_postgres.sh", pytrace=False)
    return debian[-1].parent if debian else Path(str(found)).resolve().parent


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
