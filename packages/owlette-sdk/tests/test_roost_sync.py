"""The client without asyncio: the same calls, made by the same code."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost import NotFoundError, Roost, RoostSync
from roost._portal import Portal
from roost.testing import Pieces, RecordedTransport, answer, refusal

PACKAGE = Path(__file__).parents[1]


def test_it_is_up_to_date() -> None:
    script = PACKAGE / "scripts" / "generate_sync.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"run {script.name}: roost/sync is not what it makes"


def _methods(thing: object) -> dict[str, Any]:
    return {
        name: member
        for name, member in inspect.getmembers(type(thing), callable)
        if not name.startswith("_")
    }


def test_it_has_all_methods_with_their_arguments() -> None:
    with RoostSync(token="owk_test_x", transport=RecordedTransport()) as sync:
        roost = Roost(token="owk_test_x", transport=RecordedTransport())
        groups = [name for name in vars(roost) if name != "http"]
        pairs: list[tuple[Any, Any]] = [
            (getattr(roost, name), getattr(sync, name)) for name in groups
        ]
        pairs += [
            (roost.account.api_keys, sync.account.api_keys),
            (roost.members("s"), sync.members("s")),
            (roost.processes("s", "m"), sync.processes("s", "m")),
            (roost.agent_tokens("s"), sync.agent_tokens("s")),
            (roost.audit_log("s"), sync.audit_log("s")),
            (roost.logs("s"), sync.logs("s")),
            (roost.presets("s").reboot, sync.presets("s").reboot),
        ]
        assert len(pairs) > 17
        for one, other in pairs:
            ours, theirs = _methods(one), _methods(other)
            assert ours.keys() == theirs.keys()
            for name, method in ours.items():
                assert (
                    inspect.signature(method).parameters
                    == inspect.signature(theirs[name]).parameters
                )


def test_a_call() -> None:
    transport = RecordedTransport(answer({"sites": [{"id": "site-1"}]}))
    with RoostSync(token="owk_test_x", transport=transport) as client:
        assert [site.id for site in client.sites.list()] == ["site-1"]
        client.processes("s", "m").kill("p")
        client.members("s").add("u")
        client.with_options(idempotency_key="mine").roosts.remove("r", site_id="s")
        client.account.api_keys.list()
    assert transport.is_closed
    assert [each.target for each in transport.asked] == [
        "/api/sites",
        "/api/sites/s/machines/m/processes/p/kill",
        "/api/sites/s/members",
        "/api/roosts/r?siteId=s",
        "/api/account/api-keys",
    ]
    assert transport.asked[3].headers["idempotency-key"] == "mine"


def test_a_list() -> None:
    transport = RecordedTransport(
        answer({"roosts": [{"roostId": "1"}, {"roostId": "2"}], "nextPageToken": "2"}),
        answer({"roosts": [{"roostId": "3"}], "nextPageToken": ""}),
    )
    with RoostSync(token="owk_test_x", transport=transport) as client:
        rows = client.roosts.list(site_id="s")
        assert [row.roost_id for row in rows] == ["1", "2", "3"]


def test_a_stream_that_is_left_early_is_closed() -> None:
    body = Pieces(b'0:"a"\n', b'0:"b"\n')
    transport = RecordedTransport(lambda _: httpx.Response(200, stream=body))
    with RoostSync(token="owk_test_x", transport=transport) as client:
        for text in client.chat.send("c", "m"):
            assert text == "a"
            break
        assert body.is_closed


def test_errors_are_the_same() -> None:
    transport = RecordedTransport(refusal(404, "not_found"))
    with (
        RoostSync(token="owk_test_x", transport=transport) as client,
        pytest.raises(NotFoundError),
    ):
        client.roosts.get("r", site_id="s")
    with pytest.raises(ValueError, match="empty"):
        RoostSync(token="")


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with RoostSync(token="owk_test_x", transport=RecordedTransport()) as client:
        client.sites.list()
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before


async def test_it_works_where_a_loop_is_running() -> None:
    transport = RecordedTransport(answer({"sites": []}))
    with RoostSync(token="owk_test_x", transport=transport) as client:
        assert client.sites.list() == []


def test_ctrl_c_cancels_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    portal = Portal()
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portal.run(forever())
    monkeypatch.undo()
    assert cancelled.wait(5)
    portal.close()
