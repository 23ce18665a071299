"""What README and docs show is run: Python as it stands, commands at least as far as they exist."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_owlette import TOKEN, small_owlette

import roost
from opsnest import errors
from opsnest.cli import app
from opssim import (
    CloudBotSimulator,
    OwletteSimulator,
    RoostSimulator,
    RootlySimulator,
    Simulator,
    serve,
)

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / "packages" / name / "README.md" for name in ("opsnest", "owlette-sdk", "restarrow")),
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for found in _FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, found[1], found[2])


BLOCKS = list(blocks())
PYTHON = [block for block in BLOCKS if block.language == "python"]
CONSOLE = [block for block in BLOCKS if block.language == "console"]


def test_every_block_names_its_language() -> None:
    known = {"python", "console", "toml", "text"}
    assert {str(block) for block in BLOCKS if block.language not in known} == set()
    assert PYTHON
    assert CONSOLE


#: The platforms, and the words of code that needs them.
PLATFORMS: Sequence[tuple[re.Pattern[str], Callable[[], Simulator]]] = (
    (re.compile("rootly_incident"), lambda: RootlySimulator(incidents=20, alerts=20)),
    (re.compile("roost_source"), lambda: RoostSimulator(tests=5, events=5)),
    (re.compile(r"cloud_bot|opsnest\.actions"), lambda: CloudBotSimulator(executions=20)),
    (re.compile("owlette_source"), lambda: OwletteSimulator(machines=2)),
)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_runs(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()  # what the examples push
    (tmp_path / "dist" / "index.html").write_text("<h1>hello</h1>")
    with ExitStack() as stack:
        owlette = stack.enter_context(small_owlette())
        for words, make in PLATFORMS:
            if words.search(block.code):
                running = stack.enter_context(serve(make()))
                for name, value in running.configuration.items():
                    monkeypatch.setenv(name, value)
        monkeypatch.setenv("OWLETTE_TOKEN", TOKEN)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        # what would go to the real API
        monkeypatch.setitem(roost.Roost.__init__.__kwdefaults__ or {}, "api_url", owlette.url)
        exec(compile(block.code, str(block), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_commands_exist(block: Block) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = {str(command.name or "demo") for command in app.registered_commands}
    commands |= {str(group.name) for group in app.registered_groups}
    shown = re.findall(r"^\$ (\S+) (\S+)", block.code, re.MULTILINE)
    assert shown
    for program, argument in shown:
        match program:
            case "make":
                assert argument in targets
            case "opsnest":
                assert argument in commands
            case "python":
                assert argument == "-m"
            case _:
                assert program == "pip"


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    described = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert described == set(phony[1].split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_tests_that_security_md_names_exist() -> None:
    named = re.findall(r"`([\w/-]*test_\w+\.py)`", (ROOT / "SECURITY.md").read_text())
    assert named
    for name in named:
        places = [ROOT / name, ROOT / "packages/opssim/tests" / name]
        assert any(place.exists() for place in places), name


def test_the_exit_codes_are_those_of_the_errors() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    documented = {
        name: int(code) for code, name in re.findall(r"^\| (\d+) \| `(\w+)`", text, re.MULTILINE)
    }
    actual = {name: getattr(errors, name).exit_code for name in documented}
    assert documented == actual
    assert {"AccessError", "ConfigurationError", "DestinationError"} <= documented.keys()


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs/decisions/0002-dependencies.md").read_text()
    declared: set[str] = set()
    for project in [ROOT / "pyproject.toml", *ROOT.glob("packages/*/pyproject.toml")]:
        settings = tomllib.loads(project.read_text())
        groups = [
            *settings.get("dependency-groups", {}).values(),
            settings.get("project", {}).get("dependencies", []),
            *settings.get("project", {}).get("optional-dependencies", {}).values(),
        ]
        declared |= {re.split(r"[^\w-]", each)[0] for group in groups for each in group}
    assert {"dlt", "httpx", "pytest", "starlette", "ruff"} <= declared
    ours = {path.name for path in (ROOT / "packages").iterdir()}
    missing = {name for name in declared - ours if not re.search(rf"\b{name}\b", reasons)}
    assert missing == set()
