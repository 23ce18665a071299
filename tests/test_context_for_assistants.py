"""`opsnest context`: what an assistant is told of a platform is true, and its example runs."""

from __future__ import annotations

import re
import tomllib

import pytest
from typer.testing import CliRunner

from opsnest.catalogue import CATALOGUES, STRATEGIES, Catalogue
from opsnest.catalogue.context import context
from opsnest.cli import app
from opsnest.loading import PLATFORMS
from opssim import CloudBotSimulator, OwletteSimulator, RoostSimulator, RootlySimulator, Simulator
from opssim.pytest_plugin import Simulate

each_catalogue = pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=list(CATALOGUES))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def small(platform: str) -> Simulator:
    match platform:
        case "roost":
            return RoostSimulator(tests=5, events=5)
        case "rootly":
            return RootlySimulator(incidents=10, alerts=10)
        case "cloud-bot":
            return CloudBotSimulator(executions=10)
        case _:
            return OwletteSimulator(machines=2)


@each_catalogue
def test_it_names_every_list_setting_secret_and_trouble(catalogue: Catalogue) -> None:
    text = context(catalogue)

    for entry in catalogue.entries:
        (row,) = re.findall(rf"^\| `{entry.name}` \| (?:yes)? ?\|.*$", text, re.MULTILINE)
        line = next(each for each in text.splitlines() if each.startswith(f"| `{entry.name}` |"))
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert row
        assert cells[1] == ("yes" if entry.selected else "")
        assert cells[3] == ", ".join(f"`{column}`" for column in entry.key)
        assert cells[4] == entry.strategy
        assert entry.strategy in STRATEGIES
        assert all(f"`{path}`" in text for path in entry.secrets)
    for name, where, _ in catalogue.settings:
        assert f"`{name}`" in text
        if where in {"secrets", "config"}:
            assert f"`SOURCES__{catalogue.source}__{name}`".upper() in text
    assert all(problem in text for problem, _ in catalogue.troubles)


@each_catalogue
def test_it_has_all_that_an_assistant_asks_for(catalogue: Catalogue) -> None:
    text = context(catalogue)

    for heading in (
        *("Credentials", "A pipeline that runs", "Lists", "Only what changed", "Limits"),
        *("Deleted rows", "Secrets in rows", "Tables and nested tables", "Destinations"),
        "When something goes wrong",
    ):
        assert f"\n## {heading}\n" in text
    assert "Never open, print, search or copy `.dlt/secrets.toml`" in text
    assert "](" not in text  # links would lead nowhere from where it is read
    assert ("`deleted_at` has the time" in text) == catalogue.marks
    _, pipeline, dataset = PLATFORMS[catalogue.platform]
    assert f"`{pipeline}`" in text
    assert f"`{dataset}`" in text


@each_catalogue
def test_its_settings_are_toml_without_values(catalogue: Catalogue) -> None:
    (block,) = blocks(context(catalogue), "toml")
    settings = tomllib.loads(block)["sources"][catalogue.source]

    expected = {name for name, where, _ in catalogue.settings if where == "secrets"}
    assert settings.keys() == expected
    assert set(settings.values()) <= {"..."}


@pytest.mark.slow
@each_catalogue
def test_its_examples_run(
    catalogue: Catalogue, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = simulate(small(catalogue.platform))
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)
    examples = blocks(context(catalogue), "python")

    assert len(examples) == 2
    for example in examples:
        exec(compile(example, catalogue.platform, "exec"), {"__name__": "__main__"})


@each_catalogue
def test_the_command_prints_it(catalogue: Catalogue) -> None:
    printed = CliRunner().invoke(app, ["context", catalogue.platform])

    assert printed.exit_code == 0
    assert printed.stdout == context(catalogue)


def test_the_commands_in_it_exist() -> None:
    commands = {str(each.name or "demo") for each in app.registered_commands}
    shown = {
        command
        for catalogue in CATALOGUES.values()
        for block in blocks(context(catalogue), "console")
        for command in re.findall(r"^\$ opsnest (\S+)", block, re.MULTILINE)
    }
    assert shown == {"load", "plan", "sources", "status"} & (commands | {"status"})


def test_a_platform_that_is_none_is_told() -> None:
    printed = CliRunner().invoke(app, ["context", "nope"])

    assert printed.exit_code == 3
    assert "there is no platform 'nope'" in printed.stderr
