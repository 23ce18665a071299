"""Who the caller is, the API's version, and the keys that callers make."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import pytest
from owlette_client import Room, opened

from opssim import OwletteHabits

DAY_MS: Final = 24 * 3600 * 1000
READS_SITES: Final = {"resource": "site", "id": "site-1", "permissions": ["read"]}


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def made(room: Room, **changes: Any) -> dict[str, Any]:
    body = {"name": "ci", "scopes": [READS_SITES], **changes}
    answer = room.ask("POST", "/api/keys", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def row_of(room: Room, key_id: str) -> dict[str, Any]:
    keys = room.ask("GET", "/api/keys").json()["keys"]
    return next(dict(key) for key in keys if key["id"] == key_id)


def test_the_version_is_told_to_anybody(room: Room) -> None:
    answer = room.http.get("/api/version")
    assert answer.status_code == 200
    assert answer.json() == {"current": "2026-04-22", "supported": ["2026-04-22"]}


def test_whoami_tells_of_the_user_the_key_and_the_quota(room: Room) -> None:
    told = room.ask("GET", "/api/whoami").json()
    assert set(told) == {
        *("userId", "email", "role", "primarySiteId", "key", "rateLimit", "quota"),
    }
    assert (told["userId"], told["role"]) == ("usr_owner", "superadmin")
    key = told["key"]
    assert set(key) == {
        *("keyId", "name", "keyPrefix", "scopes", "environment", "expiresAt", "lastUsedAt"),
        "isLegacy",
    }
    assert key["keyPrefix"] == room.simulator.key[:15]
    assert isinstance(key["expiresAt"], int)
    assert key["isLegacy"] is False
    assert (told["rateLimit"]["tier"], told["rateLimit"]["limitPerMinute"]) == ("api", 600)
    quota = told["quota"]
    assert set(quota) == {"siteId", "tier", "usedBytes", "pendingBytes", "limitBytes"}
    assert quota["usedBytes"] > 0


@pytest.mark.parametrize(
    ("scopes", "primary"),
    [
        ([{"resource": "site", "id": "site-2", "permissions": ["read"]}], "site-2"),
        ([{"resource": "site", "id": "*", "permissions": ["read"]}], "site-1"),
        ([{"resource": "machine", "id": "m-01", "permissions": ["read"]}], "site-1"),
    ],
)
def test_the_primary_site_is_the_first_that_the_key_names(
    room: Room, scopes: list[dict[str, Any]], primary: str
) -> None:
    told = room.ask("GET", "/api/whoami", key=room.simulator.new_key(*scopes)).json()
    assert told["primarySiteId"] == told["quota"]["siteId"] == primary


# ---- keys of the account


def test_a_key_of_the_account_has_the_scopes_of_the_one_that_made_it(room: Room) -> None:
    scope = {"resource": "user", "id": "*", "permissions": ["admin"]}
    asking = room.simulator.new_key(scope)
    answer = room.ask("POST", "/api/account/api-keys", {"name": "night"}, key=asking)
    assert answer.status_code == 200
    key = answer.json()
    assert (key["success"], key["name"], key["environment"]) == (True, "night", "live")
    assert key["scopes"] == [scope]
    assert key["key"].startswith("owk_live_")
    assert key["keyPrefix"] == key["key"][:15]
    now = room.simulator.clock.now().timestamp() * 1000
    assert key["expiresAt"] == pytest.approx(now + 90 * DAY_MS, abs=60_000)
    assert room.ask("GET", "/api/whoami", key=key["key"]).json()["key"]["keyId"] == key["keyId"]


def test_keys_of_the_account_are_listed_until_they_are_revoked(room: Room) -> None:
    key = room.ask("POST", "/api/account/api-keys").json()
    path = "/api/account/api-keys"
    listed = room.ask("GET", path).json()
    assert listed["success"] is True
    row = next(each for each in listed["keys"] if each["id"] == key["keyId"])
    assert set(row) == {
        *("id", "name", "keyPrefix", "environment", "scopes", "expiresAt", "createdAt"),
        "lastUsedAt",
    }
    answer = room.ask("DELETE", f"{path}/{key['keyId']}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    left = room.ask("GET", path).json()["keys"]
    assert key["keyId"] not in {each["id"] for each in left}
    assert room.ask("GET", "/api/whoami", key=key["key"]).status_code == 401
    assert room.ask("DELETE", f"{path}/key_absent").status_code == 404


@pytest.mark.parametrize(
    ("uid", "permission", "code"),
    [("usr_admin", "admin", "forbidden"), ("usr_owner", "write", "scope_insufficient")],
)
def test_keys_of_the_account_are_for_superadmins_with_the_scope(
    room: Room, uid: str, permission: str, code: str
) -> None:
    scope = {"resource": "user", "id": "*", "permissions": [permission]}
    answer = room.ask("GET", "/api/account/api-keys", key=room.simulator.new_key(scope, uid=uid))
    assert (answer.status_code, answer.json()["code"]) == (403, code)


# ---- keys with scopes of their own


def test_a_new_key_is_shown_once_with_both_names_of_its_id(room: Room) -> None:
    key = made(room, environment="test", ttlDays=7)
    assert key["success"] is True
    assert key["id"] == key["keyId"]
    assert key["key"].startswith("owk_test_")
    assert len(key["key"]) == len("owk_test_") + 43
    assert key["keyPrefix"] == key["key"][:15]
    assert (key["name"], key["environment"], key["scopes"]) == ("ci", "test", [READS_SITES])
    now = room.simulator.clock.now().timestamp() * 1000
    assert key["expiresAt"] == pytest.approx(now + 7 * DAY_MS, abs=60_000)
    row = row_of(room, key["keyId"])
    assert set(row) == {
        *("id", "name", "keyPrefix", "environment", "scopes", "expiresAt", "createdAt"),
        *("lastUsedAt", "rotatedAt", "rotatedFromKeyId", "retiresAt", "revokedAt"),
    }
    assert key["key"] not in str(row)


def test_a_new_key_may_do_what_its_scopes_say(room: Room) -> None:
    key = made(room)["key"]
    assert room.ask("GET", "/api/sites/site-1", key=key).status_code == 200
    assert room.ask("GET", "/api/sites/site-2", key=key).status_code == 403


def test_a_key_lives_ninety_days_unless_said(room: Room) -> None:
    now = room.simulator.clock.now().timestamp() * 1000
    assert made(room)["expiresAt"] == pytest.approx(now + 90 * DAY_MS, abs=60_000)
    assert made(room)["environment"] == "live"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "n" * 101},
        {"name": None},
        {"scopes": []},
        {"scopes": [READS_SITES] * 51},
        {"scopes": [{**READS_SITES, "resource": "planet"}]},
        {"scopes": [{**READS_SITES, "permissions": ["dance"]}]},
        {"scopes": [{**READS_SITES, "id": "i" * 129}]},
        {"scopes": [{"resource": "user", "id": "usr_owner", "permissions": ["read"]}]},
        {"ttlDays": 0},
        {"ttlDays": 366},
        {"environment": "staging"},
    ],
)
def test_a_key_that_cannot_be_is_refused(room: Room, changes: dict[str, Any]) -> None:
    body = {"name": "ci", "scopes": [READS_SITES], **changes}
    answer = room.ask("POST", "/api/keys", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert answer.json()["errors"]


@pytest.mark.parametrize("resource", ["user", "installer"])
def test_scopes_on_users_and_installers_are_given_by_superadmins(room: Room, resource: str) -> None:
    scopes = [{"resource": resource, "id": "*", "permissions": ["read"]}]
    assert made(room, scopes=scopes)["scopes"] == scopes
    admin = room.simulator.new_key(uid="usr_admin")
    answer = room.ask("POST", "/api/keys", {"name": "ci", "scopes": scopes}, key=admin)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_rotated_key_has_a_successor_and_a_day_to_live(room: Room) -> None:
    old = made(room, environment="test")
    answer = room.ask("POST", f"/api/keys/{old['keyId']}/rotate", {"ttlDays": 30})
    assert answer.status_code == 200
    new = answer.json()
    assert new["id"] == new["keyId"] != old["keyId"]
    assert new["rotatedFromKeyId"] == old["keyId"]
    assert (new["scopes"], new["environment"]) == (old["scopes"], "test")
    now = room.simulator.clock.now().timestamp() * 1000
    assert new["expiresAt"] == pytest.approx(now + 30 * DAY_MS, abs=60_000)
    previous = new["previousKey"]
    assert previous["keyId"] == old["keyId"]
    assert previous["retiresAt"] == pytest.approx(now + DAY_MS, abs=60_000)
    row = row_of(room, old["keyId"])
    assert row["retiresAt"] == previous["retiresAt"]
    assert row["rotatedAt"] is not None
    assert row_of(room, new["keyId"])["rotatedFromKeyId"] == old["keyId"]
    for key in (old, new):
        assert room.ask("GET", "/api/whoami", key=key["key"]).status_code == 200


def test_a_key_is_rotated_once_and_not_after_it_was_revoked(room: Room) -> None:
    rotated, revoked = made(room), made(room)
    room.ask("POST", f"/api/keys/{rotated['keyId']}/rotate", {})
    room.ask("DELETE", f"/api/keys/{revoked['keyId']}")
    for key in (rotated, revoked):
        answer = room.ask("POST", f"/api/keys/{key['keyId']}/rotate", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(room: Room) -> None:
    key = made(room)
    answer = room.ask("DELETE", f"/api/keys/{key['keyId']}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert isinstance(row_of(room, key["keyId"])["revokedAt"], int)
    assert room.ask("GET", "/api/whoami", key=key["key"]).status_code == 401


def test_an_unknown_key_and_that_of_somebody_else_are_not_found(room: Room) -> None:
    other = room.simulator.new_key(uid="usr_admin")
    key_id = room.ask("GET", "/api/whoami", key=other).json()["key"]["keyId"]
    for each in ("key_absent", key_id):
        assert room.ask("DELETE", f"/api/keys/{each}").status_code == 404
        assert room.ask("POST", f"/api/keys/{each}/rotate", {}).status_code == 404
    assert key_id not in {each["id"] for each in room.ask("GET", "/api/keys").json()["keys"]}


def test_the_real_owlette_manages_keys_in_sessions_only() -> None:
    with opened(habits=OwletteHabits.strict()) as room:
        body = {"name": "ci", "scopes": [READS_SITES]}
        for method, path, sent in (
            ("GET", "/api/keys", None),
            ("POST", "/api/keys", body),
            ("POST", "/api/keys/key_any/rotate", {}),
            ("DELETE", "/api/keys/key_any", None),
        ):
            answer = room.ask(method, path, sent)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert room.ask("GET", "/api/account/api-keys").status_code == 200
