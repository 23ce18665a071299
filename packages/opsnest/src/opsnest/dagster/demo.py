"""The demo on Dagster: four simulated platforms, their assets, schedules and checks.

    opsnest dagster demo

or, with an instance of your own, `dagster dev -m opsnest.dagster.demo`. The code location serves
the simulators on this machine; the runs, its children, find their addresses in a variable.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import dagster as dg
import dlt

from opsnest.dagster.defining import definitions
from opsnest.demo import serve, simulators, source_of
from opsnest.loading import PLATFORMS

__all__ = ["DATABASE", "FOLDER", "defs"]

#: The DuckDB file that the demo loads into.
DATABASE: Final = Path("opsnest_dagster_demo.duckdb")
#: Where it keeps its records.
FOLDER: Final = Path(".opsnest_demo") / "dagster"
#: The variable with the settings of the simulators that are being served.
_SERVED: Final = "OPSNEST_DAGSTER_DEMO"
_INCIDENTS: Final = 300
#: The simulated data begin two years before this demo's first of July 2026.
_MONTHS_FROM: Final = "2024-07"

_serving = ExitStack()  # until the code location ends


def _settings() -> dict[str, dict[str, str]]:
    """Return the settings of each simulator; serve them if no parent process does."""
    if _SERVED in os.environ:
        settings: dict[str, dict[str, str]] = json.loads(os.environ[_SERVED])
        return settings
    FOLDER.mkdir(parents=True, exist_ok=True)
    served = {
        name: dict(_serving.enter_context(serve(simulator)).configuration)
        for name, simulator in simulators(_INCIDENTS)(FOLDER.absolute()).items()
    }
    os.environ[_SERVED] = json.dumps(served)
    return served


def _definitions() -> dg.Definitions:
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    settings = _settings()
    return definitions(
        *PLATFORMS,
        destination=dlt.destinations.duckdb(str(DATABASE.absolute())),
        months_from=_MONTHS_FROM,
        sources={name: partial(source_of, name, settings[name]) for name in PLATFORMS},
        pipelines_dir=FOLDER.absolute() / "pipelines",
    )


defs = _definitions()
