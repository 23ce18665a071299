"""The fixtures that opssim brings to other people's tests."""

import subprocess
import sys

import pytest

import opssim
from opssim.pytest_plugin import Simulate

pytest_plugins = ["pytester"]

#: It has been imported by this pytest, of which that one would warn.
IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
PLAIN = ("-p", "no:cacheprovider", "-W", "error", "-W", IMPORTED, "-p", "opssim.pytest_plugin")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the plugins of others, which take their time to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.usefixtures("alone")
def test_each_api_answers_in_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import requests

        def test_rootly(rootly_simulator):
            headers = {
                "Authorization": f"Bearer {rootly_simulator.simulator.token}",
                "Content-Type": "application/vnd.api+json",
            }
            answer = requests.get(f"{rootly_simulator.url}/v1/services", headers=headers)
            assert len(answer.json()["data"]) == 8

        def test_owlette(owlette_simulator):
            headers = {"Authorization": f"Bearer {owlette_simulator.simulator.key}"}
            answer = requests.get(f"{owlette_simulator.url}/api/sites", headers=headers)
            assert [site["id"] for site in answer.json()["sites"]] == ["site-1", "site-2"]

        def test_roost(roost_simulator):
            headers = {"Authorization": f"Bearer {roost_simulator.simulator.token}"}
            answer = requests.get(f"{roost_simulator.url}/api/test/event", headers=headers)
            assert answer.json()["count"] == 60

        def test_cloud_bot(cloud_bot_simulator):
            running = cloud_bot_simulator
            body = {"username": running.simulator.username, "apiKey": running.simulator.api_key}
            answer = requests.post(f"{running.url}/v1/authentication", json=body)
            assert answer.json()["token"]
        """
    )
    pytester.runpytest_inprocess(*PLAIN).assert_outcomes(passed=4)


@pytest.mark.usefixtures("alone")
def test_every_test_gets_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_insert(roost_simulator, turn):
            roost_simulator.simulator.insert("tests")
            assert roost_simulator.simulator.counts()["tests"] == 21
        """
    )
    pytester.runpytest_inprocess(*PLAIN).assert_outcomes(passed=2)


@pytest.mark.usefixtures("alone")
def test_simulators_stop_with_the_test_even_if_it_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import threading
        import opssim

        def servers():
            return [t for t in threading.enumerate() if t.name.startswith("opssim-roost")]

        def test_fails(simulate):
            first = simulate(opssim.RoostSimulator(tests=2, events=3))
            second = simulate(opssim.RoostSimulator(tests=2, events=3))
            assert first.url != second.url
            assert len(servers()) == 2
            raise RuntimeError("on purpose")

        def test_nothing_is_left():
            assert servers() == []
        """
    )
    result = pytester.runpytest_inprocess(*PLAIN)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*RuntimeError: on purpose*"])


def test_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--fixtures", "-v")
    for name in ("simulate", "rootly_simulator", "roost_simulator", "cloud_bot_simulator"):
        result.stdout.fnmatch_lines([f"{name} -- *"])


def test_simulate_here_as_well(simulate: Simulate) -> None:
    running = simulate(opssim.RoostSimulator(tests=2, events=3))
    assert running.simulator.counts()["events"] == 3
    assert running.configuration["SOURCES__ROOST_SOURCE__BASE_URL"] == f"{running.url}/api"


@pytest.mark.parametrize("module", ["opssim", "opssim.pytest_plugin"])
def test_loading_is_light(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'starlette', 'uvicorn', 'msgspec', 'opssim.core', 'requests'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_public_names_are_all_there() -> None:
    assert sorted(opssim.__all__) == opssim.__all__ == dir(opssim)
    for name in opssim.__all__:
        assert getattr(opssim, name).__name__ == name
    assert not hasattr(opssim, "Nothing")
