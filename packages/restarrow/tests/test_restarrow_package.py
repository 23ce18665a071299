"""What the package promises before it holds anything: no dlt in its core, types."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

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
