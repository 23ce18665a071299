"""Where the steps of a run are done: in its own process, in others, or on a Dask cluster."""

from __future__ import annotations

import os
from typing import Final, Literal

import dagster as dg

from opsnest.errors import ConfigurationError

__all__ = ["EXECUTOR", "EXECUTORS", "Executor", "executor_of"]

Executor = Literal["in-process", "multiprocess", "dask"]
EXECUTORS: Final[tuple[Executor, ...]] = ("in-process", "multiprocess", "dask")

#: The variable that names the executor, where `definitions` does not.
EXECUTOR: Final = "OPSNEST_EXECUTOR"
#: The variable that Dask itself has for the address of a scheduler.
_SCHEDULER: Final = "DASK_SCHEDULER_ADDRESS"


def executor_of(name: str | None = None) -> dg.ExecutorDefinition:
    """Return an executor by its name; that of `OPSNEST_EXECUTOR` if there is none.

    Dask's scheduler is the one at `DASK_SCHEDULER_ADDRESS`; without that, a cluster of this machine
    is made for each run.

    Raises:
        ConfigurationError: there is no such executor, or dagster-dask is missing.
    """
    name = name or os.environ.get(EXECUTOR) or "multiprocess"
    match name:
        case "in-process":
            return dg.in_process_executor
        case "multiprocess":
            return dg.multiprocess_executor
        case "dask":
            return _dask()
        case _:
            message = (
                f"there is no executor {name!r}.\n"
                f"  Known: {', '.join(EXECUTORS)}; give it as executor=..., or in {EXECUTOR}."
            )
            raise ConfigurationError(message)


def _dask() -> dg.ExecutorDefinition:
    try:
        from opsnest.dagster.dask_tasks import OneTaskPerRun  # noqa: PLC0415 - an extra
    except ImportError:
        message = "the executor dask needs dagster-dask.\n  pip install 'opsnest[dagster,dask]'"
        raise ConfigurationError(message) from None
    address = os.environ.get(_SCHEDULER)

    def make(_context: dg.InitExecutorContext) -> dg.Executor:
        return OneTaskPerRun(address)

    needs = dg.multiple_process_executor_requirements()
    return dg.executor(name="dask", requirements=needs)(make)
