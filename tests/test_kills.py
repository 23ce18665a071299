"""Killed (-9) at any moment, a load goes on: equal tables, and next to no call twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.killing import Killed, Loader, killed, requests_of

from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Simulator, serve

SIMULATORS: dict[str, Callable[[], Simulator]] = {
    "roost": lambda: RoostSimulator(tests=400, events=1500),
    "rootly": lambda: RootlySimulator(incidents=1500, alerts=1000, users=50),
    "cloud-bot": lambda: CloudBotSimulator(executions=3000),
}

#: Requests that are on their way at once: one for each of twenty lists, four for the long ones.
AT_ONCE = {"roost": 8, "rootly": 40, "cloud-bot": 8}


def check_kills(platform: str, folder: Path, seed: int, kills: int) -> None:
    moments = random.Random(seed)
    with serve(SIMULATORS[platform]()) as running:
        simulator: Any = running.simulator
        simulator.clock.freeze()
        undisturbed = Loader(platform, folder / "undisturbed", running.configuration)
        began = time.monotonic()
        undisturbed.run()
        seconds = time.monotonic() - began
        calls, wanted = requests_of(simulator), undisturbed.cells()
        repeated: list[int] = []
        deaths = 0
        for number in range(kills):
            loader = Loader(platform, folder / f"killed{number}", running.configuration)
            before = requests_of(simulator)
            # amid the reading, or at any moment up to the end
            moment = time.monotonic() + moments.uniform(0, seconds)
            until = before + moments.randrange(calls)
            by_calls = bool(number % 2)

            def is_time(
                moment: float = moment, until: int = until, *, by_calls: bool = by_calls
            ) -> bool:
                if by_calls:
                    return requests_of(simulator) >= until
                return time.monotonic() >= moment

            found: Killed = killed(loader, simulator, is_time)
            assert found.cells == wanted, number
            deaths += found.died
            repeated.append(found.asked - calls)
    assert deaths >= kills // 2
    # what was on its way when the load was killed, and the login; longer loads lose no more
    assert max(repeated) <= AT_ONCE[platform], repeated
    assert min(repeated) >= 0


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("platform", SIMULATORS)
def test_a_load_that_is_killed_goes_on(platform: str, tmp_path: Path) -> None:
    check_kills(platform, tmp_path, seed=9, kills=2)


#: What changes while a load lies cut off, and how many requests it has made by then.
MOVING = {"roost": ("events", 14), "rootly": ("incidents", 110), "cloud-bot": ("executions", 6)}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("platform", SIMULATORS)
def test_what_changes_while_a_load_lies_cut_off_is_not_missed(
    platform: str, tmp_path: Path
) -> None:
    name, until = MOVING[platform]
    with serve(SIMULATORS[platform]()) as running:
        simulator: Any = running.simulator
        loader = Loader(platform, tmp_path / "killed", running.configuration)
        process = loader.start()
        while requests_of(simulator) < until:
            assert process.is_alive()
            time.sleep(0.001)
        process.kill()
        process.join(60)
        for _ in range(2):
            simulator.insert(name, 5)
            simulator.touch(name, 20)
            if platform != "roost":  # which looks for events that vanish once a day
                simulator.delete(name, 3)
            loader.run()  # goes on the first time
        fresh = Loader(platform, tmp_path / "fresh", running.configuration)
        fresh.run()
        assert loader.cells() == fresh.cells()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("platform", SIMULATORS)
def test_a_load_that_is_killed_forty_times_goes_on(platform: str, tmp_path: Path) -> None:
    check_kills(platform, tmp_path, seed=11, kills=40)
