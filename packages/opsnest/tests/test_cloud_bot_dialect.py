"""What a Control Room is asked, page by page, against a list that moves between the pages."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.reading import Ask
from opsnest.sources.cloud_bot_dialect import (
    CloudBotDialect,
    KeysetPlan,
    OffsetPlan,
    PageNumberPlan,
)
from opsnest.sources.cloud_bot_rows import cleaner_of
from restarrow.paging import Plan
from restarrow.types import Headers, Page, Request

Row = dict[str, Any]
LIST = Request("POST", "v3/activity/list")


class Server:
    """A list of the protocol that caps its pages, and may move before each answer."""

    def __init__(self, rows: list[Row], *, cap: int = 3, tells: bool = True) -> None:
        self.rows = rows
        self.asked: list[Request] = []
        self.before: Callable[[int], None] = lambda _: None
        self._cap = cap
        self._tells = tells

    def answer(self, request: Request) -> dict[str, Any]:
        self.before(len(self.asked))
        self.asked.append(request)
        body = request.json
        leaf = body.get("filter")
        matching = [r for r in self.rows if leaf is None or r[leaf["field"]] >= leaf["value"]]
        fields = [each["field"] for each in body.get("sort", [])]
        matching.sort(key=lambda row: [row[name] for name in fields])
        offset = body["page"]["offset"]
        length = min(self._cap, body["page"]["length"])
        shown = [dict(row) for row in matching[offset : offset + length]]
        total = len(matching) if self._tells else 0
        return {"page": {"offset": offset, "totalFilter": total}, "list": shown}


def pages(server: Server, plan: Plan) -> Iterator[list[Row]]:
    """Yield the rows of the pages that a plan leads through."""
    request = plan.first()
    for number in range(500):
        payload = server.answer(request)
        rows = payload["list"]
        following = plan.after(page(request, number), payload, rows)
        yield rows
        if following.done:
            return
        plan, request = following.plan or plan, following.requests[0]
    pytest.fail("it does not end")


def page(request: Request, number: int = 0, status: int = 200, body: bytes = b"") -> Page:
    return Page(number, request, "", status, Headers(), body)


def read(server: Server, plan: Plan) -> list[Row]:
    return [row for rows in pages(server, plan) for row in rows]


def keyset(since: str = "") -> KeysetPlan:
    request = Request("POST", "l", json={"sort": [{"field": "at"}, {"field": "id"}]})
    return KeysetPlan(request, "at", since=since, length=100)


def made(stamps: str) -> list[Row]:
    """Make a row for each letter, which is the time of its change."""
    return [{"id": f"{at:03d}", "at": stamp} for at, stamp in enumerate(stamps)]


# By offset


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 7])
def test_offsets_advance_by_the_rows_that_came(count: int, tells: bool) -> None:
    server = Server(made("a" * count), tells=tells)

    assert len(read(server, OffsetPlan(LIST, 1000))) == count

    offsets = [request.json["page"]["offset"] for request in server.asked]
    more = [] if tells and count else [count]
    assert offsets == [*range(0, count, 3), *more]


def test_a_short_page_is_not_the_end() -> None:
    server = Server(made("aaaaaaa"), cap=3, tells=False)

    def cap_more(request: int) -> None:
        server._cap = 1 if request == 1 else 3  # pyright: ignore[reportPrivateUsage]

    server.before = cap_more
    assert len(read(server, OffsetPlan(LIST, 3))) == 7


# By the value of the last row


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize(
    "stamps", ["", "a", "abc", "abcdefg", "aaaaaaa", "abbbbbbbbc", "aaabbbccc", "aabbbbbb"]
)
def test_all_rows_come_however_many_share_a_time(stamps: str, tells: bool) -> None:
    server = Server(made(stamps), tells=tells)

    found = {row["id"] for row in read(server, keyset())}

    assert len(found) == len(stamps)
    assert "filter" not in server.asked[0].json


def test_rows_are_asked_for_from_a_time_on() -> None:
    server = Server(made("abcdef"))

    assert {row["at"] for row in read(server, keyset("d"))} == set("def")
    first = server.asked[0].json
    assert first["filter"] == {"operator": "ge", "field": "at", "value": "d"}


def test_a_row_that_moves_to_the_end_takes_no_other_along() -> None:
    server = Server(made("abcdefgh"), tells=False)

    def move(request: int) -> None:
        if request in {1, 2}:
            server.rows[request]["at"] = f"z{request}"

    server.before = move
    assert {row["id"] for row in read(server, keyset())} == {row["id"] for row in server.rows}


def test_rows_of_one_time_that_go_make_the_reader_go_back() -> None:
    server = Server(made("bbbbbbbbbb"), tells=False)
    stay = {row["id"] for row in server.rows[4:]}

    def drop(request: int) -> None:
        if request == 2:
            del server.rows[:4]

    server.before = drop
    assert {row["id"] for row in read(server, keyset())} >= stay


@pytest.mark.parametrize("seed", range(60))
def test_no_row_is_missed_in_a_list_that_moves(seed: int) -> None:
    rng = random.Random(seed)
    server = Server(
        made("".join(sorted(rng.choices("abcd", k=20)))),
        cap=rng.randrange(2, 6),
        tells=seed % 2 > 0,
    )
    stay = {row["id"] for row in server.rows}

    def churn(request: int) -> None:
        if request >= 12:
            return
        row = rng.choice(server.rows)
        match rng.randrange(3):
            case 0:
                server.rows.remove(row)
                stay.discard(row["id"])
            case 1:
                row["at"] = "e"
            case _:
                server.rows.append({"id": f"new {request}", "at": "e"})

    server.before = churn
    assert {row["id"] for row in read(server, keyset())} >= stay


ids = st.integers(0, 11)


@given(
    seconds=st.dictionaries(ids, st.sampled_from("abcd")),
    happens=st.lists(st.lists(ids, max_size=4), max_size=12),
    cap=st.integers(1, 5),
    tells=st.booleans(),
)
@example(seconds={0: "a"}, happens=[[], [], [1, 0]], cap=3, tells=False)
def test_no_change_is_missed_that_the_next_load_would_not_ask_for(
    seconds: dict[int, str], happens: list[list[int]], cap: int, tells: bool
) -> None:
    """Rows change one after the other, or come; no change is missed before one that was seen."""
    server = Server([{"id": key, "at": at} for key, at in seconds.items()], cap=cap, tells=tells)

    def change(request: int) -> None:
        for at, key in enumerate(happens[request] if request < len(happens) else ()):
            server.rows = [row for row in server.rows if row["id"] != key]
            server.rows.append({"id": key, "at": f"e{request:02d}{at}"})

    server.before = change
    came = [dict(row) for rows in pages(server, keyset()) for row in rows]

    assert {row["id"] for row in came} >= set(seconds)
    versions = {(row["id"], row["at"]) for row in came}
    watermark = max((row["at"] for row in came), default="")
    for row in server.rows:
        assert (row["id"], row["at"]) in versions or row["at"] >= watermark


@given(count=st.integers(0, 9), cap=st.integers(1, 5))
def test_lists_end_with_pages_of_any_size(count: int, cap: int) -> None:
    server = Server(made("a" * count), cap=cap, tells=False)

    assert len({row["id"] for row in read(server, keyset())}) == count


def test_rows_without_a_time_are_stepped_through() -> None:
    rows: list[Row] = [{"id": str(at), "at": None} for at in range(5)]
    plan = keyset()
    request, found = plan.first(), list[str]()
    for _ in range(20):
        offset = request.json["page"]["offset"]
        shown = rows[offset : offset + 2]
        found += [row["id"] for row in shown]
        following = plan.after(page(request), {"list": shown}, shown)
        if following.done:
            break
        plan, request = following.plan or plan, following.requests[0]  # type: ignore[assignment]

    assert set(found) == {row["id"] for row in rows}


# By number


@pytest.mark.parametrize("first", [0, 1])
def test_pages_are_counted_from_where_the_server_counts(first: int) -> None:
    plan: Plan = PageNumberPlan(Request("GET", "runs", {"limit": 2}))
    request, asked, found = plan.first(), list[int](), list[int]()
    for _ in range(10):
        number = request.params["pageno"]
        asked.append(number)
        refused = number < first
        assert not refused or 400 in request.accept
        at = (number - first) * 2
        rows = [] if refused else list(range(5))[at : at + 2]
        found += rows
        body = b"refused" if refused else repr(rows).encode()
        following = plan.after(page(request, 0, 400 if refused else 200, body), None, rows)
        if following.done:
            break
        plan, request = following.plan or plan, following.requests[0]

    assert found == [0, 1, 2, 3, 4]
    assert asked == list(range(first + 4))
    assert not request.accept


def test_a_server_that_has_one_page_for_every_number_is_read_once() -> None:
    plan = PageNumberPlan(Request("GET", "runs"), number=4, last=b"same")

    assert plan.after(page(plan.first(), body=b"same"), None, [1]).done


# What is asked


@pytest.mark.parametrize("entry", CLOUD_BOT.entries, ids=list(CLOUD_BOT.by_name))
def test_rows_are_found_beside_the_page_and_in_it(entry: Any) -> None:
    dialect, rows = CloudBotDialect(), [{"id": "1"}]
    name = entry.holds[0]

    if name == "id":
        assert dialect.rows(entry, rows[0]) == rows
    else:
        assert dialect.rows(entry, {name: rows}) == rows
        assert dialect.rows(entry, {"page": {name: rows}}) == rows
        assert dialect.rows(entry, {"page": {"total": 0}}) == []
    assert dialect.rows(entry, None) == []


def test_rows_under_way_are_asked_for_together() -> None:
    entry = CLOUD_BOT.by_name["executions"]
    plan = CloudBotDialect().plan(entry, Ask(values=["a", "b"]))

    operands = [{"operator": "eq", "field": "deploymentId", "value": each} for each in "ab"]
    assert plan.first().json["filter"] == {"operator": "or", "operands": operands}
    assert isinstance(plan, OffsetPlan)


def test_bot_runs_are_asked_for_from_a_time_on_to_the_second() -> None:
    entry = CLOUD_BOT.by_name["bot_runs"]
    plan = CloudBotDialect().plan(entry, Ask(since="2026-07-01T10:20:30.123456Z"))

    assert plan.first().params == {
        "limit": 1000,
        "fromDate": "2026-07-01T10:20:30",
        "pageno": 0,
    }


# Rows


def test_ids_that_are_numbers_become_text_wherever_they_are() -> None:
    clean = cleaner_of(CLOUD_BOT.by_name["users"])
    row = {"id": 7, "createdBy": 1, "roles": [{"id": 2, "name": "x"}, "odd"], "version": 3}

    assert clean(row) == {
        "id": "7",
        "createdBy": "1",
        "roles": [{"id": "2", "name": "x"}, "odd"],
        "version": 3,
    }


@pytest.mark.parametrize("entry", CLOUD_BOT.entries, ids=list(CLOUD_BOT.by_name))
@pytest.mark.parametrize("none", ["", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", None])
def test_times_that_have_not_come_are_left_out(entry: Any, none: str | None) -> None:
    row: Row = {"id": "1", "name": "", **dict.fromkeys(entry.times, none)}

    assert cleaner_of(entry)(row) == {"id": "1", "name": ""}
