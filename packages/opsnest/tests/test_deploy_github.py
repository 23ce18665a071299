"""`opsnest deploy github`: the workflow is one, and asks for what each load needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from packages.opsnest.tests.test_deploy import TOKEN, croniter, deploy, workflow

from opsnest.deploy import variables
from opsnest.destinations import extra_of
from opsnest.errors import ConfigurationError
from opsnest.loading import PLATFORMS
from opsnest.sources import cloud_bot_source
from opssim import CloudBotSimulator
from opssim.pytest_plugin import Simulate


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_workflow_is_one(platform: str) -> None:
    found = workflow(platform, "--to", "postgres", "--timeout", "30m")

    # YAML 1.1 reads `on` as true; GitHub does not
    assert found.keys() == {"name", True, "permissions", "concurrency", "jobs"}
    assert found[True].keys() == {"schedule", "workflow_dispatch"}
    (when,) = found[True]["schedule"]
    assert croniter.is_valid(when["cron"])
    assert found["permissions"] == {"contents": "read"}
    assert found["concurrency"] == {"group": PLATFORMS[platform][1], "cancel-in-progress": False}
    (job,) = found["jobs"].values()
    assert job.keys() == {"runs-on", "timeout-minutes", "steps"}
    assert job["timeout-minutes"] == 30
    *before, load = job["steps"]
    assert [each["uses"].partition("@")[0] for each in before if "uses" in each] == [
        "actions/checkout",
        "actions/setup-python",
    ]
    assert isinstance(before[1]["with"]["python-version"], str)
    assert re.fullmatch(r"python -m pip install 'opsnest\[postgres\]==[\d.]+'", before[2]["run"])
    assert load["run"] == f"python -m opsnest load {platform} --to postgres"
    for name, value in load["env"].items():
        assert value in {f"${{{{ secrets.{name} }}}}", f"${{{{ vars.{name} }}}}"}
    needed = [
        *variables.source_variables(platform),
        *variables.destination_variables("postgres"),
    ]
    assert list(load["env"]) == [each.name for each in needed]
    assert "DESTINATION__POSTGRES__CREDENTIALS" in load["env"]


def test_the_variables_are_those_that_each_source_has_no_value_for() -> None:
    names = {
        platform: [
            (each.name.rpartition("__")[2], each.secret, each.optional)
            for each in variables.source_variables(platform)
        ]
        for platform in PLATFORMS
    }
    token = [("TOKEN", True, False)]
    assert names == {
        "roost": token,
        "rootly": token,
        "owlette": token,
        "cloud-bot": [
            ("CONTROL_ROOM_URL", False, False),
            ("USERNAME", True, False),
            ("API_KEY", True, True),
            ("PASSWORD", True, True),
        ],
    }
    assert variables.source_variables("rootly")[0].name == TOKEN


@pytest.mark.parametrize(
    ("to", "url", "extra", "names"),
    [
        ("duckdb", "", "", []),
        ("bigquery", "", "bigquery", ["CREDENTIALS"]),
        ("databricks", "", "databricks", ["CREDENTIALS__SERVER_HOSTNAME", "CREDENTIALS__HTTP_PATH",
            "CREDENTIALS__CATALOG", "CREDENTIALS__ACCESS_TOKEN"]),
        ("filesystem", "s3://b", "s3", ["BUCKET_URL", "CREDENTIALS__AWS_ACCESS_KEY_ID",
            "CREDENTIALS__AWS_SECRET_ACCESS_KEY"]),
        ("filesystem", "az://b", "azure", ["BUCKET_URL", "CREDENTIALS__AZURE_STORAGE_ACCOUNT_NAME",
            "CREDENTIALS__AZURE_STORAGE_ACCOUNT_KEY"]),
        ("filesystem", "file:///data", "", ["BUCKET_URL"]),
    ],
)  # fmt: skip
def test_each_destination_names_what_it_needs(
    to: str, url: str, extra: str, names: list[str]
) -> None:
    found = variables.destination_variables(to, url)

    assert [each.name.removeprefix(f"DESTINATION__{to.upper()}__") for each in found] == names
    assert extra_of(to, url) == extra


def test_a_secret_that_is_set_here_is_written_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "rootly-token-of-somebody")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://u:hidden-word@h/db")
    for kind in ("cron", "systemd", "github"):
        said = deploy(kind, "rootly", "--to", "postgres").output
        assert "opsnest-rootly" in said
        assert "rootly-token-of-somebody" not in said
        assert "hidden-word" not in said


def test_files_that_a_runner_would_lose_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = deploy("github", "rootly")
    assert "warning: a runner's disk is gone after each run" in lost.stderr
    assert "# WARNING: a runner's disk is gone" in lost.stdout
    kept = deploy("github", "rootly", "--to", "postgres")
    assert "runner's disk" not in kept.output
    assert "state is kept at the destination" in kept.stdout
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "file:///data")
    files = deploy("github", "rootly", "--to", "filesystem", "--", "--write", "append")
    assert "is gone after each run" in files.stderr


def test_loads_that_would_be_refused_are_not_deployed() -> None:
    refused = deploy("cron", "rootly", "--to", "filesystem")
    assert refused.exit_code == ConfigurationError.exit_code
    assert "can be merged into" in refused.stderr
    assert "-- --write append" in refused.stderr
    assert refused.stdout == ""


def test_a_workflow_of_a_folder_in_a_repository_is_written_at_its_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "etl" / "it's"
    folder.mkdir(parents=True)

    result = deploy("github", "roost", "--to", "postgres", "--folder", str(folder), "--write")

    assert result.exit_code == 0, result.output
    assert "is no repository" not in result.stderr
    path = tmp_path / ".github/workflows/opsnest-roost.yml"
    assert result.stdout == f"written: {path}\n"
    load = yaml.safe_load(path.read_text())["jobs"]["load"]["steps"][-1]
    assert load["working-directory"] == "etl/it's"
    assert "gh secret set SOURCES__ROOST_SOURCE__TOKEN" in result.stderr
    assert "is no repository" in deploy("github", "roost", "--folder", "/").stderr


def test_a_secret_that_is_not_set_at_github_is_empty_and_does_not_count(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = simulate(CloudBotSimulator(executions=3, bots=2, users=2, devices=1))
    for each in variables.source_variables("cloud-bot"):
        monkeypatch.setenv(each.name, room.configuration.get(each.name, ""))
    rows = list(cloud_bot_source().with_resources("users"))

    assert len(rows) == 2
