"""What the package promises: no dlt in its core, types, and an import that takes no time."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packages.restarrow.tests.scripted_server import reply, scripted

import restarrow


def test_dlt_is_an_extra() -> None:
    declared = [each for each in requires("restarrow") or [] if each.startswith("dlt")]
    assert len(declared) == 1
    assert declared[0].partition(";")[2].strip().replace("'", '"') == 'extra == "dlt"'


def test_types_are_shipped() -> None:
    assert (Path(str(restarrow.__file__)).parent / "py.typed").exists()


def test_importing_it_imports_nothing_of_ours() -> None:
    code = "import sys, restarrow; print({'dlt', 'opsnest', 'roost'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "set()\n"


def test_nothing_is_offered_that_is_not_there() -> None:
    assert [name for name in restarrow.__all__ if not hasattr(restarrow, name)] == []


_READ = """
import sys, time
sys.modules["dlt"] = None  # cannot be imported
began = time.perf_counter()
import restarrow
print(time.perf_counter() - began)
tables = restarrow.read({"client": {"base_url": sys.argv[1]}, "resources": ["things"]})
print(tables["things"].column("id").to_pylist())
"""


def test_it_reads_without_dlt_and_imports_at_once() -> None:
    with scripted(lambda _: reply({"data": [{"id": 1}, {"id": 2}]})) as server:
        said = [
            subprocess.run(
                [sys.executable, "-c", _READ, server.url],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout.splitlines()
            for _ in range(3)
        ]
    assert min(float(seconds) for seconds, _ in said) < 0.25
    assert {rows for _, rows in said} == {"[1, 2]"}


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        restarrow.nothing  # noqa: B018
