"""Who may do what, and what comes first: keys, scopes, roles, limits, repeats and pages."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from typing import Any, Final

import httpx
import pytest
from owlette_client import VERSION, Room, code_of, opened

from opssim import OwletteHabits

ROOST: Final = "rst_lobby_wall"
DAY_S: Final = 24 * 3600


@pytest.fixture(scope="module")
def room() -> Generator[Room]:
    with opened() as running:
        yield running


def scope(resource: str, target: str, *permissions: str) -> dict[str, Any]:
    return {"resource": resource, "id": target, "permissions": list(permissions)}


def switch_roosts(room: Room, *, on: bool) -> None:
    database = room.simulator.world.database
    site = database.get("sites", "site-1") or {}
    database.put("sites", "site-1", {**site, "roostEnabled": on})


@pytest.mark.parametrize("way", ["bearer", "x-api-key", "query"])
def test_a_key_opens_the_api_whichever_way_it_is_sent(room: Room, way: str) -> None:
    key = room.simulator.key
    headers = {"bearer": {"Authorization": f"Bearer {key}"}, "x-api-key": {"x-api-key": key}}
    query = f"?api_key={key}" if way == "query" else ""
    answer = room.http.get(f"/api/whoami{query}", headers=headers.get(way, {}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["userId"] == "usr_owner"


@pytest.mark.parametrize("sent", ["", "Bearer owk_live_unknown", "Basic eDp5"])
def test_without_a_known_key_nobody_is_let_in(room: Room, sent: str) -> None:
    answer = room.http.get("/api/whoami", headers={"Authorization": sent} if sent else {})
    assert code_of(answer, 401) == "unauthorized"


def test_an_expired_key_is_told_since_when() -> None:
    with opened() as room:
        key = room.simulator.new_key(days=1)
        assert room.ask("GET", "/api/whoami", key=key).status_code == 200
        room.simulator.skip(DAY_S + 1)
        answer = room.ask("GET", "/api/whoami", key=key)
        assert code_of(answer, 401) == "token_expired"
        assert isinstance(answer.json()["expiredAt"], int)
        assert answer.json()["type"].endswith("/token-expired")


def test_a_revoked_key_is_as_good_as_an_unknown_one(room: Room) -> None:
    key = room.simulator.new_key()
    key_id = room.ask("GET", "/api/whoami", key=key).json()["key"]["keyId"]
    assert room.ask("DELETE", f"/api/keys/{key_id}").status_code == 200
    assert code_of(room.ask("GET", "/api/whoami", key=key), 401) == "unauthorized"


def test_a_rotated_key_is_good_for_one_more_day() -> None:
    with opened() as room:
        key = room.simulator.new_key()
        key_id = room.ask("GET", "/api/whoami", key=key).json()["key"]["keyId"]
        new = room.ask("POST", f"/api/keys/{key_id}/rotate", {}).json()["key"]
        room.simulator.skip(DAY_S - 60)
        assert room.ask("GET", "/api/whoami", key=key).status_code == 200
        room.simulator.skip(120)
        assert code_of(room.ask("GET", "/api/whoami", key=key), 401) == "unauthorized"
        assert room.ask("GET", "/api/whoami", key=new).status_code == 200


def test_the_key_of_a_user_who_is_gone_is_forbidden() -> None:
    with opened() as room:
        assert room.ask("DELETE", "/api/users/usr_night").status_code == 200
        answer = room.ask("GET", "/api/whoami", key=room.simulator.new_key(uid="usr_night"))
        assert code_of(answer, 403) == "forbidden"
        assert answer.json()["reason"] == "user_inactive"


@pytest.mark.parametrize(
    ("given", "lets"),
    [
        (scope("site", "site-1", "read"), True),
        (scope("site", "*", "read"), True),
        (scope("site", "site-2", "read"), False),
        (scope("site", "*", "write", "deploy", "rollback", "admin"), False),
        (scope("machine", "*", "read"), False),
    ],
)
def test_a_scope_covers_its_id_and_its_permissions_and_nothing_more(
    room: Room, given: dict[str, Any], lets: bool
) -> None:
    answer = room.ask("GET", "/api/sites/site-1", key=room.simulator.new_key(given))
    if lets:
        assert answer.status_code == 200
        return
    assert code_of(answer, 403) == "scope_insufficient"
    required = {"resource": "site", "id": "site-1", "permission": "read"}
    assert answer.json()["required"] == required


def test_a_key_for_one_machine_does_not_reach_another(room: Room) -> None:
    key = room.simulator.new_key(scope("machine", "m-01", "write"))
    order: dict[str, Any] = {"type": "reboot_machine", "params": {}}
    one, other = (f"/api/sites/site-1/machines/{each}/commands" for each in ("m-01", "m-02"))
    assert room.ask("POST", one, order, key=key).status_code == 202
    answer = room.ask("POST", other, order, key=key)
    assert code_of(answer, 403) == "scope_insufficient"
    required = {"resource": "machine", "id": "m-02", "permission": "write"}
    assert answer.json()["required"] == required


def test_pushing_needs_a_scope_on_the_site_and_no_role(room: Room) -> None:
    body = {"siteId": "site-1", "hashes": ["0" * 64]}
    roosts_only = room.simulator.new_key(scope("roost", "*", "read", "write"))
    answer = room.ask("POST", "/api/chunks/check", body, key=roosts_only)
    assert code_of(answer, 403) == "scope_insufficient"
    member = room.simulator.new_key(uid="usr_member")
    assert room.ask("POST", "/api/chunks/check", body, key=member).status_code == 200
    answer = room.ask("POST", "/api/chunks/upload-urls", body, key=member)
    assert code_of(answer, 403) == "forbidden"


def test_members_change_nothing_except_on_sites_of_their_own(room: Room) -> None:
    key = room.simulator.new_key(uid="usr_member")
    name = {"name": "another name"}
    assert code_of(room.ask("PATCH", "/api/sites/site-1", name, key=key), 403) == "forbidden"
    made = room.ask("POST", "/api/sites", {"siteId": "mine", "name": "mine"}, key=key)
    assert made.status_code == 201, made.text
    assert room.ask("PATCH", "/api/sites/mine", name, key=key).status_code == 200


def test_a_foreign_site_cannot_be_told_from_one_that_is_not_there(room: Room) -> None:
    key = room.simulator.new_key(uid="usr_member")
    foreign, absent = (room.ask("GET", f"/api/sites/{each}", key=key) for each in ("site-2", "x"))
    assert code_of(foreign, 404) == code_of(absent, 404) == "not_found"
    assert foreign.json()["detail"] == absent.json()["detail"] == "site not found or no access"


def test_the_checks_of_a_roost_route_come_in_their_order() -> None:
    with opened(habits=OwletteHabits.strict()) as room:
        path, long = "/api/roosts/rst_absent01/rollback", "k" * 256
        bad: dict[str, Any] = {"targetVersion": []}
        member = room.simulator.new_key(scope("site", "*", "read"), uid="usr_member")
        admin = room.simulator.new_key(scope("site", "*", "read"), uid="usr_admin")
        headers = {"Roost-Version": "1999-01-01", "Idempotency-Key": long}

        def ask(path: str, body: object, key: str = "") -> httpx.Response:
            more = {"Authorization": f"Bearer {key}"} if key else {}
            raw = {"json": body} if not isinstance(body, str) else {"content": body}
            return room.http.request("POST", path, headers={**headers, **more}, **raw)  # pyright: ignore[reportArgumentType] - each of them fits

        switch_roosts(room, on=False)
        assert "path.roostId" in ask("/api/roosts/short/rollback", "{").json()["errors"]
        assert list(ask(path, "{").json()["errors"]) == ["body"]
        assert ask(path, bad).json()["errors"] == {"body.siteId": ["required"]}
        assert "body.siteId" in ask(path, {**bad, "siteId": "a b"}).json()["errors"]
        bad["siteId"] = "absent"
        assert code_of(ask(path, bad), 400) == "unsupported_version"
        headers["Roost-Version"] = VERSION
        assert code_of(ask(path, bad), 401) == "unauthorized"
        assert code_of(ask(path, bad, member), 404) == "not_found"
        bad["siteId"] = "site-1"
        assert code_of(ask(path, bad, member), 403) == "forbidden"
        assert code_of(ask(path, bad, admin), 403) == "scope_insufficient"
        assert code_of(ask(path, bad, room.simulator.key), 503) == "service_unavailable"
        switch_roosts(room, on=True)
        assert code_of(ask(path, bad, room.simulator.key), 400) == "idempotency_key_invalid"
        headers["Idempotency-Key"] = "k"
        assert code_of(ask(path, bad, room.simulator.key), 400) == "validation_failed"
        good = {"siteId": "site-1"}
        headers["Idempotency-Key"] = "another"
        assert code_of(ask(path, good, room.simulator.key), 404) == "not_found"


def test_requests_without_a_version_pass_and_are_told_so(room: Room) -> None:
    answer = room.ask("GET", "/api/roosts?siteId=site-1", headers={"Roost-Version": ""})
    assert answer.status_code == 200
    assert answer.headers["X-Roost-Version-Missing"] == "true"


def test_only_the_one_version_is_supported(room: Room) -> None:
    answer = room.ask("GET", "/api/roosts?siteId=site-1")
    assert answer.status_code == 200
    assert "X-Roost-Version-Missing" not in answer.headers
    other = {"Roost-Version": "2020-01-01"}
    answer = room.ask("GET", "/api/roosts?siteId=site-1", headers=other)
    assert code_of(answer, 400) == "unsupported_version"
    assert (answer.json()["sent"], answer.json()["supported"]) == ("2020-01-01", [VERSION])
    machine = "/api/sites/site-1/machines/m-01/processes"
    assert room.ask("GET", machine, headers=other).status_code == 200


def test_a_key_from_before_scopes_may_all_and_is_told_that_it_is_old(room: Room) -> None:
    key = room.simulator.new_key(legacy=True)
    answer = room.ask("GET", "/api/sites/site-1", key=key)
    assert answer.status_code == 200
    assert answer.headers["X-Roost-Deprecation"] == "legacy-key-scope-missing"
    who = room.ask("GET", "/api/whoami", key=key).json()["key"]
    assert (who["scopes"], who["isLegacy"]) == (None, True)
    assert "X-Roost-Deprecation" not in room.ask("GET", "/api/sites/site-1").headers


def test_a_refusal_is_a_problem_document(room: Room) -> None:
    answer = room.ask("GET", "/api/roosts?page_size=0&siteId=site-1")
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    problem = answer.json()
    assert problem["type"] == "https://owlette.app/problems/validation-failed"
    told = (problem["title"], problem["status"], problem["instance"])
    assert told == ("validation failed", 400, "/api/roosts")
    assert problem["docsUrl"] == "https://owlette.app/docs/api/errors#validation_failed"
    assert uuid.UUID(problem["requestId"]).version == 4
    assert answer.headers["X-Request-Id"] == problem["requestId"]
    assert problem["errors"] == {"query.page_size": ["must be a positive integer <= 100"]}


def test_the_kill_switch_stops_roosts_and_nothing_else() -> None:
    with opened() as room:
        switch_roosts(room, on=False)
        for path in ("/api/roosts?siteId=site-1", f"/api/roosts/{ROOST}?siteId=site-1"):
            answer = room.ask("GET", path)
            assert code_of(answer, 503) == "service_unavailable"
            assert answer.json()["title"] == "roost disabled"
        assert room.ask("GET", "/api/sites/site-1/machines").status_code == 200
        switch_roosts(room, on=True)
        assert room.ask("GET", "/api/roosts?siteId=site-1").status_code == 200


def test_a_key_has_300_requests_an_hour_for_processes() -> None:
    with opened(habits=OwletteHabits()) as room:
        path = "/api/sites/site-1/machines/m-01/processes"
        assert room.ask("GET", path).headers["RateLimit-Remaining"] == "299"
        for _ in range(298):
            room.ask("GET", path)
        answer = room.ask("GET", path)
        assert (answer.status_code, answer.headers["RateLimit-Remaining"]) == (200, "0")
        answer = room.ask("GET", path)
        assert code_of(answer, 429) == "rate_limited"
        headers = answer.headers
        wait = int(headers["Retry-After"])
        assert 1 <= answer.json()["retryAfter"] == wait <= 3600
        assert headers["RateLimit-Limit"] == headers["X-RateLimit-Limit"] == "300"
        assert headers["RateLimit-Remaining"] == headers["X-RateLimit-Remaining"] == "0"
        assert int(headers["RateLimit-Reset"]) == wait
        assert int(headers["X-RateLimit-Reset"]) > 1_600_000_000_000
        assert headers["Roost-Rate-Limited-Reason"] == "key-rate"
        assert room.ask("GET", path, key=room.simulator.new_key()).status_code == 200
        assert room.ask("GET", "/api/roosts?siteId=site-1").status_code == 200


def test_changes_are_limited_by_the_minute_for_each_user() -> None:
    with opened(habits=OwletteHabits()) as room:
        path = "/api/webhooks?siteId=site-1"
        body = {"url": "https://hooks.example.com/x", "events": ["machine.online"]}
        statuses = {room.ask("POST", path, body).status_code for _ in range(30)}
        assert statuses == {201}
        answer = room.ask("POST", path, body)
        assert code_of(answer, 429) == "rate_limited"
        assert answer.headers["Roost-Rate-Limited-Reason"] == "endpoint-rate"
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert room.ask("GET", path).status_code == 200
        other = room.simulator.new_key(uid="usr_admin")
        assert room.ask("POST", path, body, key=other).status_code == 201


COMMANDS: Final = "/api/sites/site-1/machines/m-01/commands"
ORDER: Final[dict[str, Any]] = {"type": "cancel_reboot", "params": {}}


def test_a_request_that_is_repeated_is_answered_as_before(room: Room) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (room.ask("POST", COMMANDS, ORDER, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_is_another_one_on_another_path_and_for_another_user(room: Room) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    room.ask("POST", COMMANDS, ORDER, headers=key)
    elsewhere = room.ask("POST", COMMANDS.replace("m-01", "m-02"), ORDER, headers=key)
    by_another = room.ask(
        "POST", COMMANDS, ORDER, headers=key, key=room.simulator.new_key(uid="usr_admin")
    )
    for answer in (elsewhere, by_another):
        assert answer.status_code == 202
        assert "Idempotent-Replayed" not in answer.headers


def test_a_key_that_was_used_with_another_body_is_refused(room: Room) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    room.ask("POST", COMMANDS, ORDER, headers=key)
    answer = room.ask("POST", COMMANDS, {"type": "reboot_machine"}, headers=key)
    assert code_of(answer, 422) == "idempotency_key_mismatch"


def test_where_a_key_is_required_none_is_refused(room: Room) -> None:
    answer = room.ask("POST", COMMANDS, ORDER, headers={"Idempotency-Key": ""})
    assert code_of(answer, 400) == "idempotency_key_required"
    assert answer.json()["param"] == "Idempotency-Key"


@pytest.mark.parametrize(("length", "status"), [(255, 202), (256, 400)])
def test_a_key_has_at_most_255_characters(room: Room, length: int, status: int) -> None:
    answer = room.ask("POST", COMMANDS, ORDER, headers={"Idempotency-Key": "k" * length})
    assert answer.status_code == status
    assert status == 202 or answer.json()["code"] == "idempotency_key_invalid"


def test_refusals_are_not_kept_for_repeats(room: Room) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert room.ask("POST", COMMANDS, {"type": "dance"}, headers=key).status_code == 400
    assert room.ask("POST", COMMANDS, ORDER, headers=key).status_code == 202


def test_a_key_is_forgotten_after_a_day() -> None:
    with opened() as room:
        key = {"Idempotency-Key": "once"}
        first = room.ask("POST", COMMANDS, ORDER, headers=key).json()
        room.simulator.skip(DAY_S - 60)
        assert room.ask("POST", COMMANDS, ORDER, headers=key).json() == first
        room.simulator.skip(120)
        answer = room.ask("POST", COMMANDS, ORDER, headers=key)
        assert "Idempotent-Replayed" not in answer.headers
        assert answer.json() != first


@pytest.mark.parametrize("size", ["0", "-1", "101", "x", "1.5", ""])
@pytest.mark.parametrize("name", ["page_size", "limit"])
def test_a_bad_page_size_is_refused(room: Room, name: str, size: str) -> None:
    answer = room.ask("GET", f"/api/users?{name}={size}")
    assert code_of(answer, 400) == "validation_failed"
    assert list(answer.json()["errors"]) == ["query.page_size"]


@pytest.mark.parametrize(
    ("size", "token", "reads"),
    [("page_size", "page_token", "next_page_token"), ("limit", "cursor", "nextPageToken")],
)
def test_both_spellings_lead_through_the_pages(
    room: Room, size: str, token: str, reads: str
) -> None:
    whole = [each["uid"] for each in room.ask("GET", "/api/users").json()["users"]]
    seen: list[str] = []
    at = ""
    for _ in whole:
        page = room.ask("GET", f"/api/users?{size}=1&{token}={at}").json()
        seen += [each["uid"] for each in page["users"]]
        assert page["next_page_token"] == page["nextPageToken"]
        at = page[reads]
    assert seen == whole
    assert at == ""


def test_an_unknown_token_begins_anew(room: Room) -> None:
    first = room.ask("GET", "/api/users?page_size=2").json()
    assert room.ask("GET", "/api/users?page_size=2&page_token=nobody").json() == first
