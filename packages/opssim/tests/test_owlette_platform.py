"""The rooms of the simulated Owlette that the SDK does not enter, and other tools do."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import pytest
from owlette_client import Room, code_of, opened

from opssim import OwletteHabits

DISTRIBUTIONS: Final = "/api/sites/site-1/project-distributions"
FILE: Final[dict[str, Any]] = {
    "name": "show",
    "file_name": "show.zip",
    "project_url": "https://files.example.com/show.zip",
    "machines": ["m-01", "m-02", "m-01"],
}
SCOPE: Final[dict[str, Any]] = {"resource": "site", "id": "site-1", "permissions": ["read"]}


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def distribute(room: Room) -> str:
    answer = room.ask("POST", DISTRIBUTIONS, FILE)
    assert answer.status_code == 201, answer.text
    assert [each["machineId"] for each in answer.json()["targets"]] == ["m-01", "m-02"]
    return f"{DISTRIBUTIONS}/{answer.json()['distributionId']}"


def test_a_file_is_distributed_cancelled_and_forgotten(room: Room) -> None:
    path = distribute(room)
    shown = room.ask("GET", path).json()
    assert (shown["status"], shown["siteId"]) == ("in_progress", "site-1")
    assert code_of(room.ask("DELETE", path), 409) == "deployment_in_flight"
    told = room.ask("POST", f"{path}/cancel", {}).json()
    assert (told["cancelled"], told["machine_ids"]) == (2, ["m-01", "m-02"])
    assert code_of(room.ask("POST", f"{path}/cancel", {}), 409) == "no_cancellable_targets"
    assert room.ask("DELETE", path).json()["deleted"] is True
    assert code_of(room.ask("GET", path), 404) == "not_found"


def test_distributions_are_listed_newest_first(room: Room) -> None:
    paths = [distribute(room) for _ in range(2)]
    first = room.ask("GET", f"{DISTRIBUTIONS}?page_size=1").json()
    assert f"{DISTRIBUTIONS}/{first['items'][0]['id']}" == paths[1]
    token = first["next_page_token"]
    second = room.ask("GET", f"{DISTRIBUTIONS}?page_size=1&page_token={token}").json()
    assert f"{DISTRIBUTIONS}/{second['items'][0]['id']}" == paths[0]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"project_url": "http://files.example.com/a"}, 400, "validation_failed"),
        ({"machines": []}, 400, "validation_failed"),
        ({"machines": [f"x-{number}" for number in range(101)]}, 413, "over_quota"),
    ],
)
def test_distributions_that_cannot_be_are_refused(
    room: Room, change: dict[str, Any], status: int, code: str
) -> None:
    assert code_of(room.ask("POST", DISTRIBUTIONS, {**FILE, **change}), status) == code


def pair(room: Room) -> tuple[str, str]:
    begun = room.http.post("/api/cli/device-code").json()
    assert (begun["expiresIn"], begun["interval"]) == (600, 5)
    return begun["pairPhrase"], begun["deviceCode"]


def test_a_command_line_is_paired_once(room: Room) -> None:
    phrase, device = pair(room)
    waiting = room.http.post("/api/cli/device-code/poll", json={"deviceCode": device})
    assert waiting.status_code == 202
    approval = {"code": phrase, "name": "laptop", "scopes": [SCOPE]}
    assert room.ask("POST", "/api/cli/device-code/authorize", approval).status_code == 200
    again = room.ask("POST", "/api/cli/device-code/authorize", approval)
    assert code_of(again, 409) == "conflict"
    got = room.http.post("/api/cli/device-code/poll", json={"deviceCode": device}).json()
    assert (got["name"], got["scopes"]) == ("laptop", [SCOPE])
    assert room.ask("GET", "/api/sites/site-1", key=got["apiKey"]).status_code == 200
    gone = room.http.post("/api/cli/device-code/poll", json={"deviceCode": device})
    assert code_of(gone, 404) == "not_found"
    approval["code"] = "nobody-has-said-0000"
    unknown = room.ask("POST", "/api/cli/device-code/authorize", approval)
    assert code_of(unknown, 404) == "not_found"


def test_a_pairing_expires() -> None:
    with opened() as room:
        phrase, device = pair(room)
        room.simulator.skip(601)
        poll = room.http.post("/api/cli/device-code/poll", json={"deviceCode": device})
        assert code_of(poll, 410) == "not_found"
        approval = {"code": phrase, "name": "laptop", "scopes": [SCOPE]}
        late = room.ask("POST", "/api/cli/device-code/authorize", approval)
        assert code_of(late, 410) == "not_found"


def test_only_who_is_signed_in_approves_a_pairing() -> None:
    with opened(habits=OwletteHabits.strict()) as room:
        phrase, _ = pair(room)
        approval = {"code": phrase, "name": "laptop", "scopes": [SCOPE]}
        answer = room.ask("POST", "/api/cli/device-code/authorize", approval)
        assert code_of(answer, 401) == "unauthorized"


def test_presets_for_all_sites_come_and_go(room: Room) -> None:
    base = "/api/platform/system-presets"
    made = room.ask("POST", base, {"name": "night", "blocks": []})
    assert made.status_code == 201
    path = f"{base}/{made.json()['presetId']}"
    assert room.ask("PATCH", path, {"name": "day"}).status_code == 200
    assert room.ask("GET", path).json()["name"] == "day"
    assert [each["name"] for each in room.ask("GET", base).json()["items"]] == ["day"]
    gone = room.ask("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert code_of(room.ask("GET", path), 404) == "not_found"
    assert code_of(room.ask("POST", base, {}), 400) == "validation_failed"


def test_the_platform_is_for_superadmins(room: Room) -> None:
    admin = room.simulator.new_key(uid="usr_admin")
    assert code_of(room.ask("GET", "/api/platform/email/config", key=admin), 403) == "forbidden"
    assert room.ask("GET", "/api/platform/email/config").json()["configured"] is False
    assert room.ask("GET", "/api/platform/touchdesigner/builds").json()["builds"]
    switch = {"target": "rate_limits", "enforced": False, "minutes": 5}
    told = room.ask("POST", "/api/platform/security/kill-switch", switch).json()
    assert told["expiresAt"]
    switch["target"] = "gravity"
    wrong = room.ask("POST", "/api/platform/security/kill-switch", switch)
    assert code_of(wrong, 400) == "validation_failed"


def test_display_layouts_are_kept_and_forgotten(room: Room) -> None:
    path = "/api/sites/site-1/machines/m-01/display-layout"
    kept = {"op": "capture", "monitors": [{"id": 1}], "capturedBy": "x"}
    assert room.ask("PUT", path, kept).json()["data"] == {"machineId": "m-01", "op": "capture"}
    assert room.ask("PUT", path, {"op": "set_auto_restore", "enabled": True}).status_code == 200
    assert room.ask("PUT", path, {"op": "reset_breaker"}).status_code == 200
    for wrong in ({"op": "capture"}, {"op": "set_remote_apply"}, {"op": "paint"}):
        assert code_of(room.ask("PUT", path, wrong), 400) == "validation_failed"
    assert room.ask("DELETE", path).json()["data"] == {"machineId": "m-01"}
    machine = room.simulator.world.database.get("sites/site-1/machines", "m-01") or {}
    assert machine["displayLayout"] == {"autoRestore": True, "breaker": "closed"}


def test_a_program_is_uninstalled_or_kept(room: Room) -> None:
    path = "/api/sites/site-1/machines/m-02/uninstall"
    assert room.ask("POST", path, {"software_name": "codecs"}).status_code == 202
    assert room.ask("DELETE", f"{path}?software_name=codecs").status_code == 202
    assert code_of(room.ask("DELETE", path), 400) == "validation_failed"


def test_rules_for_alerts_are_replaced(room: Room) -> None:
    rules = [{"metric": "cpu", "above": 90}]
    answer = room.ask("PUT", "/api/sites/site-1/alerts", {"rules": rules})
    assert answer.json() == {"siteId": "site-1", "rules": rules}


def test_urls_to_download_from_can_be_asked_for_by_query(room: Room) -> None:
    one, two = "a" * 64, "b" * 64
    path = "/api/chunks/download-urls?siteId=site-1"
    urls = room.ask("GET", f"{path}&hash={one}&hash={two}").json()["urls"]
    assert set(urls) == {one, two}
    assert code_of(room.ask("GET", path), 400) == "validation_failed"
    assert code_of(room.ask("GET", f"{path}&hash=x"), 400) == "validation_failed"


def test_nobody_leaves_by_an_api_key_and_who_has_one_was_here(room: Room) -> None:
    assert code_of(room.ask("DELETE", "/api/users/me"), 401) == "unauthorized"
    told = room.ask("POST", "/api/users/bootstrap", {"email": "owner@example.com"}).json()
    assert (told["uid"], told["alreadyExists"]) == ("usr_owner", True)


def test_deletions_are_listed(room: Room) -> None:
    assert room.ask("GET", "/api/users/deletions").json()["deletions"] == []
    assert room.ask("DELETE", "/api/users/usr_night").status_code == 200
    (row,) = room.ask("GET", "/api/users/deletions?limit=5").json()["deletions"]
    assert (row["uid"], row["actorUid"]) == ("usr_night", "usr_owner")
    assert room.ask("GET", "/api/users/deletions?limit=0").status_code == 400
