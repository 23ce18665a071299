"""Rollouts of the simulated Owlette: a few machines first, then all, or nobody more."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import opssim
from opssim.owlette import OwletteHabits, OwletteSimulator, rollouts, sample
from opssim.owlette.credentials import Caller

Json = dict[str, Any]
ROOST = "rst_rollout"
SITE = {"siteId": "site-1"}


@dataclass
class Fleet:
    """A roost with a first version, on a simulated Owlette."""

    running: opssim.Running[OwletteSimulator]
    http: httpx.Client

    def publish(self, text: str, targets: list[str] | None = None) -> str:
        """Publish a version, and return its id."""
        simulator = self.running.simulator
        user = simulator.world.database.get("users", "usr_owner")
        key = simulator.world.database.documents("keys")[0]
        assert user is not None
        settings = {} if targets is None else {"targets": targets}
        with simulator.world.database.transaction():
            return sample.publish(
                simulator.world,
                Caller(user, key),
                "site-1",
                ROOST,
                {"a.txt": text.encode()},
                **settings,
            )

    def rollout(self, version_id: str) -> Json:
        """Return a rollout as the API shows it."""
        path = f"/api/roosts/{ROOST}/deployments/{version_id}"
        found: Json = self.http.get(path, params=SITE).json()
        return found

    def wait(self, version_id: str, *stages: str) -> Json:
        """Wait until a rollout is at one of some stages."""
        found: Json = self.until(lambda: self.rollout(version_id), lambda it: it["stage"] in stages)
        return found

    def until(self, look: Callable[[], Any], is_good: Callable[[Any], bool]) -> Any:
        """Look until something is good."""
        end = time.monotonic() + 20
        while True:
            found = look()
            if is_good(found):
                return found
            assert time.monotonic() < end, found
            time.sleep(0.02)

    def post(self, verb: str, **body: Any) -> httpx.Response:
        """Do something to the roost."""
        return self.http.post(f"/api/roosts/{ROOST}/{verb}", json={**SITE, **body})

    def disk(self, machine: str) -> str | None:
        """Return the version that a machine has."""
        place = f"sites/site-1/machines/{machine}/disk"
        found = self.running.simulator.world.database.get(place, ROOST)
        return found["versionId"] if found else None


def fleet_of(simulator: OwletteSimulator) -> Generator[Fleet]:
    with opssim.serve(simulator) as running:
        headers = {"Authorization": f"Bearer {simulator.key}"}
        with httpx.Client(base_url=running.url, headers=headers, trust_env=False) as client:
            yield Fleet(running, client)


@pytest.fixture
def fleet() -> Generator[Fleet]:
    yield from fleet_of(OwletteSimulator(pace_s=0.01, machines=12))


@pytest.fixture
def true_fleet() -> Generator[Fleet]:
    yield from fleet_of(OwletteSimulator(pace_s=0.01, habits=OwletteHabits.strict()))


ALL = [f"m-{number:02}" for number in range(1, 13)]


@pytest.mark.parametrize(
    ("machines", "size"),
    [(0, 0), (1, 1), (2, 1), (10, 1), (11, 2), (20, 2), (100, 10), (500, 50), (10_000, 50)],
)
def test_a_tenth_goes_first(machines: int, size: int) -> None:
    assert rollouts.canary_size(machines) == size


def test_who_goes_first_is_decided_by_hashes() -> None:
    machines = [f"m-{number:02}" for number in range(1, 21)]
    assert rollouts.pick_canaries(machines, "ab" * 32) == ["m-01", "m-04"]
    assert rollouts.fnv1a(f"m-01::{'ab' * 32}") == 10220016
    assert rollouts.fnv1a(f"m-04::{'ab' * 32}") == 155500715


def test_a_version_goes_to_canaries_and_then_to_all(fleet: Fleet) -> None:
    version = fleet.publish("one", ALL)
    begun = fleet.rollout(version)
    assert (len(begun["canary"]), len(begun["fleet"])) == (2, 10)
    done = fleet.wait(version, "complete", "aborted")
    assert done["stage"] == "complete"
    states = {row["status"] for row in done["canaryStatus"] + done["fleetStatus"]}
    assert states == {"committed"}
    assert {fleet.disk(machine) for machine in ALL} == {version}
    held = fleet.http.get("/api/sites/site-1/machines/m-01/deployments", params=SITE).json()
    (row,) = (row for row in held["deployments"] if row["roostId"] == ROOST)
    assert (row["reportedVersionId"], row["reportedStatus"]) == (version, "committed")


def test_a_broken_canary_stops_it(fleet: Fleet) -> None:
    version = fleet.publish("one", ["m-01", "m-02", "m-03"])
    fleet.wait(version, "complete")
    for machine in ("m-01", "m-02", "m-03"):
        fleet.running.simulator.break_machine(machine)
    second = fleet.publish("two")
    ended = fleet.wait(second, "complete", "aborted")
    assert ended["stage"] == "aborted"
    assert ended["abortReason"] == "1/3 targets failed (33.3% > 25% threshold)"
    assert [row["status"] for row in ended["fleetStatus"]] == ["pending", "pending"]
    assert all(fleet.disk(machine) == version for machine in ("m-01", "m-02", "m-03"))


def test_few_failures_do_not_stop_it(fleet: Fleet) -> None:
    version = fleet.publish("one", ALL)
    begun = fleet.rollout(version)
    fleet.running.simulator.break_machine(begun["fleet"][0])
    ended = fleet.wait(version, "complete", "aborted")
    assert ended["stage"] == "complete"
    assert [row["status"] for row in ended["fleetStatus"]].count("failed") == 1


def test_a_machine_that_is_offline_keeps_it_waiting(fleet: Fleet) -> None:
    fleet.running.simulator.set_online("m-02", online=False)
    version = fleet.publish("one", ["m-01", "m-02"])
    time.sleep(0.3)
    assert fleet.rollout(version)["stage"] in {"canary", "fleet"}
    fleet.running.simulator.set_online("m-02", online=True)
    assert fleet.wait(version, "complete", "aborted")["stage"] == "complete"


def test_a_roost_without_targets_has_no_rollout(fleet: Fleet) -> None:
    version = fleet.publish("one", [])
    assert (
        fleet.http.get(f"/api/roosts/{ROOST}/deployments/{version}", params=SITE).status_code == 404
    )
    assert fleet.post("deploy").status_code == 400
    assert fleet.post("resync").status_code == 409


def test_one_machine_is_enough_and_with_owlettes_holes_never_ends(
    fleet: Fleet, true_fleet: Fleet
) -> None:
    version = fleet.publish("one", ["m-01"])
    assert fleet.wait(version, "complete")["fleet"] == []
    version = true_fleet.publish("one", ["m-01"])
    true_fleet.until(lambda: true_fleet.disk("m-01"), lambda held: held == version)
    assert true_fleet.wait(version, "fleet")["stage"] == "fleet"
    again = true_fleet.post("deploy")
    assert (again.status_code, again.json()["alreadyRunning"]) == (200, True)


def test_deploy_says_what_it_does(fleet: Fleet) -> None:
    version = fleet.publish("one", ["m-03", "m-01", "m-02"])
    fleet.wait(version, "complete")
    planned = fleet.post("deploy", dryRun=True).json()
    assert (planned["dryRun"], planned["canary"]) == (True, ["m-01"])
    assert fleet.rollout(version)["stage"] == "complete"
    begun = fleet.post("deploy", machines=["m-02"])
    assert (begun.status_code, begun.json()["stage"]) == (202, "canary")
    assert begun.json()["rolloutId"] == version
    assert fleet.wait(version, "complete")["targetsOverride"] == ["m-02"]
    later = fleet.post("deploy", scheduleAt="2999-01-01T00:00:00Z")
    assert (later.status_code, later.json()["stage"]) == (202, "scheduled")
    assert "warning" in later.json()["scheduled"]
    listed = fleet.http.get(
        f"/api/roosts/{ROOST}/deployments", params={**SITE, "stage": "scheduled"}
    )
    assert [row["rolloutId"] for row in listed.json()["rollouts"]] == [version]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"machines": []}, 400, "validation_failed"),
        ({"scheduleAt": "soon"}, 400, "validation_failed"),
        ({"versionId": "current"}, 404, "version_not_found"),
        ({"versionId": "f" * 64}, 404, "version_not_found"),
    ],
)
def test_deploy_refuses(fleet: Fleet, body: Json, status: int, code: str) -> None:
    fleet.publish("one", ["m-01"])
    answer = fleet.post("deploy", **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_word_is_no_version_to_deploy(true_fleet: Fleet) -> None:
    true_fleet.publish("one", ["m-01"])
    assert true_fleet.post("deploy", versionId="current").status_code == 400


def test_a_rollback_goes_to_all_at_once_and_back_again(fleet: Fleet) -> None:
    first = fleet.publish("one", ["m-01", "m-02"])
    fleet.wait(first, "complete")
    second = fleet.publish("two")
    fleet.wait(second, "complete")
    back = fleet.post("rollback").json()
    assert back == {
        "ok": True,
        "roostId": ROOST,
        "siteId": "site-1",
        "currentVersionId": first,
        "currentVersionNumber": 1,
        "previousVersionId": second,
    }
    rollout = fleet.rollout(first)
    assert (rollout["stage"], rollout["canary"], rollout["fleet"]) == (
        "complete",
        ["m-01", "m-02"],
        [],
    )
    fleet.until(lambda: (fleet.disk("m-01"), fleet.disk("m-02")), lambda it: it == (first, first))
    assert fleet.post("rollback").json()["currentVersionId"] == second
    assert fleet.post("rollback", targetVersion=1).json()["currentVersionNumber"] == 1
    assert fleet.post("rollback", targetVersion="#1").json()["code"] == "rollback_no_op"
    assert fleet.post("rollback", targetVersion="9").json()["code"] == "version_not_found"
    assert fleet.post("rollback", targetVersion="x").json()["code"] == "version_ref_malformed"
    assert fleet.post("rollback", targetVersion=[1]).status_code == 400


def test_resync_sends_all_machines_again(fleet: Fleet) -> None:
    version = fleet.publish("one", ["m-01", "m-02"])
    fleet.wait(version, "complete")
    assert fleet.post("resync").json() == {"resynced": 2, "targets": ["m-01", "m-02"]}


def test_a_deleted_roost_is_neither_deployed_nor_rolled_back(fleet: Fleet) -> None:
    fleet.publish("one", ["m-01"])
    fleet.publish("two")
    assert fleet.http.delete(f"/api/roosts/{ROOST}", params=SITE).status_code == 200
    assert fleet.post("deploy").status_code == 409
    assert fleet.post("rollback").status_code == 404


def test_webhooks_are_told_of_rollouts(fleet: Fleet) -> None:
    body = {
        "url": "http://127.0.0.1:9/nobody",
        "events": ["deployment.started", "deployment.completed", "version.published"],
    }
    made = fleet.http.post("/api/webhooks", json=body, params=SITE).json()
    version = fleet.publish("one", ["m-01", "m-02"])
    fleet.wait(version, "complete")
    path = f"/api/webhooks/{made['id']}/deliveries"
    rows = fleet.http.get(path, params=SITE).json()["deliveries"]
    assert {row["event"] for row in rows} == set(body["events"])
    sent = fleet.http.get(f"{path}/{rows[0]['id']}", params=SITE).json()["request"]["body"]
    assert '"successCount":2' in sent


def test_a_heartbeat_forgets_nothing_that_happened_meanwhile(fleet: Fleet) -> None:
    simulator = fleet.running.simulator
    (stale, *_) = simulator.world.database.documents("sites/site-1/machines")
    simulator.skip(3600)
    simulator.break_machine(stale["id"])
    simulator.agents._beat("site-1", {**stale, "beat": 0})  # pyright: ignore[reportPrivateUsage]
    kept = simulator.world.database.get("sites/site-1/machines", stale["id"])
    assert kept is not None
    assert kept["broken"] is True
    simulator.world.database.delete("sites/site-1/machines", stale["id"])
    simulator.agents._beat("site-1", {**stale, "beat": 0})  # pyright: ignore[reportPrivateUsage]
    assert simulator.world.database.get("sites/site-1/machines", stale["id"]) is None
