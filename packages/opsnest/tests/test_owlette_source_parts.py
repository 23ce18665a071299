"""The Owlette source where a part cannot be read: it is told, and the rest is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

import opssim
from opsnest.errors import AccessError, AnswerError, ConfigurationError, OpsnestError
from opsnest.explain import explain
from opsnest.sources import owlette_source
from opsnest.sources.owlette import without_signatures
from opsnest.sources.owlette_reading import STEPS, Reading, walk
from opssim.owlette import OwletteSimulator
from roost import RetryPolicy, RoostSync, ServerError

Running = opssim.Running[OwletteSimulator]
Load = Callable[..., None]
Query = Callable[[str], list[Any]]


@pytest.fixture
def owlette() -> Generator[Running]:
    with opssim.serve(OwletteSimulator(pace_s=0.02)) as running:
        yield running


@pytest.fixture
def load(owlette: Running, tmp_path: Path) -> Load:
    def load(*names: str, **settings: Any) -> None:
        given: dict[str, Any] = {"token": owlette.simulator.key, "api_url": owlette.url}
        source = owlette_source(**{**given, **settings})
        pipeline = dlt.pipeline(
            "owlette",
            destination=dlt.destinations.duckdb(str(tmp_path / "owlette.duckdb")),
            dataset_name="owlette_data",
            pipelines_dir=str(tmp_path / "state"),
        )
        pipeline.run(source.with_resources(*names) if names else source)

    return load


@pytest.fixture
def query(tmp_path: Path) -> Query:
    def query(sql: str) -> list[Any]:
        with duckdb.connect(str(tmp_path / "owlette.duckdb"), read_only=True) as connection:
            connection.execute("USE owlette_data")
            return connection.sql(sql).fetchall()

    return query


def asked(owlette: Running, ending: str) -> int:
    """Return how often paths that end so were asked for since the last time."""
    paths = [each.path for each in owlette.simulator.requests.all()]
    owlette.simulator.requests.clear()
    return sum(path.endswith(ending) for path in paths)


def refusal(load: Load, *names: str, **settings: Any) -> OpsnestError:
    """Return what a user is told about a load that fails."""
    with pytest.raises(PipelineStepFailed) as raised:
        load(*names, **settings)
    error = explain(raised.value)
    assert error is not None
    return error


def scope(resource: str, place: str, *permissions: str) -> dict[str, Any]:
    return {"resource": resource, "id": place, "permissions": list(permissions)}


def test_a_site_that_may_not_be_read_does_not_cut_off_the_next(
    load: Load, query: Query, owlette: Running, caplog: pytest.LogCaptureFixture
) -> None:
    key = owlette.simulator.new_key(
        scope("site", "*", "read"),
        scope("site", "site-2", "read", "admin"),
        scope("roost", "*", "read"),
        scope("machine", "m-02", "read"),
    )
    load(token=key)
    for table in ("members", "audit_log"):
        assert query(f"SELECT DISTINCT site_id FROM {table}") == [("site-2",)]
        (told,) = [each for each in caplog.messages if f"/ {table} " in each]
        assert "is left out in part" in told
        assert told.endswith("admin on site:site-1")
    assert query("SELECT DISTINCT machine_id FROM processes") == [("m-02",)]
    assert "read on machine:m-01 (and 8 more)" in caplog.text
    assert query("SELECT count(*) FROM machines") == [(10,)]


def test_a_part_that_may_not_be_read_is_an_error_where_it_was_chosen(
    load: Load, owlette: Running
) -> None:
    key = owlette.simulator.new_key(
        scope("site", "*", "read"), scope("site", "site-1", "read", "admin")
    )
    error = refusal(load, "members", token=key)
    assert isinstance(error, AccessError)
    assert "owlette_source / members: the API key may not read this" in str(error)
    assert "admin on site:site-2" in str(error)


def test_a_site_whose_roosts_are_switched_off(owlette: Running) -> None:
    world = owlette.simulator.world
    with world.database.transaction():
        site = world.database.get("sites", "site-1")
        assert site is not None
        world.database.put("sites", "site-1", {**site, "roostEnabled": False})
    once = RetryPolicy(max_attempts=1)
    with RoostSync(token=owlette.simulator.key, api_url=owlette.url, retry=once) as client:
        reading = Reading(client, (), 300, spread=False, strict=False)
        assert not list(walk(reading, {}, STEPS["versions"]))
        assert len(reading.refused) == 1
        reading.strict = True
        with pytest.raises(ServerError):
            list(walk(reading, {}, STEPS["versions"]))


def test_switched_off_roosts_are_explained(load: Load, owlette: Running) -> None:
    body = json.dumps({"title": "roost disabled", "code": "service_unavailable"}).encode()
    owlette.simulator.faults.add(
        opssim.Fault("/api/roosts$", status=503, body=body, headers={"Retry-After": "0"})
    )
    error = refusal(load, "roosts")
    assert isinstance(error, AccessError)
    assert "the site's roosts are switched off" in str(error)
    assert "site_ids" in str(error)


def test_a_machine_that_goes_meanwhile_is_skipped(
    load: Load, query: Query, owlette: Running, caplog: pytest.LogCaptureFixture
) -> None:
    gone = b'{"code": "machine_not_found", "detail": "machine not found"}'
    owlette.simulator.faults.add(opssim.Fault("/m-03/processes$", status=404, body=gone))
    load("processes")
    assert query("SELECT count(DISTINCT machine_id) FROM processes") == [(9,)]
    assert "site-1/m-03 is skipped, as it is gone" in caplog.text


def test_a_version_whose_manifest_is_gone_is_skipped(
    load: Load, query: Query, owlette: Running
) -> None:
    owlette.simulator.faults.add(opssim.Fault("/files$", status=410, times=1, body=b"{}"))
    load("version_files")
    assert query("SELECT count(DISTINCT version_id) FROM version_files") == [(1,)]
    asked(owlette, "/files")
    load("version_files")
    assert asked(owlette, "/files") == 0


def test_files_are_read_again_where_the_newest_version_is_another_and_not_newer(
    load: Load, query: Query, owlette: Running
) -> None:
    load("version_files")
    before = query("SELECT count(*) FROM version_files")
    world = owlette.simulator.world
    place = "sites/site-1/roosts/rst_lobby_wall/versions"
    newest = max(world.database.documents(place), key=lambda each: each["versionNumber"])
    with world.database.transaction():
        world.database.delete(place, newest["versionId"])
    asked(owlette, "/files")
    load("version_files")
    assert asked(owlette, "/files") == 1
    assert query("SELECT count(*) FROM version_files") == before


def test_files_of_a_load_that_failed_are_read_again(
    load: Load, query: Query, owlette: Running
) -> None:
    owlette.simulator.faults.add(opssim.Fault("/files$", every=2, status=400, body=b"{}"))
    assert isinstance(refusal(load, "version_files"), AnswerError)
    owlette.simulator.faults.clear()
    load("version_files")
    assert query("SELECT count(DISTINCT version_id) FROM version_files") == [(2,)]


def test_all_sites_are_read_where_none_is_named(load: Load, query: Query) -> None:
    load("sites", site_ids=None)
    assert query("SELECT count(*) FROM sites") == [(2,)]
    load("sites", "machines", site_ids=["site-2"])
    assert query("SELECT DISTINCT site_id FROM machines") == [("site-2",)]


def test_a_site_that_is_not_there_is_explained_by_sites_too(load: Load) -> None:
    error = refusal(load, "sites", site_ids=["nowhere"])
    assert isinstance(error, AccessError)
    assert "Check `site_ids`" in str(error)


def test_an_address_that_is_none_is_explained(load: Load) -> None:
    error = refusal(load, "sites", api_url="owlette")
    assert isinstance(error, ConfigurationError)
    assert "Check `token` and `api_url`" in str(error)


@pytest.mark.parametrize("name", ["users", "logs", "installer_deployments", "webhook_deliveries"])
def test_a_list_that_goes_round_is_explained(load: Load, owlette: Running, name: str) -> None:
    tokens = {"next_page_token": "again", "nextPageToken": "again"}
    rows: dict[str, Any] = {key: [] for key in ("users", "logs", "items", "deliveries")}
    path = {"installer_deployments": "/deployments$", "webhook_deliveries": "/deliveries$"}
    owlette.simulator.faults.add(
        opssim.Fault(
            path.get(name, f"/{name}$"), status=200, body=json.dumps(rows | tokens).encode()
        )
    )
    error = refusal(load, name)
    assert isinstance(error, AnswerError)
    assert "came twice" in str(error)


def test_what_the_server_says_is_waited_for_and_told(
    load: Load,
    query: Query,
    owlette: Running,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("opsnest.sources.owlette._LONG_WAIT", 0.9)
    full = {"Retry-After": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}
    body = b'{"code": "rate_limited", "detail": "too many", "retryAfter": 1}'
    owlette.simulator.faults.add(
        opssim.Fault("/processes$", times=2, status=429, headers=full, body=body)
    )
    load("processes", call_budget=1, spread=True)
    assert query("SELECT count(*) FROM processes") == [(20,)]
    assert caplog.text.count("owlette_source waits 1 s") == 2


def test_secrets_that_a_server_sends_with_webhooks_are_left_out(
    load: Load, query: Query, owlette: Running
) -> None:
    webhook = {
        "id": "wh_sample000000000001",
        "url": "https://name:word@hooks.example/x",
        "signingSecret": "whsec_" + "0" * 64,
        "description": "signed with whsec_" + "0" * 64,
    }
    delivery = {
        "id": "dl_1",
        "lastError": "POST https://hooks.example/x?token=1 failed (502)",
        "request": {"headers": {"Roost-Signature": "t=1,v1=00"}},
    }
    bodies = {"webhooks": [webhook]}, {"deliveries": [delivery], "next_page_token": ""}
    for path, body in zip(("/api/webhooks$", "/deliveries$"), bodies, strict=True):
        fault = opssim.Fault(path, status=200, body=json.dumps(body).encode())
        owlette.simulator.faults.add(fault)
    load("webhooks", "webhook_deliveries", site_ids=["site-1"])
    assert query("SELECT url, description FROM webhooks") == [
        ("https://hooks.example/x", "signed with [secret]")
    ]
    assert query("SELECT last_error FROM webhook_deliveries") == [
        ("POST https://hooks.example/x failed (502)",)
    ]
    columns = query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'owlette_data' "
        "AND (column_name LIKE '%secret%' OR column_name LIKE '%request%')"
    )
    assert columns == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("why? see https://a.example/x?sig=1", "why? see https://a.example/x"),
        ("#3 failed: https://a.example/x?sig=1&e=2.", "#3 failed: https://a.example/x"),
        ('{"u": "https://a.example/x?sig=1", "n": 2}', '{"u": "https://a.example/x", "n": 2}'),
        (
            "https://a.example/?p=1 https://b.example/?sig=2",
            "https://a.example/?p=1 https://b.example/",
        ),
        ("http://[::1]:80/x?signature=1", "http://[::1]:80/x"),
        ("https://name:word@a.example/x", "https://a.example/x"),
        ("https://a.example/x?api_key=1", "https://a.example/x"),
        ("said owk_test_" + "a" * 43, "said [secret]"),
        ("C:\\media\\owk_list.txt", "C:\\media\\owk_list.txt"),
        ("HTTPS://A.example/x?", "HTTPS://A.example/x?"),
    ],
)
def test_texts_lose_what_is_a_permission(text: str, kept: str) -> None:
    assert without_signatures({"a": [{"b": text}]}) == {"a": [{"b": kept}]}
