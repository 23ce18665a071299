"""Killed (-9) at any moment, a load goes on: equal tables, and next to no call twice."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from tests.kill_cases import (
    AT_ONCE,
    KILLS,
    MOVING,
    SIMULATORS,
    TOTALS,
    case_of,
    kill_in_every_way,
    served,
)
from tests.killing import DuckPlace, requests_of

from opsnest.journal import Journal
from opsnest.loading import load
from opsnest.sources import roost_source
from opssim import RoostSimulator, serve

log = logging.getLogger(__name__)


# one platform of each transport: the others are killed by the long tests
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("platform", ["cloud-bot", pytest.param("owlette", marks=pytest.mark.long)])
def test_a_load_that_is_killed_goes_on(platform: str, tmp_path: Path) -> None:
    tally = kill_in_every_way(
        platform, lambda name: DuckPlace(tmp_path / name), tmp_path, kills=2, writes=("append",)
    )
    assert max(tally.repeated) <= AT_ONCE[platform], tally


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("platform", SIMULATORS)
def test_loads_that_are_killed_in_every_step_go_on(platform: str, tmp_path: Path) -> None:
    tally = kill_in_every_way(
        platform, lambda name: DuckPlace(tmp_path / name), tmp_path, kills=KILLS
    )
    log.info("%s: %s", platform, tally)
    assert tally.steps.keys() >= {"extract", "normalize", "load"}
    assert tally.share <= 0.02, tally
    assert max(tally.repeated) <= AT_ONCE[platform], tally
    assert min(tally.repeated) >= -TOTALS, tally  # else old pages were loaded for new ones


@pytest.mark.parametrize("afresh", [False, True])
def test_what_is_new_is_loaded_where_the_journal_could_not_say_that_all_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, afresh: bool
) -> None:
    """dlt has put aside what was extracted, and the load dies: the pages are not for the next."""

    def die(_: Journal) -> None:
        raise KeyboardInterrupt

    place = DuckPlace(tmp_path / "killed")
    pipeline = place.pipeline()
    with serve(RoostSimulator(tests=20, events=30)) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        load(pipeline, roost_source(), afresh=afresh)
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "end", die)
            with pytest.raises(KeyboardInterrupt):
                load(pipeline, roost_source(), afresh=afresh)
        assert pipeline.has_pending_data
        running.simulator.insert("tests", 2)
        load(pipeline, roost_source(), afresh=afresh)
        found = {row["id"] for row in place.cells()["tests"]}
        assert found == set(running.simulator.tables["tests"].keys())


#: How many requests a load has made when it is killed.
CUT_AT = {"roost": 150, "rootly": 200, "cloud-bot": 200}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("platform", MOVING)
def test_what_changes_while_a_load_lies_cut_off_is_not_missed(
    platform: str, tmp_path: Path
) -> None:
    name = MOVING[platform]
    with served(platform) as running:
        simulator, case = running.simulator, case_of(platform, running)
        place = DuckPlace(tmp_path / "killed")
        process = case.start(place)
        while requests_of(simulator) < CUT_AT[platform]:
            assert process.is_alive()
            time.sleep(0.001)
        process.kill()
        process.join(60)
        for _ in range(2):
            simulator.insert(name, 5)
            simulator.touch(name, 20)
            if platform != "roost":  # which looks for events that vanish once a day
                simulator.delete(name, 3)
            case.run(place)  # goes on the first time
        fresh = DuckPlace(tmp_path / "fresh")
        case.run(fresh)
        assert place.cells() == fresh.cells()
