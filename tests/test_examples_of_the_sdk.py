"""The scripts in `examples/owlette`, run as a user runs them, against a small Owlette."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_owlette import SITE, TOKEN, Reply, SmallOwlette, small_owlette

FOLDER = Path(__file__).parents[1] / "examples" / "owlette"
ROOST = "rst_abc"
TRIED = {
    "ask_cortex", "chunks_by_hand", "look_around", "publish", "run_roost_workflow", "subscribe",
}  # fmt: skip


@pytest.fixture
def owlette() -> Iterator[SmallOwlette]:
    with small_owlette() as served:
        served.others["/api/whoami"] = [
            Reply(data={"userId": "u", "email": "a@b", "role": "admin", "primarySiteId": SITE})
        ]
        served.others["/api/version"] = [Reply(data={"current": "2026-04-22", "supported": []})]
        served.others[f"/api/sites/{SITE}"] = [Reply(data={"id": SITE, "name": "Lobby"})]
        yield served
    assert served.leaks == []


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "index.html").write_text("<h1>hello</h1>")
    (folder / "app.js").write_text("hello()")
    (folder / "app.js.map").write_text("{}")
    return folder


def run(owlette: SmallOwlette, script: str, *arguments: object) -> str:
    environment = {**os.environ, "OWLETTE_TOKEN": TOKEN, "OWLETTE_API_URL": owlette.url}
    done = subprocess.run(
        [sys.executable, FOLDER / f"{script}.py", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert TOKEN not in done.stdout
    return done.stdout


def test_every_script_is_tried() -> None:
    elsewhere = {"whole_workflow"}  # in test_whole_workflow.py: it needs a whole Owlette
    assert {each.stem for each in FOLDER.glob("*.py")} == TRIED | elsewhere


def test_publish(owlette: SmallOwlette, dist: Path) -> None:
    said = run(owlette, "publish", dist, ROOST).splitlines()
    assert said[0] == "2 files, 21 bytes"
    assert said[1] == "2 of 2 chunks are missing"
    assert said[-2] == "2 of 2 chunks are uploaded"
    assert said[-1] == f"version 1 is current: {owlette.roosts[ROOST].head}"
    assert set(owlette.files(ROOST)) == {"index.html", "app.js"}
    assert owlette.head(ROOST)["description"] == "from the examples"


def test_the_workflow_up_to_publishing(owlette: SmallOwlette, dist: Path) -> None:
    said = run(owlette, "run_roost_workflow", dist, ROOST, SITE).splitlines()
    assert said == [
        "key of a@b, role admin",
        "API 2026-04-22",
        "site Lobby",
        "roost rst_abc is made when it is published to",
        "3 files are new, 23 bytes",
        "published version 1",
    ]


def _rollout(stage: str, **more: Any) -> Reply:
    version = "ab" * 32
    ids = {"rolloutId": version, "versionId": version, "siteId": SITE, "roostId": ROOST}
    return Reply(data={**ids, "stage": stage, "canary": ["m-1"], "fleet": ["m-2"], **more})


@pytest.mark.parametrize("fails", [False, True])
def test_the_whole_workflow(owlette: SmallOwlette, dist: Path, *, fails: bool) -> None:
    last = _rollout("aborted", abortReason="1/2 failed") if fails else _rollout("complete")
    owlette.others[f"/api/roosts/{ROOST}/deploy"] = [_rollout("canary")]
    owlette.others[f"/api/roosts/{ROOST}/deployments/{'ab' * 32}"] = [_rollout("canary"), last]
    owlette.others[f"/api/roosts/{ROOST}/rollback"] = [
        Reply(data={"currentVersionId": "v", "currentVersionNumber": 1})
    ]
    said = run(owlette, "run_roost_workflow", dist, ROOST, SITE, "m-1", "m-2").splitlines()
    assert said[6] == f"rollout {'ab' * 32}: ['m-1'] first"
    if fails:
        assert said[7].endswith("was aborted: 1/2 failed")
        assert said[8] == "back to version 1"
    else:
        assert said[7:] == ["rollout complete"]


def test_look_around(owlette: SmallOwlette) -> None:
    roost = {"roostId": ROOST, "siteId": SITE, "name": "Kiosk", "versionCounter": 2}
    site, versions = f"/api/sites/{SITE}", f"/api/roosts/{ROOST}/versions/current"
    owlette.others |= {
        f"{site}/machines": [Reply(data={"machines": [{"id": "m", "name": "M", "online": True}]})],
        f"{site}/quota": [Reply(data={"siteId": SITE, "usedBytes": 5, "limitBytes": None})],
        "/api/roosts": [Reply(data={"roosts": [{**roost, "previousVersionId": "v1"}]})],
        f"{versions}/diff": [Reply(data={"summary": {"added": 1}})],
        f"{versions}/files": [Reply(data={"files": [{"path": "a", "size": 1, "chunks": []}]})],
    }
    assert run(owlette, "look_around", SITE).splitlines() == [
        "machine M: online",
        "5 of unlimited bytes are used",
        "roost Kiosk, 2 versions",
        "  the last one: {'added': 1}",
        "  a, 1 bytes",
    ]


def test_chunks_by_hand(owlette: SmallOwlette, dist: Path) -> None:
    said = run(owlette, "chunks_by_hand", SITE, dist / "app.js").splitlines()
    assert said == ["uploaded 7 bytes: 200", "fetched 7 bytes, the same"]
    assert run(owlette, "chunks_by_hand", SITE, dist / "app.js") == f"{said[1]}\n"


def test_ask_cortex(owlette: SmallOwlette) -> None:
    conversations = "/api/cortex/conversations"
    owlette.others[conversations] = [Reply(data={"ok": True, "data": {"conversationId": "c1"}})]
    owlette.others[f"{conversations}/c1"] = [Reply(content=b'0:"All "\n0:"is well."\n')]
    assert run(owlette, "ask_cortex", SITE, "m-1", "how are you?") == "All is well.\n"


def test_subscribe(owlette: SmallOwlette) -> None:
    url = "https://example.com/hooks/roost"
    made = {"id": "wh_1", "url": url, "signingSecret": "whsec_x"}
    owlette.others["/api/webhooks"] = [Reply(data={"webhooks": []}), Reply(201, made)]
    assert run(owlette, "subscribe", SITE, url) == "wh_1: WEBHOOK_SECRET=whsec_x\n"
    there = {"id": "wh_1", "url": url, "events": ["version.published"]}
    owlette.others["/api/webhooks"] = [Reply(data={"webhooks": [there]})]
    said = run(owlette, "subscribe", SITE, url)
    assert said == "wh_1 is there already, for version.published\n"
