"""Sites, who belongs to them, what they use, and what is written down of them."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from datetime import date, timedelta

import pytest
from owlette_client import Room, code_of, opened


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def new_site(room: Room, name: str = "Hall") -> str:
    site_id = f"s-{uuid.uuid4().hex[:8]}"
    answer = room.ask("POST", "/api/sites", {"siteId": site_id, "name": name})
    assert answer.status_code == 201, answer.text
    return site_id


# ---- sites


def test_sites_are_listed_by_name_without_pages(room: Room) -> None:
    new_site(room, "Attic")
    listed = room.ask("GET", "/api/sites").json()
    assert list(listed) == ["sites"]
    names = [each["name"] for each in listed["sites"]]
    assert names == sorted(names)
    assert {"Lobby and gallery", "Warehouse", "Attic"} <= set(names)
    row = next(each for each in listed["sites"] if each["id"] == "site-1")
    assert set(row) == {"id", "name", "plan", "tier", "timezone", "owner", "createdAt"}
    assert row["tier"] in {"core", "pro"}
    assert room.ask("GET", "/api/sites/site-1").json() == row


def test_a_key_lists_the_sites_of_its_scopes(room: Room) -> None:
    key = room.simulator.new_key({"resource": "site", "id": "site-2", "permissions": ["read"]})
    listed = room.ask("GET", "/api/sites", key=key).json()["sites"]
    assert [each["id"] for each in listed] == ["site-2"]
    member = room.simulator.new_key(uid="usr_member")
    listed = room.ask("GET", "/api/sites", key=member).json()["sites"]
    assert [each["id"] for each in listed] == ["site-1"]


def test_anybody_may_make_a_site_and_owns_it(room: Room) -> None:
    key = room.simulator.new_key(uid="usr_night")
    body = {"siteId": "night", "name": "Night", "timezone": "Europe/Berlin"}
    answer = room.ask("POST", "/api/sites", body, key=key)
    assert answer.status_code == 201
    assert (answer.json()["siteId"], answer.json()["owner"]) == ("night", "usr_night")
    site = room.ask("GET", "/api/sites/night", key=key).json()
    assert (site["name"], site["timezone"], site["owner"]) == (
        "Night",
        body["timezone"],
        "usr_night",
    )


def test_a_site_is_made_once_and_with_a_good_id(room: Room) -> None:
    answer = room.ask("POST", "/api/sites", {"siteId": "site-1", "name": "again"})
    assert code_of(answer, 409) == "site_already_exists"
    for body in ({"siteId": "a b", "name": "n"}, {"siteId": "ab", "name": ""}, {"name": "n"}):
        assert code_of(room.ask("POST", "/api/sites", body), 400) == "validation_failed"


def test_a_site_is_changed_and_tells_what_changed(room: Room) -> None:
    path = f"/api/sites/{new_site(room)}"
    answer = room.ask("PATCH", path, {"name": "Great hall"})
    assert answer.json()["updated"] == {"name": "Great hall"}
    assert room.ask("GET", path).json()["name"] == "Great hall"
    assert room.ask("PATCH", path, {"name": "Great hall"}).json()["changed"] is False
    assert code_of(room.ask("PATCH", path, {}), 400) == "validation_failed"


def test_a_deleted_site_is_not_found(room: Room) -> None:
    site_id = new_site(room)
    answer = room.ask("DELETE", f"/api/sites/{site_id}")
    assert answer.json() == {"siteId": site_id, "deleted": True}
    assert room.ask("GET", f"/api/sites/{site_id}").status_code == 404
    assert site_id not in room.ask("GET", "/api/users/usr_owner").json()["sites"]


# ---- members


def test_members_come_and_go(room: Room) -> None:
    path = f"/api/sites/{new_site(room)}/members"
    added = room.ask("POST", path, {"uid": "usr_member", "role": "admin"}).json()
    assert (added["uid"], added["requestedRole"], added["roleHonored"]) == (
        "usr_member",
        "admin",
        True,
    )
    assert added["globalRole"] == "member"
    rows = {each["uid"]: each for each in room.ask("GET", path).json()["members"]}
    assert set(rows) == {"usr_owner", "usr_member"}
    assert (rows["usr_owner"]["role"], rows["usr_member"]["role"]) == ("owner", "admin")
    assert set(rows["usr_member"]) == {
        *("uid", "email", "role", "globalRole", "sites", "displayName"),
    }
    removed = f"{path}/usr_member"
    assert room.ask("DELETE", removed).json()["wasMember"] is True
    assert room.ask("DELETE", removed).json()["wasMember"] is False


def test_an_owner_cannot_be_made_nor_removed(room: Room) -> None:
    path = f"/api/sites/{new_site(room)}/members"
    assert (
        room.ask("POST", path, {"uid": "usr_member", "role": "owner"}).json()["roleHonored"]
        is False
    )
    assert code_of(room.ask("DELETE", f"{path}/usr_owner"), 409) == "cannot_remove_owner"


def test_members_have_to_be_users_with_a_known_role(room: Room) -> None:
    path = "/api/sites/site-2/members"
    assert code_of(room.ask("POST", path, {"uid": "nobody", "role": "member"}), 404) == "not_found"
    answer = room.ask("POST", path, {"uid": "usr_member", "role": "king"})
    assert code_of(answer, 400) == "validation_failed"


@pytest.mark.parametrize(
    ("method", "permissions", "lacks"),
    [
        ("GET", ["read"], "admin"),
        ("GET", ["admin"], "read"),
        ("POST", ["write"], "admin"),
        ("POST", ["admin"], "write"),
    ],
)
def test_members_need_two_permissions_at_once(
    room: Room, method: str, permissions: list[str], lacks: str
) -> None:
    scope = {"resource": "site", "id": "site-1", "permissions": permissions}
    body = {"uid": "usr_member", "role": "member"} if method == "POST" else None
    key = room.simulator.new_key(scope)
    answer = room.ask(method, "/api/sites/site-1/members", body, key=key)
    assert code_of(answer, 403) == "scope_insufficient"
    assert answer.json()["required"]["permission"] == lacks


# ---- users


def test_users_are_listed_by_role_and_site(room: Room) -> None:
    def listed(query: str) -> set[str]:
        rows = room.ask("GET", f"/api/users?{query}").json()["users"]
        return {each["uid"] for each in rows}

    assert listed("role=superadmin") == {"usr_owner"}
    assert listed("site=site-2") == {"usr_owner"}
    row = room.ask("GET", "/api/users/usr_admin").json()
    assert set(row) == {
        *("uid", "email", "role", "sites", "displayName", "firstName", "lastName", "createdAt"),
        "deletedAt",
    }
    assert room.ask("GET", "/api/users/nobody").status_code == 404


def test_roles_are_given_and_taken_and_one_superadmin_stays() -> None:
    with opened() as room:
        path = "/api/users/usr_member"
        told = room.ask("POST", f"{path}/promote", {"role": "superadmin"}).json()
        assert told == {
            "uid": "usr_member",
            "role": "superadmin",
            "previousRole": "member",
            "changed": True,
        }
        again = room.ask("POST", f"{path}/promote", {"role": "superadmin"}).json()
        assert again["changed"] is False
        assert code_of(room.ask("POST", f"{path}/promote", {"role": "king"}), 400)
        assert room.ask("POST", f"{path}/demote", {}).json()["role"] == "member"
        answer = room.ask("POST", "/api/users/usr_owner/demote", {})
        assert code_of(answer, 409) == "last_superadmin"
        assert (answer.json()["minSuperadmins"], answer.json()["currentActiveCount"]) == (1, 1)


def test_sites_are_given_to_users_and_taken(room: Room) -> None:
    site_id, path = new_site(room), "/api/users/usr_night"
    body = {"siteIds": [site_id]}
    told = room.ask("POST", f"{path}/assign-sites", body).json()
    assert told == {"uid": "usr_night", "assignedSiteIds": [site_id]}
    assert site_id in room.ask("GET", path).json()["sites"]
    told = room.ask("POST", f"{path}/remove-sites", body).json()
    assert (told["removedSiteIds"], told["cancelledCommandCount"]) == ([site_id], 0)
    assert site_id not in room.ask("GET", path).json()["sites"]
    unknown = room.ask("POST", f"{path}/assign-sites", {"siteIds": ["absent"]})
    assert code_of(unknown, 400) == "unknown_site"
    empty = room.ask("POST", f"{path}/assign-sites", {"siteIds": []})
    assert code_of(empty, 400) == "validation_failed"


def test_a_deleted_user_is_hidden_and_has_no_keys() -> None:
    with opened() as room:
        key = room.simulator.new_key(uid="usr_night")
        key_id = room.ask("GET", "/api/whoami", key=key).json()["key"]["keyId"]
        told = room.ask("DELETE", "/api/users/usr_night").json()
        assert (told["alreadyDeleted"], told["revokedKeyIds"]) == (False, [key_id])
        assert told["authDisabled"] is True
        assert isinstance(told["deletedAt"], int)
        again = room.ask("DELETE", "/api/users/usr_night").json()
        assert (again["alreadyDeleted"], again["deletedAt"]) == (True, told["deletedAt"])
        assert room.ask("GET", "/api/whoami", key=key).status_code == 401
        for query, is_there in (("", False), ("?includeDeleted=true", True)):
            rows = room.ask("GET", f"/api/users{query}").json()["users"]
            assert ("usr_night" in {each["uid"] for each in rows}) is is_there


def test_whoever_owns_sites_is_deleted_with_a_successor() -> None:
    with opened() as room:
        last = room.ask("DELETE", "/api/users/usr_owner?successorUid=usr_admin")
        assert code_of(last, 409) == "last_superadmin"
        room.ask("POST", "/api/users/usr_admin/promote", {"role": "superadmin"})
        key = room.simulator.new_key(uid="usr_admin")
        orphans = room.ask("DELETE", "/api/users/usr_owner", key=key)
        assert code_of(orphans, 409) == "orphan_sites"
        assert orphans.json()["ownedSites"] == ["site-1", "site-2"]
        nobody = room.ask("DELETE", "/api/users/usr_owner?successorUid=nobody", key=key)
        assert code_of(nobody, 400) == "successor_invalid"
        assert nobody.json()["reason"]
        told = room.ask("DELETE", "/api/users/usr_owner?successorUid=usr_member", key=key).json()
        assert told["transferredSites"] == ["site-1", "site-2"]
        assert room.ask("GET", "/api/sites/site-2", key=key).json()["owner"] == "usr_member"


# ---- quotas


def test_a_quota_tells_what_is_used_and_what_is_left(room: Room) -> None:
    quota = room.ask("GET", "/api/sites/site-1/quota").json()
    assert set(quota) == {
        *("siteId", "tier", "usedBytes", "pendingBytes", "committedBytes", "limitBytes"),
        *("fractionUsed", "unlimited", "lastAlarmLevel", "lastAlarmAt", "lastReconciledAt"),
        "alarms",
    }
    assert quota["committedBytes"] == quota["usedBytes"] + quota["pendingBytes"]
    assert quota["limitBytes"] == 100 * 1024**3
    assert quota["fractionUsed"] == pytest.approx(quota["usedBytes"] / quota["limitBytes"])
    assert (quota["unlimited"], quota["lastAlarmLevel"], quota["alarms"]) == (False, 0, [])


@pytest.mark.parametrize(("query", "days"), [("", 30), ("?period=7d", 7), ("?period=90d", 90)])
def test_the_history_of_a_quota_goes_day_by_day_until_today(
    room: Room, query: str, days: int
) -> None:
    told = room.ask("GET", f"/api/sites/site-1/quota/history{query}").json()
    assert (told["period"], told["days"], len(told["daily"])) == (f"{days}d", days, days)
    dates = [date.fromisoformat(each["date"]) for each in told["daily"]]
    today = room.simulator.clock.now().date()
    assert dates == [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    assert set(told["daily"][0]) == {
        *("date", "storageBytesAvg", "classAOps", "classBOps", "egressBytes"),
    }


def test_there_is_no_history_of_other_periods(room: Room) -> None:
    answer = room.ask("GET", "/api/sites/site-1/quota/history?period=5d")
    assert code_of(answer, 400) == "validation_failed"


# ---- logs, audit log, tokens, presets


def test_logs_are_read_filtered_and_deleted() -> None:
    with opened() as room:
        path = "/api/sites/site-1/logs"
        logs = room.ask("GET", path).json()["logs"]
        stamps = [each["timestamp"] for each in logs]
        assert stamps == sorted(stamps, reverse=True)
        assert room.ask("GET", f"{path}/{logs[0]['id']}").json() == logs[0]
        of_one = room.ask("GET", f"{path}?machineId=m-01").json()["logs"]
        assert {each["machineId"] for each in of_one} == {"m-01"}
        assert code_of(room.ask("GET", f"{path}?level=loud"), 400) == "validation_failed"
        assert code_of(room.ask("DELETE", path, {}), 400) == "validation_failed"
        by = {"machineId": "m-01"}
        gone = room.http.request("DELETE", path, json=by, headers={"x-api-key": room.simulator.key})
        assert code_of(gone, 400) == "idempotency_key_required"
        assert room.ask("DELETE", path, by).json()["deletedCount"] == len(of_one)
        assert room.ask("GET", f"{path}?machineId=m-01").json()["logs"] == []


def test_the_audit_log_is_a_chain_of_hashes(room: Room) -> None:
    site_id = new_site(room)
    for name in ("one", "two", "three"):
        room.ask("PATCH", f"/api/sites/{site_id}", {"name": name})
    path = f"/api/sites/{site_id}/audit-log"
    hashes = [each["hash"] for each in room.ask("GET", path).json()["records"]]
    assert len(hashes) == 4
    records = [room.ask("GET", f"{path}/{each}").json() for each in hashes]
    assert [each["previousHash"] for each in records] == [*hashes[1:], None]
    assert [each["verification"]["isGenesis"] for each in records] == [False, False, False, True]
    assert all(each["verification"]["ok"] for each in records)
    assert room.ask("GET", f"{path}/absent").status_code == 404


def test_a_record_that_was_tampered_with_is_found_out() -> None:
    with opened() as room:
        room.ask("PATCH", "/api/sites/site-1", {"name": "one"})
        path, place = "/api/sites/site-1/audit-log", "sites/site-1/audit"
        latest = room.ask("GET", path).json()["records"][0]["hash"]
        record = room.simulator.world.database.get(place, latest)
        assert record is not None
        record["event"]["actor"] = "usr_member"
        room.simulator.world.database.put(place, latest, record)
        verification = room.ask("GET", f"{path}/{latest}").json()["verification"]
        assert (verification["ok"], verification["hashValid"]) == (False, False)


def test_tokens_of_agents_are_revoked_by_machine_and_all_at_once() -> None:
    with opened() as room:
        path = "/api/sites/site-1/agent-tokens"
        assert room.ask("GET", path).json()["count"] == 4
        assert room.ask("POST", f"{path}/revoke", {"machineId": "m-01"}).json()["revokedCount"] == 1
        assert code_of(room.ask("POST", f"{path}/revoke", {}), 400) == "validation_failed"
        assert room.ask("POST", f"{path}/revoke", {"all": True}).json()["revokedCount"] == 3
        assert room.ask("GET", path).json() == {"tokens": [], "count": 0}


@pytest.mark.parametrize("kind", ["schedule", "reboot", "distribution"])
def test_presets_are_made_changed_and_deleted(room: Room, kind: str) -> None:
    path = f"/api/sites/site-1/presets/{kind}"
    assert code_of(room.ask("POST", path, {}), 400) == "validation_failed"
    made = room.ask("POST", path, {"name": "nightly", "days": ["mon"]})
    assert made.status_code == 201
    one = f"{path}/{made.json()['presetId']}"
    assert room.ask("PATCH", one, {"name": "daily"}).status_code == 200
    preset = room.ask("GET", one).json()
    assert (preset["name"], preset["days"]) == ("daily", ["mon"])
    assert preset["id"] in {each["id"] for each in room.ask("GET", path).json()["items"]}
    assert room.ask("DELETE", one).json()["deleted"] is True
    assert room.ask("GET", one).status_code == 404
