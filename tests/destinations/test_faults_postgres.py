"""A PostgreSQL that goes away while a load is made: one message, and the next load goes on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.destinations.conftest import PASSWORD
from tests.destinations.test_kills_postgres import PostgresPlace, connected
from tests.faulty_loads import AtFirstJob, at_page, refused

from opsnest.loading import load
from opsnest.sources import roost_source
from opssim import RoostSimulator, Running, serve

pytestmark = [pytest.mark.destinations]

Moment = Callable[[Callable[[], object]], AbstractContextManager[None]]


@pytest.fixture(name="roost")
def _roost() -> Generator[Running[Any]]:
    with serve(RoostSimulator(tests=12, events=24)) as running:
        running.simulator.clock.freeze()
        yield running


def while_lists_are_read(act: Callable[[], object]) -> AbstractContextManager[None]:
    return at_page(1, act)


def load_into(place: PostgresPlace, roost: Running[Any]) -> None:
    pipeline = place.pipeline()
    pipeline.config.restore_from_destination = True  # as dlt does by itself
    load(pipeline, roost_source(roost.simulator.token, f"{roost.url}/api"))


def shut(place: PostgresPlace) -> None:
    """Cut all connections to the database, and take no new ones."""
    with connected(place.server) as cursor:
        cursor.execute(f'ALTER DATABASE "{place.database}" ALLOW_CONNECTIONS false')
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (place.database,),
        )


def open_again(place: PostgresPlace) -> None:
    with connected(place.server) as cursor:
        cursor.execute(f'ALTER DATABASE "{place.database}" ALLOW_CONNECTIONS true')


@pytest.mark.parametrize("moment", [while_lists_are_read, AtFirstJob])
def test_a_server_that_goes_away(
    moment: Moment, postgres: str, roost: Running[Any], tmp_path: Path
) -> None:
    place = PostgresPlace(postgres, tmp_path / f"away_{moment.__name__.lower()}").make()
    load_into(place, roost)
    roost.simulator.touch("events", 3)

    with moment(lambda: shut(place)):
        error = refused(lambda: load_into(place, roost))

    assert error.exit_code == 7
    assert "once the destination works" in str(error)
    assert PASSWORD not in str(error)
    again = refused(lambda: load_into(place, roost))
    assert again.exit_code == 7
    assert "the destination cannot be reached" in str(again)

    open_again(place)
    load_into(place, roost)
    other = PostgresPlace(postgres, tmp_path / f"right_{moment.__name__.lower()}").make()
    load_into(other, roost)
    assert place.cells() == other.cells()
    assert place.twice() == []


def test_tables_that_are_dropped_while_lists_are_read(
    postgres: str, roost: Running[Any], tmp_path: Path
) -> None:
    place = PostgresPlace(postgres, tmp_path / "dropped").make()
    load_into(place, roost)
    expected = place.cells()

    def drop() -> None:
        with connected(place.address) as cursor:
            cursor.execute("DROP SCHEMA data CASCADE")

    with at_page(1, drop):
        error = refused(lambda: load_into(place, roost))

    assert error.exit_code == 7
    assert "is not there any more" in str(error)
    load_into(place, roost)
    assert place.cells() == expected
