"""The page journal: which pages are taken up again, and that none has a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import pytest
from hypothesis import given
from hypothesis import strategies as some

from opsnest import clock
from opsnest.accounts import account_of
from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.catalogue.roost_ai import ROOST_AI
from opsnest.errors import AnswerError
from opsnest.journal import (
    Head,
    Journal,
    Keeping,
    Kept,
    began,
    journal_of,
    journaling,
    note_extracted,
    path_of,
)
from opsnest.journal.journal import _is_refused  # pyright: ignore[reportPrivateUsage]
from opsnest.sources.roost_rows import cleaner_of
from restarrow.types import Request

ME = account_of("https://api.example.com", "a key")
FIRST = Request("GET", "v1/incidents", {"page[size]": 100})
SECOND = Request("GET", "v1/incidents", {"page[size]": 100, "page[after]": "abc"})
EVENTS = ROOST_AI.by_name["events"]
RUNS = CLOUD_BOT.by_name["executions"]


def journal(folder: Path, start: str = "from the beginning") -> Journal:
    return Journal(folder / "pages", Head("a_source", ("incidents",), {"since": start}))


def taken(pages: Journal, account: str, resource: str, request: Request) -> bytes | None:
    """Return the body of the next answer that was kept."""
    found = pages.take(account, resource, request)
    return found.body if found else None


def test_pages_of_a_run_that_was_cut_off_are_given_out_once_and_in_order(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.keep(ME, "incidents", FIRST, b"1")
    first.keep(ME, "incidents", SECOND, b"2")
    first.keep(ME, "incidents", FIRST, b"3")
    assert taken(first, ME, "incidents", FIRST) is None, "its own pages are not for itself"
    first.close()

    again = journal(tmp_path)
    assert (again.left, again.began) == (3, first.began)
    assert taken(again, ME, "alerts", FIRST) is None
    assert taken(again, account_of("https://api.example.com", "b"), "incidents", FIRST) is None
    assert taken(again, ME, "incidents", Request("POST", FIRST.path, FIRST.params)) is None
    assert [taken(again, ME, "incidents", FIRST) for _ in range(3)] == [b"1", b"3", None]
    again.keep(ME, "incidents", FIRST, b"4")
    again.close()

    third = journal(tmp_path)
    assert [taken(third, ME, "incidents", FIRST) for _ in range(4)] == [b"1", b"3", b"4", None]
    assert third.taken == 3
    third.close()


def test_pages_of_another_start_are_of_no_use(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.keep(ME, "incidents", FIRST, b"1")
    first.close()
    other = journal(tmp_path, "from later on")
    assert other.left == 0
    other.keep(ME, "incidents", FIRST, b"2")
    other.close()
    again = journal(tmp_path, "from later on")
    assert taken(again, ME, "incidents", FIRST) == b"2"
    again.close()


@pytest.mark.parametrize("hours", [13, -1])
def test_pages_that_are_old_or_of_the_future_are_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    first = journal(tmp_path)
    first.keep(ME, "incidents", FIRST, b"1")
    first.close()
    later = datetime.now(UTC) + timedelta(hours=hours)
    monkeypatch.setattr(clock, "now", lambda: later)
    again = journal(tmp_path)
    assert (again.left, again.began) == (0, later)
    again.close()


def test_where_it_cannot_be_written_the_load_goes_on_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = journal(tmp_path)
    made.keep(ME, "incidents", FIRST, b"1")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    made.keep(ME, "incidents", SECOND, b"2")
    made.keep(ME, "incidents", SECOND, b"2")
    made.close()
    monkeypatch.undo()
    (record,) = caplog.records
    assert "No space left on device" in record.message
    again = journal(tmp_path)
    assert taken(again, ME, "incidents", FIRST) == b"1"
    again.close()


def test_it_does_not_grow_beyond_all_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("opsnest.journal.journal._LARGEST", 200)
    made = journal(tmp_path)
    for _ in range(20):
        made.keep(ME, "incidents", FIRST, bytes(range(100)))
    made.close()
    assert len(caplog.records) == 1
    assert (tmp_path / "pages").stat().st_size < 500


# ---- within a load


def pipeline(folder: Path) -> dlt.Pipeline:
    return dlt.pipeline("kept", destination="duckdb", pipelines_dir=str(folder / "pipelines"))


def files(folder: Path) -> list[Path]:
    return list((folder / "pipelines" / "kept").glob("*.journal"))


def test_it_is_open_while_a_load_reads_and_for_a_replay_when_that_has_ended(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    with journaling(made, "a_source"):
        now = journal_of("a_source")
        assert now
        assert began("a_source")
        assert not journal_of("another")
        now.keep(ME, "incidents", FIRST, b"1")
    assert not journal_of("a_source")
    assert began("a_source") is None
    assert files(tmp_path) == [path_of(made)]
    with journaling(made, "a_source"):
        now = journal_of("a_source")
        assert now
        assert now.take(ME, "incidents", FIRST) is None, "the next load asks anew"


@pytest.mark.parametrize(
    ("fault", "stays"),
    [
        (KeyboardInterrupt(), True),
        (ConnectionError(), True),
        (AnswerError("s", "r", "GET", "/", "it failed", "try later", 503), True),
        (AnswerError("s", "r", "GET", "/", "the answer is not JSON", "check it", 200), True),
        (AnswerError("s", "r", "GET", "/", "it redirects", "check it", 302), True),
        # a cursor that has ended, say: then the list has to be read from its beginning
        (AnswerError("s", "r", "GET", "/", "unknown cursor", "report it", 400), False),
    ],
)
def test_pages_stay_unless_a_request_that_followed_from_them_was_refused(
    tmp_path: Path, fault: BaseException, *, stays: bool
) -> None:
    made = pipeline(tmp_path)

    def load(take: int) -> None:
        with journaling(made, "a_source"):
            now = journal_of("a_source")
            assert now
            for _ in range(take):
                assert now.take(ME, "incidents", FIRST) == Kept(b"1")
            now.keep(ME, "incidents", FIRST, b"1")
            raise fault

    for taken in (0, 1):
        with pytest.raises(type(fault)):
            load(taken)
        assert bool(files(tmp_path)) is (stays or taken == 0)


def read_and_stop(made: dlt.Pipeline) -> None:
    with journaling(made, "a_source"):
        now = journal_of("a_source")
        assert now
        now.keep(ME, "incidents", FIRST, b"1")
        raise KeyboardInterrupt


def test_pages_that_were_extracted_are_none_to_go_on_with(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    note_extracted(made)  # there is no journal
    assert files(tmp_path) == []

    with pytest.raises(KeyboardInterrupt):
        read_and_stop(made)
    note_extracted(made)
    size = path_of(made).stat().st_size
    note_extracted(made)  # it is said once

    assert path_of(made).stat().st_size == size
    with journaling(made, "a_source"):
        now = journal_of("a_source")
        assert now
        assert now.take(ME, "incidents", FIRST) is None


def test_a_journal_that_cannot_take_the_note_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    made = pipeline(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        read_and_stop(made)
    monkeypatch.setattr("os.pwrite", full)
    note_extracted(made)
    assert files(tmp_path) == []


def test_the_refusal_is_found_in_what_dlt_makes_of_it() -> None:
    refusal = AnswerError("s", "r", "GET", "/", "gone", "report it", 410)
    wrapped = RuntimeError("extraction failed")
    wrapped.__cause__ = refusal
    assert _is_refused(wrapped)
    assert not _is_refused(RuntimeError())


def test_a_folder_that_cannot_be_written_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    made = pipeline(tmp_path)
    monkeypatch.setattr("os.open", refuse)
    with journaling(made, "a_source"):
        assert journal_of("a_source") is None
    assert "no page journal" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


# ---- what is kept


def rows_of(payload: Any) -> Iterator[Any]:
    yield payload
    yield from payload.get("data", [])
    yield from payload.get("list", [])


def kept(payload: Any, *entries: Any) -> Any:
    """Return what is kept of an answer; None if it holds a secret all the same."""
    keeping = Keeping(entries, rows_of)
    bare = keeping.bare(payload, json.dumps(payload).encode())
    return None if keeping.holds(bare) else json.loads(bare)


def test_an_answer_without_secrets_is_kept_as_it_came() -> None:
    body = b'{ "list" : [ {"id": "1", "fileName": "bot"} ] }'
    assert Keeping([RUNS], rows_of).bare(json.loads(body), body) == body


def test_known_secrets_are_not_kept() -> None:
    answer = {"list": [{"id": "1", "callbackInfo": {"url": "https://user:pass@host"}}]}
    assert kept(answer, RUNS) == {"list": [{"id": "1"}]}


def test_known_secrets_within_json_that_is_text_are_not_kept() -> None:
    info = {"source": {"access_token": "no-one-may-see", "url": "https://git"}}
    answer = {"data": [{"id": "1", "git_info": json.dumps(info), "ai_model_info": "token only"}]}
    found = kept(answer, EVENTS)
    assert "no-one-may-see" not in json.dumps(found)
    assert json.loads(found["data"][0]["git_info"]) == {"source": {"url": "https://git"}}
    assert found["data"][0]["ai_model_info"] is None, "it cannot be told what is secret in it"


def test_a_page_with_a_secret_that_somebody_pasted_is_not_kept() -> None:
    answer = {"list": [{"id": "1", "message": "use AKIA" + "QYLPMN5HHHFPZAM2" + " for now"}]}
    assert kept(answer, RUNS) is None


def test_what_only_looks_like_a_secret_is_kept() -> None:
    info = {"env_config": [{"key": "REGION", "value": "eu-1", "secret": False}]}
    answer = {"data": [{"id": "1", "additional_info": json.dumps(info)}]}
    assert kept(answer, EVENTS) is not None


values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                ["source", "access_token", "jira_password", "env_config", "secret", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
columns = some.sampled_from(["git_info", "integration_info", "additional_info", "status", "labels"])


@given(row=some.dictionaries(columns, values | values.map(json.dumps) | some.text(), max_size=5))
def test_the_rows_of_what_is_kept_are_those_of_what_came(row: dict[str, Any]) -> None:
    row["id"] = "1"
    answer = {"data": [row]}
    clean = cleaner_of(EVENTS)
    wanted = clean(json.loads(json.dumps(row)))
    bare = Keeping([EVENTS], rows_of).bare(answer, json.dumps(answer).encode())
    # both that which is used now, and that which is kept
    for found in (answer, json.loads(bare)):
        assert clean(found["data"][0]) == wanted
