"""The simulated Owlette against the OpenAPI document that it serves of itself.

schemathesis makes requests of each operation: some of them valid, many of them odd. So that they do
not all end at a site that is not there, most are given the ids of things that are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx
import msgspec
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings

import opssim
from opssim.owlette import OwletteHabits, OwletteSimulator
from opssim.owlette.routes import ENDPOINTS
from opssim.owlette.sample import ROOST

# schemathesis has no types that are known throughout: it is imported as if it were data
schemathesis: Any = import_module("schemathesis")
_checks: Any = import_module("schemathesis.specs.openapi.checks")

pytestmark = [
    pytest.mark.filterwarnings("default"),  # schemathesis has some of its own
]

CHECKS: list[Any] = [
    import_module("schemathesis.checks").not_a_server_error,
    _checks.status_code_conformance,
    _checks.content_type_conformance,
    _checks.response_schema_conformance,
]
#: Ends when the client does, or asks the network: tested by themselves.
LEFT_OUT = {("GET", "/api/events/stream"), ("POST", "/api/webhooks/probe")}
#: How many requests there are in all: a few of each operation, and enough to find what is rare.
FEW, MANY = 400, 5000


@dataclass
class Asked:
    """What came back, and what should not have."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    wrong: list[str] = field(default_factory=list[str])
    good: set[str] = field(default_factory=set[str])


@pytest.fixture
def owlette() -> Generator[opssim.Running[OwletteSimulator]]:
    habits = OwletteHabits(limit_rates=False)
    with opssim.serve(OwletteSimulator(habits=habits, pace_s=0.02)) as running:
        yield running


def known_ids(running: opssim.Running[OwletteSimulator]) -> dict[str, str]:
    """Things that are there, by the name of their ids."""
    database = running.simulator.world.database
    version = database.documents(f"sites/site-1/roosts/{ROOST}/versions")[0]["versionId"]
    manifest = database.object(f"project-manifests/site-1/{ROOST}/{version}.json")
    assert manifest is not None
    chunk = msgspec.json.decode(manifest)["files"][0]["chunks"][0]["hash"]
    return {
        "siteId": "site-1",
        "roostId": ROOST,
        "machineId": "m-02",
        "processId": "proc_m-02_0",
        "webhookId": "wh_sample000000000001",
        "deliveryId": "dlv_sample000000001",
        "rolloutId": version,
        "versionId": version,
        "ref": "current",
        "against": "first",
        "digest": chunk,
        "uid": "usr_member",
        "version": "2.3.0",
        "deploymentId": database.documents("sites/site-1/deployments")[0]["id"],
        "logId": database.documents("sites/site-1/logs")[0]["id"],
        "recordHash": database.documents("sites/site-1/audit")[0]["hash"],
    }


def ask(
    running: opssim.Running[OwletteSimulator],
    schema: Any,
    label: str,
    each: int,
    ids: dict[str, str],
) -> Asked:
    """Send so many requests of one operation."""
    method, _, path = label.partition(" ")
    operation = schema[path][method]
    asked = Asked()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {running.simulator.key}"
    rng = random.Random(label)

    @seed(7)
    @settings(
        max_examples=each,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        for place in (case.path_parameters, case.query, case.body):
            for name in ids if isinstance(place, dict) else ():
                wanted = name in place or (name == "siteId" and place is case.body)
                if wanted and rng.random() < 0.8:
                    place[name] = ids[name]
        answer = case.call(session=session)
        asked.statuses[answer.status_code] += 1
        if answer.status_code < 300:
            asked.good.add(label)
        try:
            case.validate_response(answer, checks=CHECKS)
        except (AssertionError, schemathesis.errors.SchemathesisError, ExceptionGroup) as error:
            asked.wrong.append(f"{label} answered {answer.status_code}: {error}"[:600])

    with session:
        run()
    return asked


def document_of(running: opssim.Running[OwletteSimulator]) -> Any:
    """Return what schemathesis makes of the document that is served."""
    return schemathesis.openapi.from_url(f"{running.url}/openapi.json")


def labels() -> list[str]:
    """All operations but those left out."""
    named = [(each.method, each.path) for each in ENDPOINTS]
    return [f"{method} {path}" for method, path in named if (method, path) not in LEFT_OUT]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("requests", "accepted"), [(FEW, 0.5), pytest.param(MANY, 0.6, marks=pytest.mark.long)]
)
def test_odd_requests_get_no_500_and_no_status_that_is_not_documented(
    owlette: opssim.Running[OwletteSimulator], requests: int, accepted: float
) -> None:
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    good: set[str] = set()
    schema, ids = document_of(owlette), known_ids(owlette)
    each = requests // len(labels()) + 3  # of some there are not so many different ones
    # what deletes comes last, so that the others find what they ask for
    for label in sorted(labels(), key=lambda name: name.startswith("DELETE")):
        asked = ask(owlette, schema, label, each, ids)
        statuses += asked.statuses
        wrong += asked.wrong
        good |= asked.good
    assert not wrong, "\n".join(wrong[:10])
    assert statuses.total() >= requests
    assert not [status for status in statuses if status >= 500 and status != 503]
    assert len(good) >= len(labels()) * accepted, sorted(set(labels()) - good)


def test_the_document_names_every_route_with_its_refusals(
    owlette: opssim.Running[OwletteSimulator],
) -> None:
    document = httpx.get(f"{owlette.url}/openapi.json").json()
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == {(each.method, each.path) for each in ENDPOINTS}
    publish = document["paths"]["/api/roosts/{roostId}/versions"]["post"]["responses"]
    assert {"200", "201", "400", "401", "403", "404", "412", "422", "503"} <= publish.keys()
    whoami = document["paths"]["/api/whoami"]["get"]["responses"]
    assert set(whoami) == {"200", "401", "403"}
