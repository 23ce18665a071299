"""What goes wrong while pages are read, and lists that move: the whole truth or a clear error."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dlt
import pytest
import requests
from dlt.pipeline.exceptions import PipelineStepFailed
from packages.restarrow.tests.paged_things import (
    PAGES,
    ROWS,
    SIZE,
    a_page,
    is_whole,
    loaded,
    page_of,
    source,
)
from packages.restarrow.tests.scripted_server import Asked, reply, scripted

import restarrow.dlt


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dlt.Pipeline:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    return dlt.pipeline(
        "reading",
        destination=dlt.destinations.duckdb(str(tmp_path / "reading.duckdb")),
        dataset_name="data",
        pipelines_dir=str(tmp_path / "pipelines"),
    )


# ---- faults


def test_a_storm_of_429_is_waited_out(pipeline: dlt.Pipeline) -> None:
    began: list[float] = []

    def answer(asked: Asked) -> bytes:
        if page_of(asked) > 4:
            began.append(time.monotonic())
            # less than the waits of ten attempts at the least, though none is asked for
            if time.monotonic() < began[0] + 0.04:
                return reply({}, 429, {"Retry-After": "0"})
        return a_page(page_of(asked))

    with scripted(answer) as server:
        pipeline.run(source(server))
    assert is_whole(pipeline)


def test_one_request_of_twenty_fails(pipeline: dlt.Pipeline) -> None:
    count = itertools.count(1)
    lock = threading.Lock()

    def answer(asked: Asked) -> bytes:
        with lock:
            turn = next(count)
        if turn % 20 == 0:
            return reply({}, 503) if turn % 40 else b""  # an answer that refuses, or none at all
        return a_page(page_of(asked))

    with scripted(answer) as server:
        pipeline.run(source(server))
        assert len(server.asked) > PAGES
    assert is_whole(pipeline)


def test_a_window_whose_connections_are_all_cut_at_once(pipeline: dlt.Pipeline) -> None:
    cut_until = 0.0
    lock = threading.Lock()

    def answer(asked: Asked) -> bytes:
        nonlocal cut_until
        with lock:
            if page_of(asked) == 9 and not cut_until:
                cut_until = time.monotonic() + 0.05
            if time.monotonic() < cut_until:
                return b""
        return a_page(page_of(asked))

    with scripted(answer) as server:
        pipeline.run(source(server))
        assert len(server.asked) > PAGES
    assert is_whole(pipeline)


def _cut(asked: Asked) -> bytes:
    whole = a_page(page_of(asked))
    if page_of(asked) != 11:
        return whole
    head, _, body = whole.partition(b"\r\n\r\n")
    half = body[: len(body) // 2]
    return head.replace(str(len(body)).encode(), str(len(half)).encode()) + b"\r\n\r\n" + half


def _cut_off(asked: Asked) -> bytes:
    whole = a_page(page_of(asked))
    return whole if page_of(asked) != 11 else whole[: len(whole) // 2]


def _invalid(asked: Asked) -> bytes:
    return a_page(page_of(asked)) if page_of(asked) != 11 else reply(b'{"data": [{"id": 01}]}')


@pytest.mark.parametrize("answer", [_cut, _cut_off, _invalid])
def test_json_that_ends_in_the_middle(
    pipeline: dlt.Pipeline, answer: Callable[[Asked], bytes]
) -> None:
    with scripted(answer) as server:
        with pytest.raises(PipelineStepFailed) as failed:
            pipeline.run(source(server))
        assert "/things, page 11" in str(failed.value)
        assert "s3cret-token" not in str(failed.value)
        with pipeline.sql_client() as client, pytest.raises(Exception, match="things"):
            client.execute_sql("SELECT count(*) FROM things")  # nothing is half-loaded
        server.answer = lambda asked: a_page(page_of(asked))
        pipeline.run(source(server))
    assert is_whole(pipeline)


def test_a_page_that_is_refused_is_named(pipeline: dlt.Pipeline) -> None:
    def answer(asked: Asked) -> bytes:
        if page_of(asked) == 7:
            return reply({"error": "no such page"}, 404)
        return a_page(page_of(asked))

    with scripted(answer) as server, pytest.raises(PipelineStepFailed) as failed:
        pipeline.run(source(server))
    assert "/things, page 7" in str(failed.value)
    assert "no such page" in str(failed.value)
    cause: BaseException | None = failed.value
    while cause is not None and not isinstance(cause, requests.HTTPError):
        cause = cause.__cause__ or cause.__context__
    assert isinstance(cause, requests.HTTPError)
    assert cause.response.status_code == 404
    assert json.loads(cause.response.text) == {"error": "no such page"}


# ---- lists that move


@pytest.mark.parametrize("merges", [True, False])
def test_a_list_that_moves_is_read_again_where_doubles_merge(
    pipeline: dlt.Pipeline, caplog: pytest.LogCaptureFixture, merges: bool
) -> None:
    moved = threading.Event()
    offset = {"type": "offset", "limit": SIZE, "total_path": "total"}

    def answer(asked: Asked) -> bytes:
        at = int(asked.target.partition("offset=")[2].partition("&")[0])
        if at == 2 * SIZE:
            moved.set()
        rows = ROWS[1:] if moved.is_set() else ROWS
        return reply({"data": rows[at : at + SIZE], "total": len(rows)})

    with scripted(answer) as server:
        made = source(server, paginator=offset)
        if merges:
            made.resources["things"].apply_hints(write_disposition="merge")
        pipeline.run(made)
    ids = [row[0] for row in loaded(pipeline)]
    seen = restarrow.dlt.report()["things"].drift
    assert any("total changed from 600 to 599" in reason for reason in seen)
    assert "things moved while it was read" in caplog.text
    if merges:  # every row that was there all along is there, and once
        assert set(ids) >= set(range(1, len(ROWS)))
        assert len(ids) == len(set(ids))
        assert "was read again" in caplog.text
    else:
        assert "Rows may be missing" in caplog.text


def test_pages_that_are_shorter_than_asked_for_are_told(
    pipeline: dlt.Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(asked: Asked) -> bytes:
        at = int(asked.target.partition("offset=")[2].partition("&")[0])
        return reply({"data": ROWS[at : at + SIZE], "total": len(ROWS)})  # whatever was asked for

    with scripted(answer) as server:
        pipeline.run(
            source(server, paginator={"type": "offset", "limit": 2 * SIZE, "total_path": "total"})
        )
    assert "page 0 has 20 rows instead of 40" in caplog.text


# ---- Ctrl-C

_LOAD = """
import os, sys
import dlt
from restarrow.dlt import rest_api_source
source = rest_api_source({
    "client": {"base_url": sys.argv[1], "paginator": {
        "type": "page_number", "base_page": 0, "total_path": "pages"}},
    "resources": [{"name": "things", "endpoint": {"path": "things", "data_selector": "data"}}],
})
if sys.argv[2] == "rows":
    source.resources["things"].add_map(lambda row: row)
dlt.pipeline("interrupted", destination=dlt.destinations.duckdb("x.duckdb")).run(source)
"""


@pytest.mark.parametrize("way", ["tables", "rows"])
def test_ctrl_c_ends_the_waiting_for_a_page(tmp_path: Path, way: str) -> None:
    waiting, go_on = threading.Event(), threading.Event()

    def answer(asked: Asked) -> bytes:
        if page_of(asked) == 12:
            waiting.set()
            go_on.wait(60)
        return a_page(page_of(asked))

    with scripted(answer) as server:
        load = subprocess.Popen(
            [sys.executable, "-c", _LOAD, server.url, way],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert waiting.wait(60)
            time.sleep(0.5)
            load.send_signal(signal.SIGINT)
            began = time.monotonic()
            _, said = load.communicate(timeout=30)
        finally:
            go_on.set()
            load.kill()
    assert time.monotonic() - began < 8
    assert load.returncode != 0
    assert "SignalReceivedException" in said or "KeyboardInterrupt" in said
