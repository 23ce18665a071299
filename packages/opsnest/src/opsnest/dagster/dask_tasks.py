"""Hand the steps of a run to Dask, so that they arrive there.

dagster-dask 0.29 does that in two ways that do not hold for a backfill:

- It names a task after its job and step. Of two runs of a job at once, as the months of a backfill
  are, Dask does one then, and hands its result to the other, which ends as a success without having
  done anything (dagster-io/dagster#21418). Here the name has the run in it.
- It gives Dask what Dagster knows of the run as arguments, and Dask looks into tuples for other
  tasks. Those of a run with partitions or pools refuse that, and it fails. Here they are within the
  function, where Dask does not look.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from dagster._core.errors import raise_execution_interrupts
from dagster._utils import iterate_with_context
from dagster_dask.executor import (
    DaskExecutor,
    get_dask_resource_requirements,
    query_on_dask_worker,
)
from dask import distributed

if TYPE_CHECKING:
    from dagster._core.events import DagsterEvent
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan

__all__ = ["OneTaskPerRun"]


#: Published without types.
_distributed: Any = distributed


class OneTaskPerRun(DaskExecutor):
    """Gives each run of a job tasks of its own.

    Args:
        address: where the scheduler is; None for a cluster of this machine.
    """

    def __init__(self, address: str | None) -> None:
        configuration = {"address": address} if address else {}
        kind = "existing" if address else "local"
        super().__init__(kind, configuration)  # type: ignore[no-untyped-call]
        self._address = address

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Generator[DagsterEvent, Any, None]:
        """Do the steps of a run on the cluster, and yield what they say."""
        tasks: dict[str, Any] = {}
        # Dagster is not made for threads
        cluster = self._address or _distributed.LocalCluster(threads_per_worker=1)
        with _distributed.Client(cluster) as client:
            for step in (
                step for level in execution_plan.get_steps_to_execute_by_level() for step in level
            ):
                work = partial(
                    query_on_dask_worker,
                    recon_job=plan_context.reconstructable_job,
                    dagster_run=plan_context.dagster_run,
                    run_config=plan_context.run_config,
                    step_keys=[step.key],
                    instance_ref=plan_context.instance.get_ref(),
                    known_state=execution_plan.known_state,
                )
                before = [tasks[key] for each in step.step_inputs for key in each.dependency_keys]
                tasks[step.key] = client.submit(
                    work,
                    before,
                    key=f"{plan_context.job_name}.{step.key}.{plan_context.run_id}",
                    resources=get_dask_resource_requirements(step.tags),
                    pure=False,
                )
            ended = _distributed.as_completed(list(tasks.values()), with_results=True)
            for _, events in iterate_with_context(raise_execution_interrupts, ended):
                yield from events
