"""Fixtures for the tests of whatever reads these APIs: each is a simulator that answers.

The plugin is loaded wherever opssim is installed, so nothing heavy is imported before a test asks
for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

import opssim

if TYPE_CHECKING:
    from opssim import (
        CloudBotSimulator,
        OwletteSimulator,
        RoostSimulator,
        RootlySimulator,
        Running,
        Simulator,
    )

S = TypeVar("S", bound="Simulator")


class Simulate(Protocol):
    """The type of the fixture `simulate`."""

    def __call__(self, simulator: S, port: int = 0) -> Running[S]:
        """Serve a simulator until the test is over."""
        ...


@pytest.fixture
def simulate() -> Generator[Simulate]:
    """Serve the simulators that a test makes itself; all of them stop at its end."""
    with ExitStack() as running:

        def start(simulator: S, port: int = 0) -> Running[S]:
            return running.enter_context(opssim.serve(simulator, port))

        yield start


@pytest.fixture
def rootly_simulator(simulate: Simulate) -> Running[RootlySimulator]:
    """Serve a small Rootly."""
    return simulate(
        opssim.RootlySimulator(
            incidents=30, alerts=40, users=10, services=8, alert_events=80, shifts=60
        )
    )


@pytest.fixture
def roost_simulator(simulate: Simulate) -> Running[RoostSimulator]:
    """Serve a small Roost.ai."""
    return simulate(opssim.RoostSimulator(tests=20, events=60))


@pytest.fixture
def cloud_bot_simulator(simulate: Simulate) -> Running[CloudBotSimulator]:
    """Serve a small Control Room of Automation Anywhere A360."""
    return simulate(
        opssim.CloudBotSimulator(executions=60, bots=10, users=8, devices=5, audit_messages=60)
    )


@pytest.fixture
def owlette_simulator(simulate: Simulate) -> Running[OwletteSimulator]:
    """Serve a small Owlette, whose machines are quick."""
    return simulate(opssim.OwletteSimulator(machines=4, pace_s=0.02, webhook_delay_s=0.1))
