"""What the package promises before it holds anything: one dependency, types, a quick import."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import roost


def test_httpx_is_the_only_dependency() -> None:
    assert requires("owlette-sdk") == ["httpx>=0.27"]


def test_types_are_shipped() -> None:
    assert (Path(str(roost.__file__)).parent / "py.typed").exists()


def test_importing_it_imports_nothing_of_ours() -> None:
    code = "import sys, roost; print({'dlt', 'opsnest', 'restarrow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "set()\n"


def test_nothing_is_offered_that_is_not_there() -> None:
    assert [name for name in roost.__all__ if not hasattr(roost, name)] == []
