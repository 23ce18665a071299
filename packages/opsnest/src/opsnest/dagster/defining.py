"""Dagster's definitions of the platforms: assets, jobs, schedules and checks.

Annotations are not put off in this module: Dagster looks at that of `context`, and knows no texts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import dagster as dg

from opsnest.catalogue import CATALOGUES, Entry
from opsnest.dagster.assets import checks_of, group_of, results, spec_of
from opsnest.dagster.executors import executor_of
from opsnest.dagster.loads import Loaded, load_changes, load_month
from opsnest.dagster.places import Place, Source
from opsnest.deploy.jobs import schedule
from opsnest.durations import duration
from opsnest.errors import AccessError, ConfigurationError
from opsnest.explain import explain
from opsnest.loading import PLATFORMS

if TYPE_CHECKING:
    from dlt.common.destination import Destination

__all__ = ["POOL", "definitions"]

#: The pool of all steps that write into one dataset, for instances that limit it.
POOL: Final = "opsnest_{dataset}"

#: What may pass by itself: an API that is down, a database that is locked.
_RETRIES: Final = dg.RetryPolicy(
    max_retries=3, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
_UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def definitions(  # noqa: PLR0913 - each is a setting, with its default
    *platforms: str,
    destination: "str | Destination[Any, Any]" = "duckdb",
    resources: Mapping[str, Sequence[str]] | None = None,
    months_from: str | None = None,
    every: str = "1h",
    stale_after: str = "2h",
    running: bool = True,
    retry_policy: dg.RetryPolicy | None = _RETRIES,
    executor: str | dg.ExecutorDefinition | None = None,
    sources: Mapping[str, Source] | None = None,
    pipelines_dir: Path | None = None,
) -> dg.Definitions:
    """Return Dagster's definitions of platforms: an asset for each list, loaded every hour.

    Args:
        platforms: their names: roost, rootly, cloud-bot, owlette; all of them without any.
        destination: where they are loaded to: a destination of dlt, or its name.
        resources: the lists to load, by platform, where these are not those that are usual.
        months_from: a month, such as `2025-01`: from then on, lists that the API can be asked for
            by time have a second asset that loads them month by month.
        every: how often what has changed is loaded: 15m, 1h, or what divides a day likewise.
        stale_after: how old a list may become before its freshness is said to fail.
        running: whether the schedules run from the start, or wait to be switched on.
        retry_policy: how often a step is tried again; what cannot get better by itself is not.
        executor: `in-process`, `multiprocess` or `dask`, or an executor of Dagster; without, the
            one in the variable `OPSNEST_EXECUTOR`, or `multiprocess`.
        sources: what makes the source of a platform, by platform, where it takes more than its
            settings. It is called with `between=(start, end)` for a month.
        pipelines_dir: where dlt keeps its pipelines, if not in its own folder.

    Raises:
        ConfigurationError: an argument makes no sense.
    """
    names = [_known(name) for name in platforms or PLATFORMS]
    fresh = duration(stale_after, "stale_after")
    first = _month(months_from) if months_from else None
    made = dg.Definitions(
        executor=executor_of(executor) if isinstance(executor, str | None) else executor
    )
    for name in names:
        place = Place(
            platform=name,
            destination=destination,
            source=(sources or {}).get(name) or _usual_source(name),
            folder=pipelines_dir,
        )
        entries = _entries(name, (resources or {}).get(name))
        timetable = schedule(every, name)
        parts = [
            _changes(place, entries, fresh, retry_policy, cron=timetable.cron(), running=running)
        ]
        in_months = [each for each in entries if CATALOGUES[name].has_parts(each)]
        if first and in_months:
            parts.append(_months(place, in_months, first, retry_policy))
        made = dg.Definitions.merge(made, *parts)
    return made


def _known(platform: str) -> str:
    if platform not in PLATFORMS:
        message = f"there is no platform {platform!r}.\n  Known: {', '.join(PLATFORMS)}."
        raise ConfigurationError(message)
    return platform


def _usual_source(platform: str) -> Source:
    """Return what makes a source from its settings, when it is needed."""

    def make(**options: Any) -> Any:
        from opsnest import sources  # noqa: PLC0415 - slow to import

        return getattr(sources, PLATFORMS[platform][0])(**options)

    return make


def _entries(platform: str, names: Sequence[str] | None) -> list[Entry]:
    catalogue = CATALOGUES[platform]
    unknown = [name for name in names or () if name not in catalogue.by_name]
    if unknown:
        message = (
            f"{platform} has no list {unknown[0]!r}.\n  Known: {', '.join(catalogue.by_name)}."
        )
        raise ConfigurationError(message)
    if names is None:
        return [entry for entry in catalogue.entries if entry.selected]
    return [catalogue.by_name[name] for name in dict.fromkeys(names)]


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m").astimezone()
    except ValueError:
        message = f"months_from={text!r} is no month.\n  Months are written like '2025-01'."
        raise ConfigurationError(message) from None


def _changes(
    place: Place,
    entries: Sequence[Entry],
    fresh: timedelta,
    retry_policy: dg.RetryPolicy | None,
    *,
    cron: str,
    running: bool,
) -> dg.Definitions:
    """Return the assets of a platform that load what has changed, and what has them loaded."""
    name = group_of(place.platform)

    @dg.multi_asset(
        name=f"load_{name}",  # not that of the job: Dagster has one name for both
        specs=[spec_of(place.platform, entry, kind=place.kind, fresh=fresh) for entry in entries],
        # files are not counted
        check_specs=[] if place.kind == "filesystem" else checks_of(place.platform, entries),
        can_subset=True,
        retry_policy=retry_policy,
        pool=POOL.format(dataset=place.dataset),
    )
    def changes(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        chosen = _chosen(context, entries)
        loaded = _explained(lambda: load_changes(place, chosen))
        context.log.info(str(loaded.outcome))
        yield from results(context, place.platform, loaded)

    job = _job(name, changes)
    return dg.Definitions(
        assets=[changes],
        jobs=[job],
        schedules=[_unless_running(name, job, cron, running=running)],
    )


def _months(
    place: Place, entries: Sequence[Entry], first: datetime, retry_policy: dg.RetryPolicy | None
) -> dg.Definitions:
    """Return the assets of a platform that load a month at a time."""
    name = group_of(place.platform, by_month=True)

    @dg.multi_asset(
        name=f"load_{name}",  # not that of the job: Dagster has one name for both
        specs=[spec_of(place.platform, entry, kind=place.kind, by_month=True) for entry in entries],
        partitions_def=dg.MonthlyPartitionsDefinition(
            start_date=f"{first:%Y-%m}-01",
            end_offset=1,  # the month that has begun is one, too
        ),
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        can_subset=True,
        retry_policy=retry_policy,
        pool=POOL.format(dataset=place.dataset),
    )
    def months(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        chosen = _chosen(context, entries)
        window, month = context.partition_time_window, context.partition_key
        span = (window.start, window.end)
        loaded = _explained(lambda: load_month(place, chosen, month, span))
        yield from results(context, place.platform, loaded, by_month=True)

    job = _job(name, months)
    return dg.Definitions(assets=[months], jobs=[job])


def _chosen(context: dg.AssetExecutionContext, entries: Sequence[Entry]) -> list[str]:
    """Return the lists that a run is to load."""
    keys = {key.path[-1] for key in context.selected_asset_keys}
    return [entry.name for entry in entries if entry.name in keys]


def _explained(load: Callable[[], Loaded]) -> Loaded:
    """Load, or fail with a message; what cannot get better by itself is not tried again."""
    try:
        return load()
    except Exception as fault:
        error = explain(fault)
        if error is None:
            raise
        again = not isinstance(error, ConfigurationError | AccessError)
        raise dg.Failure(str(error), allow_retries=again) from None


def _job(name: str, assets: dg.AssetsDefinition) -> Any:
    """Return the job that materializes all of these assets."""
    # typed in part only
    return cast(Any, dg).define_asset_job(name, selection=dg.AssetSelection.assets(assets))


def _unless_running(name: str, job: Any, cron: str, *, running: bool) -> dg.ScheduleDefinition:
    """Return a schedule that leaves out a time when the run before has not ended yet."""

    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unfinished = dg.RunsFilter(job_name=name, statuses=_UNFINISHED)
        if context.instance.get_runs_count(unfinished):
            return dg.SkipReason(f"The load of {name} that began before has not ended yet.")
        return dg.RunRequest()

    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=tick,
        execution_timezone="UTC",
        default_status=on if running else off,
    )
