"""What holds for every test: no telemetry, and no setting or secret of the machine it runs on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background, as CI may do: programs under test would ignore Ctrl-C as well
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    """Run in an empty folder, with no pipeline and no dlt configuration but what the test sets."""
    if "dlt" in sys.modules:  # one that a test before has left: its state would be taken
        _leave_pipeline()
    for name in list(os.environ):
        if name.startswith(("SOURCES__", "DESTINATION__", "RUNTIME__", "DLT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.chdir(tmp_path)


def _leave_pipeline() -> None:
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - slow to import
    from dlt.common.pipeline import PipelineContext  # noqa: PLC0415 - slow to import

    Container()[PipelineContext].deactivate()
