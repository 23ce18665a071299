"""Loads that are to fail: the platforms, and the error that explains what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.warehouse import Warehouse

from opsnest.errors import OpsnestError
from opsnest.explain import explain
from opsnest.sources import cloud_bot_source, roost_source, rootly_incident_management_source
from opssim import CloudBotSimulator, Fault, RoostSimulator, RootlySimulator, Running, Simulator
from opssim.pytest_plugin import Simulate


@dataclass(frozen=True)
class Platform:
    """A platform, and one of its lists to go wrong."""

    make: Callable[[], Simulator]
    source: Callable[..., DltSource]
    resource: str
    request: str
    #: What an error of this API looks like, and how the message quotes it.
    refusal: bytes
    quoted: str

    @property
    def name(self) -> str:
        return str(self.source.__name__)

    @property
    def path(self) -> str:
        return self.request.partition(" ")[2]

    def secret(self) -> str:
        return "API_KEY" if "cloud" in self.name else "TOKEN"


ROOTLY = Platform(
    make=lambda: RootlySimulator(incidents=5, alerts=5, alert_events=0, shifts=0),
    source=rootly_incident_management_source,
    resource="users",
    request="GET /v1/users",
    refusal=b'{"errors":[{"title":"Broken","status":"500","code":"E7","detail":"disk"}]}',
    quoted='"Broken: disk" (code E7)',
)
ROOST = Platform(
    make=lambda: RoostSimulator(tests=5, events=10),
    source=roost_source,
    resource="tests",
    request="GET /api/test",
    refusal=b'{"code":5,"timestamp":"","path":"/test","method":"GET","message":"Broken"}',
    quoted='"Broken" (code 5)',
)
CLOUD_BOT = Platform(
    make=lambda: CloudBotSimulator(executions=10, bots=3, users=3, devices=2),
    source=cloud_bot_source,
    resource="users",
    request="POST /v2/usermanagement/users/list",
    refusal=b'{"code":"sys.broken","message":"Broken","details":"disk"}',
    quoted='"Broken: disk" (code sys.broken)',
)
PLATFORMS = [
    pytest.param(ROOTLY, id="rootly"),
    pytest.param(ROOST, id="roost"),
    pytest.param(CLOUD_BOT, id="cloud-bot"),
]


class Failure:
    """Fail to load, and return the error that explains why."""

    def __init__(
        self, simulate: Simulate, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._simulate = simulate
        self._warehouse = warehouse
        self._patch = monkeypatch

    def __call__(
        self,
        platform: Platform,
        *faults: Fault,
        resources: Sequence[str] = (),
        simulator: Simulator | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[OpsnestError, Running[Simulator]]:
        running: Running[Simulator] = self._simulate(simulator or platform.make())
        for fault in faults:
            running.simulator.faults.add(fault)
        prefix = f"SOURCES__{platform.name.upper()}__"
        given = {f"{prefix}{key}": value for key, value in (settings or {}).items()}
        for name, value in {**running.configuration, **given}.items():
            self._patch.setenv(name, value)
        with pytest.raises(PipelineStepFailed) as raised:
            self._warehouse.load(platform.source(), *(resources or [platform.resource]))
        error = explain(raised.value)
        assert error is not None
        secrets = {value for name, value in given.items() if not name.endswith("_URL")}
        for secret in secrets | running.simulator.secrets():
            assert secret not in str(error)
        return error, running


def tries(running: Running[Simulator], platform: Platform) -> int:
    return len(running.simulator.requests.all(platform.path))
