"""`opsnest sources` and `opsnest plan`, run as their users run them."""

from __future__ import annotations

import re

import pytest
from packages.opsnest.tests.test_cli import TOKEN, Finished, complaint, here, opsnest

from opsnest.catalogue import CATALOGUES
from opsnest.catalogue.rootly import ROOTLY
from opssim import Fault, OwletteSimulator, RootlyQuirks, RootlySimulator, Running
from opssim.pytest_plugin import Simulate

WIDE = {"COLUMNS": "200"}


def lines(finished: Finished) -> list[str]:
    assert finished.returncode == 0, finished.stderr
    return [" ".join(line.split()) for line in finished.stdout.splitlines() if line.strip()]


# opsnest sources


def test_the_platforms_are_shown_with_the_number_of_their_lists() -> None:
    shown = lines(opsnest("sources", env=WIDE))

    for name, catalogue in CATALOGUES.items():
        usual = sum(entry.selected for entry in catalogue.entries)
        assert f"{name} {catalogue.source} {len(catalogue.entries)} {usual}" in shown
    assert "opsnest sources PLATFORM shows its lists" in " ".join(shown)


def test_the_lists_of_a_platform_are_shown_those_by_default_first() -> None:
    shown = lines(here("sources", "rootly", env=WIDE))[1:]

    names = [line.partition(" ")[0] for line in shown]
    assert set(ROOTLY.by_name) <= set(names)
    usual = ["by default" in line for line in shown if line.partition(" ")[0] in ROOTLY.by_name]
    assert usual == sorted(usual, reverse=True)
    assert sum(usual) == sum(entry.selected for entry in ROOTLY.entries)


@pytest.mark.parametrize("command", ["sources", "plan"])
def test_a_platform_that_there_is_not_is_told_which_are_known(command: str) -> None:
    message = complaint(here(command, "pagerduty"), 3)

    assert message.startswith("there is no platform 'pagerduty'.\n  Known: roost, rootly, ")


# opsnest plan


def test_the_plan_names_rows_and_calls_and_their_sum(
    rootly_simulator: Running[RootlySimulator],
) -> None:
    names = ("services", "alerts")
    arguments = [each for name in names for each in ("--resource", name)]
    env = rootly_simulator.configuration | WIDE
    shown = lines(opsnest("plan", "rootly", *arguments, env=env))

    assert any(re.fullmatch(r"services .* for the first time 8 1", line) for line in shown)
    assert any(re.fullmatch(r"alerts .* for the first time 40 2", line) for line in shown)
    assert "3 calls; 0.0 minutes at the 3,000 that a key has in 60 s" in shown

    rootly_simulator.simulator.requests.clear()
    assert here("load", "rootly", *arguments, env=env).returncode == 0
    assert len(rootly_simulator.simulator.requests.all()) == 3

    again = lines(here("plan", "rootly", *arguments, env=env))
    assert not any("for the first time" in line for line in again)


def test_the_plan_of_all_that_is_loaded_by_default_says_at_least(
    rootly_simulator: Running[RootlySimulator],
) -> None:
    env = rootly_simulator.configuration | WIDE
    shown = lines(here("plan", "rootly", env=env))

    usual = {entry.name for entry in ROOTLY.entries if entry.selected}
    assert usual == {line.partition(" ")[0] for line in shown} & set(ROOTLY.by_name)
    assert any(re.match(r"at least \d+ calls; ", line) for line in shown)
    said = "\n".join(shown)
    assert not [each for each in rootly_simulator.simulator.secrets() if each in said]


def test_a_list_that_the_key_may_not_read_is_shown_so(simulate: Simulate) -> None:
    quirks = RootlyQuirks(advanced_alert_routing=True)
    rootly = simulate(RootlySimulator(incidents=5, alerts=5, quirks=quirks))
    arguments = ["--resource", "alert_routing_rules", "--resource", "services"]

    shown = lines(here("plan", "rootly", *arguments, env=rootly.configuration | WIDE))

    assert any(line.startswith("alert_routing_rules may not be read") for line in shown)
    assert any(line.startswith("services ") for line in shown)


def test_a_resource_that_there_is_not_is_told_which_are_known() -> None:
    message = complaint(here("plan", "rootly", "--resource", "incidence", env={TOKEN: "t"}), 3)

    assert "has no resource 'incidence'" in message


def test_a_wrong_token_ends_with_4(rootly_simulator: Running[RootlySimulator]) -> None:
    finished = here(
        "plan", "rootly", env=rootly_simulator.configuration | {TOKEN: "mistyped-token"}
    )

    assert "the credentials were not accepted" in complaint(finished, 4)
    assert "mistyped-token" not in finished.stdout + finished.stderr


def test_an_api_that_fails_ends_with_6(rootly_simulator: Running[RootlySimulator]) -> None:
    rootly_simulator.simulator.faults.add(Fault(path="/v1/services", status=400, body=b"{}"))
    arguments = ["--resource", "services"]

    finished = here("plan", "rootly", *arguments, env=rootly_simulator.configuration)

    assert "GET /v1/services -> 400" in complaint(finished, 6)


def test_a_platform_without_a_plan_says_so(owlette_simulator: Running[OwletteSimulator]) -> None:
    message = complaint(here("plan", "owlette", env=owlette_simulator.configuration), 3)

    assert message.startswith("owlette has no plan")
