"""Rows full of secrets are loaded, and not one of the secrets is in the database's bytes."""

from __future__ import annotations

import gzip
import json
import logging
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.cloud_bot_loads import Start as StartControlRoom
from tests.cloud_bot_loads import source as cloud_bot
from tests.rootly_loads import Rootly, Start, source
from tests.warehouse import Warehouse, loaded

from opsnest.explain import explain
from opsnest.loading import load

NAMES = ("incidents", "alerts", "services", "heartbeats", "teams", "audits")
_WORD = string.ascii_letters + string.digits


def corpus() -> list[str]:
    """Return secrets of many kinds, put together here so that none is written in this file."""
    rng = random.Random("corpus")

    def some(count: int, letters: str = _WORD) -> str:
        return "".join(rng.choice(letters) for _ in range(count))

    digits, upper, hexed = string.digits, string.ascii_uppercase, "0123456789abcdef"
    made: list[str] = []
    for _ in range(4):
        made += [
            "gh" + "p_" + some(36),
            "gl" + "pat-" + some(20),
            "xo" + "xb-" + some(12, digits) + "-" + some(24),
            "AK" + "IA" + some(16, upper),
            "AI" + "za" + some(35),
            "sk" + "_live_" + some(24),
            "sk" + "-ant-" + some(40),
            "SG" + "." + some(22) + "." + some(43),
            "npm" + "_" + some(36),
            "rootly" + "_" + some(64, hexed),
            "ow" + "k_" + some(32),
            "wh" + "sec_" + some(32),
            "ey" + "J" + some(20) + "." + some(40) + "." + some(43),
            "-----BEGIN " + "PRIVATE KEY-----\n" + some(64) + "\n-----END PRIVATE KEY-----",
            "dop" + "_v1_" + some(64, hexed),
        ]
    return made


SECRETS = corpus()


def hide(running: Rootly) -> None:
    """Put the secrets into rows, wherever people and programs put them."""
    secrets = iter(SECRETS * 4)

    def into(table: str, place: Any) -> None:
        rows = running.simulator.tables[table]
        for key in rows.keys():  # noqa: SIM118 - no dict
            rows.update(key, lambda row: place(row["attributes"], next(secrets, SECRETS[0])))

    def incident(at: dict[str, Any], secret: str) -> None:
        at["title"] = f"leak of {secret} in the deploy log"
        at["summary"] = f"Authorization: Bearer {secret}"
        at["labels"] = {"token": secret, secret.partition("\n")[0]: "label"}
        at["zoom_meeting_password"] = secret
        at["url"] = f"https://deploy:{secret.encode().hex()}@example.com/x"

    def alert(at: dict[str, Any], secret: str) -> None:
        at["data"] = {"env": [{"name": "KEY", "value": secret}], "raw": json.dumps({"k": secret})}
        at["description"] = json.dumps({"nested": json.dumps({"deeper": secret})})

    def heartbeat(at: dict[str, Any], secret: str) -> None:
        at["secret"] = at["ping_url"] = secret
        at["description"] = f"curl -d key={secret}"

    def named(at: dict[str, Any], secret: str) -> None:
        at["description"] = f"rotate ({secret})"

    def audit(at: dict[str, Any], secret: str) -> None:
        at["object_changes"] = {"api_key": [None, secret]}

    into("incidents", incident)
    into("alerts", alert)
    into("heartbeats", heartbeat)
    into("services", named)
    into("teams", named)
    into("audits", audit)


def spellings(secret: str) -> Iterator[bytes]:
    """Yield a secret as it may stand in a file."""
    yield secret.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield secret.encode().hex().encode()


def content(path: Path) -> bytes:
    """Return what is in a file, which dlt may have packed."""
    packed = path.read_bytes()
    return gzip.decompress(packed) if path.suffix == ".gz" else packed


def test_not_one_secret_is_in_the_bytes_of_what_a_load_leaves(
    rootly: Start, warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = rootly(incidents=60, alerts=60, services=30, teams=20, others=10)
    hide(running)

    with caplog.at_level(logging.DEBUG):
        load(warehouse.pipeline, source(running).with_resources(*NAMES))

    texts = warehouse.text()
    warehouse.query("CHECKPOINT")
    warehouse.close()
    files = {path: content(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert warehouse.pipeline.last_trace is not None
    trace = str(warehouse.pipeline.last_trace.asdict())
    assert any(path.suffix == ".duckdb" for path in files)
    every = b"\n".join([*files.values(), texts.encode(), caplog.text.encode(), trace.encode()])
    for secret in SECRETS:
        for spelling in spellings(secret):
            assert spelling not in every, secret[:8]
    warnings = [text for text in caplog.messages if "removed" in text]
    assert {text.partition(":")[0].rpartition(" / ")[2] for text in warnings} >= {
        "incidents",
        "alerts",
        "services",
    }
    assert "GitHub token" in " ".join(warnings)


def test_what_is_not_a_secret_is_loaded_as_it_is(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=20)
    hide(running)

    warehouse.load(source(running), "incidents")

    for title in loaded(warehouse, "incidents", "attributes__title").values():
        assert title.startswith("leak of [removed: ")
        assert title.endswith(" in the deploy log")


def test_rows_are_equal_but_for_their_secrets(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(services=30, others=10)
    hide(running)
    tables = ("services", "heartbeats")
    columns = "* EXCLUDE (_dlt_load_id, _dlt_id, attributes__description)"

    def read() -> list[list[tuple[Any, ...]]]:
        return [warehouse.query(f"SELECT {columns} FROM {at} ORDER BY id") for at in tables]

    warehouse.load(source(running, secrets_in_rows="keep"), *tables)
    kept, secret = read(), warehouse.text()
    # these lists are read whole: rows that are not what was loaded before are loaded once more
    warehouse.load(source(running, secrets_in_rows="mask"), *tables)

    assert read() == kept
    assert [each for each in SECRETS if each in secret]
    assert not [each for each in SECRETS if each in warehouse.text()]


def test_secrets_are_loaded_by_those_who_want_them(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=20, services=30)
    hide(running)

    warehouse.load(source(running, secrets_in_rows="keep"), "services")

    descriptions = loaded(warehouse, "services", "attributes__description").values()
    assert any(secret in text for text in descriptions for secret in SECRETS)


def test_single_resources_are_looked_at_as_well(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly()
    hide(running)
    key = running.simulator.tables["services"].keys()[0]

    warehouse.load(source(running, any_single_resource=[f"services/{key}"]), "any-single-resource")

    text = warehouse.text()
    assert "[removed: " in text
    assert not [secret for secret in SECRETS if secret in text]


def test_a_wrong_choice_is_told_before_anything_is_asked(rootly: Start) -> None:
    running = rootly()

    with pytest.raises(Exception, match="secrets_in_rows") as raised:
        list(source(running, secrets_in_rows="drop").resources)

    error = explain(raised.value)
    assert error is None or error.exit_code == 3
    assert not isinstance(raised.value, PipelineStepFailed)
    assert running.simulator.requests.all() == []


def test_the_lists_of_the_seed_page_are_looked_at_as_well(
    room: StartControlRoom, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    running = room()
    robots = running.simulator.tables["robots"]
    robots.update(robots.keys()[0], lambda row: row.update(nickname=f"key {SECRETS[0]}"))

    with caplog.at_level(logging.WARNING, "opsnest"):
        warehouse.load(cloud_bot(running, api="seed"), "robots")

    assert SECRETS[0] not in warehouse.text()
    assert "[removed: GitHub token]" in warehouse.text()
    assert "cloud_bot_source / robots: removed 1 GitHub token from nickname" in caplog.text
