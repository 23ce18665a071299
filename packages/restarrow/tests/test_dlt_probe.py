"""The inside of dlt that restarrow needs: looked at first, and done without if it is not there."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract.resource import DltResource
from packages.restarrow.tests.dlt_comparison import Comparison, config, lists

from restarrow.dlt import bridge, sources

ROWS = [{"id": number, "tags": [{"tag": number}]} for number in range(9)]


@pytest.fixture(autouse=True)
def _anew() -> Generator[None]:  # pyright: ignore[reportUnusedFunction]
    sources.engine.cache_clear()
    yield
    sources.engine.cache_clear()


def test_this_dlt_has_all_that_is_needed() -> None:
    """The canary: with a new dlt that breaks it, this is the test to look at first."""
    assert bridge.missing() == []
    assert sources.engine() is not None


def test_without_it_everything_takes_the_path_of_dlt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kind: Any = DltResource
    made = kind._set_hints

    def without(self: Any, *args: Any, **options: Any) -> Any:
        result = made(self, *args, **options)
        self._hints_variants = ()
        return result

    with monkeypatch.context() as patched:
        patched.setattr(kind, "_set_hints", without)
        assert bridge.missing() == ["DltResource._hints_variants"]
    monkeypatch.setattr(bridge, "missing", lambda: ["DltResource._hints_variants"])
    compared = Comparison(tmp_path)
    with lists({"untold": [ROWS]}) as api:
        compared.load(lambda rest: rest.rest_api_source(config(api, "untold")))
    assert compared.arrow.file.exists()
    said = [each.getMessage() for each in caplog.records if each.name == "restarrow.dlt"]
    assert len(said) == 1
    assert f"dlt {dlt.__version__} is not what restarrow was made for" in said[0]
    assert "DltResource._hints_variants" in said[0]
    assert "untold" not in compared.reports
    compared.check()


def test_modules_that_are_gone_are_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> list[str]:
        msg = "cannot import name 'ForkPipe'"
        raise ImportError(msg)

    monkeypatch.setattr(bridge, "missing", gone)
    assert sources.engine() is None
    assert "ForkPipe" in caplog.text
