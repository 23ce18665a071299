"""The examples of the README, run as they stand."""

import re
from pathlib import Path

import pytest

import opssim

pytest_plugins = ["pytester"]

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", blocks("python"))
def test_python(example: str) -> None:
    exec(compile(example, "README.md", "exec"), {})


def test_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (example,) = blocks("python pytest")
    pytester.makepyfile(example)
    # it has been imported by this pytest, of which that one would warn
    imported = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    plain = ("-p", "no:cacheprovider", "-W", "error", "-W", imported)
    pytester.runpytest_inprocess(*plain, "-p", "opssim.pytest_plugin").assert_outcomes(passed=2)


def test_names_exist() -> None:
    quirks = set(re.findall(r"\b(\w+Quirks)\b", README))
    assert quirks == {name for name in opssim.__all__ if name.endswith("Quirks")}
