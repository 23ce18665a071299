"""What fuzzing has found, and inputs like it, hold for every target; `make fuzz` looks for more."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from fuzz.run import FOLDER, targets


@pytest.mark.parametrize("name", targets())
def test_the_corpus_of_a_target_holds(name: str) -> None:
    target: Any = import_module(f"fuzz.targets.{name}")
    inputs = sorted((FOLDER / "corpus" / name).iterdir())
    assert inputs
    for path in inputs:
        target.one(path.read_bytes())
