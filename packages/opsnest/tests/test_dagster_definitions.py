"""What Dagster is told of the platforms: assets, jobs, schedules, checks, executors."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import dagster as dg
import dlt
import pytest
from dagster_dlt import build_dlt_asset_specs

from opsnest.catalogue import CATALOGUES
from opsnest.dagster import OpsnestTranslator, definitions, executor_of
from opsnest.dagster.assets import BY_MONTH, ROWS_MATCH, key_of, spec_of
from opsnest.errors import AccessError, ConfigurationError, DestinationError
from opsnest.loading import PLATFORMS


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    monkeypatch.delenv("OPSNEST_EXECUTOR", raising=False)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)


@pytest.fixture(scope="module")
def everything() -> dg.Definitions:
    return definitions(months_from="2025-01")


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def schedules_of(defs: dg.Definitions) -> dict[str, dg.ScheduleDefinition]:
    found = [each for each in defs.schedules or () if isinstance(each, dg.ScheduleDefinition)]
    return {each.name: each for each in found}


def test_they_can_be_loaded_without_a_secret(everything: dg.Definitions) -> None:
    # op and job of one name are refused here, and nowhere before
    dg.Definitions.validate_loadable(everything)


def test_each_list_that_is_usual_is_an_asset(everything: dg.Definitions) -> None:
    found = specs(everything)
    for platform, catalogue in CATALOGUES.items():
        dataset = PLATFORMS[platform][2]
        usual = {f"{dataset}/{entry.name}" for entry in catalogue.entries if entry.selected}
        assert {key for key in found if key.rpartition("/")[0] == dataset} == usual


def test_assets_tell_what_is_known_of_them(everything: dg.Definitions) -> None:
    spec = specs(everything)["rootly_incident_management_data/incidents"]
    assert spec.group_name == "rootly"
    assert spec.kinds == {"dlt", "duckdb"}
    assert spec.metadata["dagster/table_name"] == "rootly_incident_management_data.incidents"
    assert spec.metadata["source"] == "rootly_incident_management_source"
    assert "documentation" in spec.metadata
    assert "changed since the last load" in str(spec.description)
    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(timedelta(hours=2))


def test_lists_that_have_parts_are_there_by_month_too(everything: dg.Definitions) -> None:
    by_month = {key for key in specs(everything) if f"/{BY_MONTH}/" in key}
    dataset = "rootly_incident_management_data"
    assert {f"{dataset}/{BY_MONTH}/{name}" for name in ("incidents", "alerts", "audits")} < by_month
    assert f"{dataset}/{BY_MONTH}/services" not in by_month
    assert f"cloud_bot_data/{BY_MONTH}/executions" in by_month
    assert not [key for key in by_month if key.startswith(("roost", "owlette"))]


def test_months_begin_where_they_are_asked_to(everything: dg.Definitions) -> None:
    job = everything.resolve_job_def("rootly_by_month")
    assert job.partitions_def is not None
    keys = job.partitions_def.get_partition_keys()
    assert keys[:2] == ["2025-01-01", "2025-02-01"]


def test_without_a_first_month_there_are_none() -> None:
    assert not [key for key in specs(definitions("rootly")) if BY_MONTH in key]


def test_schedules_are_spread_over_the_hour(everything: dg.Definitions) -> None:
    schedules = schedules_of(everything)
    assert set(schedules) == {
        "roost_schedule",
        "rootly_schedule",
        "cloud_bot_schedule",
        "owlette_schedule",
    }
    crons = {str(schedule.cron_schedule) for schedule in schedules.values()}
    assert len(crons) == 4, "all at one minute would be a burst"
    assert all(cron.split()[1:] == ["*"] * 4 for cron in crons)
    running = dg.DefaultScheduleStatus.RUNNING
    assert {schedule.default_status for schedule in schedules.values()} == {running}


def test_schedules_can_wait_and_come_at_other_times() -> None:
    (schedule,) = schedules_of(definitions("rootly", every="15m", running=False)).values()
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert len(str(schedule.cron_schedule).split()[0].split(",")) == 4


def test_a_schedule_leaves_out_a_time_while_a_load_runs() -> None:
    defs = definitions("rootly")
    schedule = defs.resolve_schedule_def("rootly_schedule")
    job = defs.resolve_job_def("rootly")
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(
            instance=instance, repository_def=defs.get_repository_def()
        )
        assert schedule.evaluate_tick(context).run_requests
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        tick = schedule.evaluate_tick(context)
        assert not tick.run_requests
        assert "has not ended yet" in str(tick.skip_message)


def test_lists_with_a_true_number_of_rows_are_checked(everything: dg.Definitions) -> None:
    keys = everything.resolve_asset_graph().asset_check_keys
    checked = {key.asset_key.path[-1] for key in keys}
    assert {key.name for key in keys} == {ROWS_MATCH}
    assert {"incidents", "alerts", "users", "executions"} <= checked
    # they have no total, or one of another thing
    assert not {"alert_events", "shifts", "tests", "machines"} & checked
    assert not [key for key in keys if BY_MONTH in key.asset_key.path]


def test_files_are_not_counted() -> None:
    defs = definitions("rootly", destination=dlt.destinations.filesystem("files"))
    assert not defs.resolve_asset_graph().asset_check_keys


def test_all_that_writes_into_a_dataset_is_in_its_pool(everything: dg.Definitions) -> None:
    pools = {
        job: {cast(Any, node.definition).pool for node in everything.resolve_job_def(job).nodes}
        for job in ("rootly", "rootly_by_month", "cloud_bot")
    }
    assert (
        pools["rootly"] == pools["rootly_by_month"] == {"opsnest_rootly_incident_management_data"}
    )
    assert pools["cloud_bot"] == {"opsnest_cloud_bot_data"}


def test_other_lists_can_be_chosen() -> None:
    found = specs(definitions("rootly", resources={"rootly": ["pulses", "pulses", "users"]}))
    assert sorted(key.rpartition("/")[2] for key in found) == ["pulses", "users"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resources": {"rootly": ["incident"]}}, "no list 'incident'"),
        ({"months_from": "last year"}, "is no month"),
        ({"every": "7m"}, "does not divide"),
        ({"stale_after": "soon"}, "stale_after"),
        ({"executor": "slurm"}, "no executor 'slurm'"),
    ],
)
def test_what_makes_no_sense_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        definitions("rootly", **options)


def test_a_platform_that_is_none_is_said() -> None:
    with pytest.raises(ConfigurationError, match="no platform 'rootley'"):
        definitions("rootley")


class TestExecutors:
    def test_there_is_one_for_each_name(self) -> None:
        assert executor_of("in-process") is dg.in_process_executor
        assert executor_of("multiprocess") is dg.multiprocess_executor
        assert executor_of() is dg.multiprocess_executor
        assert executor_of("dask").name == "dask"

    def test_a_variable_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSNEST_EXECUTOR", "in-process")
        assert definitions("rootly").executor is dg.in_process_executor
        monkeypatch.setenv("OPSNEST_EXECUTOR", "abacus")
        with pytest.raises(ConfigurationError, match="OPSNEST_EXECUTOR"):
            definitions("rootly")

    def test_one_of_dagster_is_taken_as_it_is(self) -> None:
        assert definitions("rootly", executor=dg.in_process_executor).executor

    def test_dask_is_where_its_own_variable_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
        create = executor_of("dask").executor_creation_fn
        assert create is not None
        made: Any = create(None)  # type: ignore[arg-type]
        assert (made.cluster_type, made.cluster_configuration) == (
            "existing",
            {"address": "tcp://127.0.0.1:9"},
        )
        monkeypatch.delenv("DASK_SCHEDULER_ADDRESS")
        create = executor_of("dask").executor_creation_fn
        assert create is not None
        made = create(None)  # type: ignore[arg-type]
        assert made.cluster_type == "local"


class TestWithDagstersOwn:
    def test_assets_of_dlt_assets_have_the_same_keys(self) -> None:
        @dlt.source(name="rootly_incident_management_source")
        def rootly() -> Any:
            return [dlt.resource([{"id": "1"}], name=name) for name in ("incidents", "other")]

        pipeline = dlt.pipeline("p", destination="duckdb", dataset_name="d")
        made = build_dlt_asset_specs(rootly(), pipeline, OpsnestTranslator())
        found = {spec.key: spec for spec in made}
        ours = spec_of("rootly", CATALOGUES["rootly"].by_name["incidents"], kind="duckdb")
        assert found[key_of("rootly", "incidents")].description == ours.description
        assert found[key_of("rootly", "incidents")].group_name == "rootly"
        # what is not ours is as dagster-dlt has it
        assert dg.AssetKey("dlt_rootly_incident_management_source_other") in found


@pytest.mark.slow
def test_without_dagster_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "dagster.py").write_text("raise ModuleNotFoundError(name='dagster')")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from opsnest.explain import exit_on_error\n"
        "with exit_on_error():\n"
        "    import opsnest.dagster\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == ConfigurationError.exit_code
    assert "pip install 'opsnest[dagster]'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        (ConfigurationError("a setting is missing"), False),
        (AccessError("s", "r", "GET", "/x", "refused", "check"), False),
        (DestinationError("it is locked"), True),
    ],
)
def test_what_cannot_get_better_is_not_tried_again(fault: Exception, again: bool) -> None:
    def source(**_options: Any) -> Any:
        raise fault

    defs = definitions(
        "rootly",
        sources={"rootly": source},
        executor="in-process",
        retry_policy=dg.RetryPolicy(max_retries=1, delay=0),
    )
    result = defs.resolve_job_def("rootly").execute_in_process(raise_on_error=False)
    assert not result.success
    events = [event.event_type for event in result.all_events]
    assert (dg.DagsterEventType.STEP_UP_FOR_RETRY in events) is again
    failure = next(event for event in result.all_events if event.is_step_failure)
    data = failure.step_failure_data
    assert data.user_failure_data
    assert str(fault) == data.user_failure_data.description
