"""All 113 lists of Rootly, over HTTP, as the facts in `lists.json` tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from opssim.core.server import Running, serve
from opssim.rootly import RootlySimulator
from opssim.rootly.facts import FACTS, OWNERS, Facts

Rootly = Running[RootlySimulator]
Json = dict[str, Any]
Query = dict[str, str | int]


def _id(facts: Facts) -> str:
    return facts.name


every_list = pytest.mark.parametrize("facts", FACTS, ids=_id)


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    simulator = RootlySimulator(
        incidents=40, alerts=60, alert_events=120, shifts=60, users=12, services=12, children=3
    )
    with serve(simulator) as running:
        yield running


@pytest.fixture(name="session", scope="module")
def _session(rootly: Rootly) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {rootly.simulator.token}"
        yield session


def _path(rootly: Rootly, facts: Facts, parent: str | None = None) -> str:
    """Return where a list is; that of a parent which has rows, if none is given."""
    if facts.parent is None:
        return f"{rootly.url}{facts.path}"
    if parent is None:
        owner = OWNERS[facts.table].parameter
        rows = rootly.simulator.tables[facts.table]
        parent = str(next(row.fields[owner] for row in rows if row.fields[owner]))
    return rootly.url + facts.route.format(parent=parent)


def _window(rootly: Rootly, facts: Facts) -> Query:
    """Return what has to be asked of shifts for there to be some."""
    if facts.table != "shifts":
        return {}
    start = rootly.simulator.clock.start
    return {"from": start.isoformat(), "to": (start + timedelta(days=28)).isoformat()}


def _get(session: requests.Session, url: str, query: Query | None = None) -> Json:
    answer = session.get(url, params=query, timeout=5)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def test_there_are_113_lists_with_names_of_their_own() -> None:
    assert len(FACTS) == len({facts.name for facts in FACTS}) == 113


@every_list
def test_every_list_answers_in_its_envelope(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    page = _get(session, _path(rootly, facts), _window(rootly, facts))
    assert set(page) == {"data", *facts.parts}
    assert page["data"]
