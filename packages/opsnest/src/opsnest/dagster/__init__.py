"""Opsnest on Dagster: an asset for each list, schedules, checks, and backfills by month.

`definitions` is where to begin; docs/dagster.md tells the rest. It needs `opsnest[dagster]`.
"""

from __future__ import annotations

from opsnest.errors import ConfigurationError

try:
    import dagster as _dagster
    import dagster_dlt as _dagster_dlt
except ImportError as _missing:
    _message = f"{_missing.name} is not installed.\n  pip install 'opsnest[dagster]'"
    raise ConfigurationError(_message) from None

from opsnest.dagster.assets import OpsnestTranslator
from opsnest.dagster.defining import definitions
from opsnest.dagster.executors import executor_of

del _dagster, _dagster_dlt

__all__ = ["OpsnestTranslator", "definitions", "executor_of"]
