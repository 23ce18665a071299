"""What nearly every comparison with dlt needs: two loads to compare, and lists to load."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, lists


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    """Return loads by dlt and by `restarrow.dlt`, of which the tables are compared."""
    return Comparison(tmp_path)


@pytest.fixture
def api() -> Generator[Lists]:
    """Serve lists, of which a test says what is in them."""
    with lists() as served:
        yield served
