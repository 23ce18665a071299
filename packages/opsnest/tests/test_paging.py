"""The paginators over HTTP, driven by dlt's REST client, against lists that change meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from dlt.sources.helpers.rest_client.client import RESTClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opsnest.errors import AnswerError
from opsnest.http import ApiSession
from opsnest.sources.paging import OffsetByRows, Settled
from opsnest.sources.rest import BasePaginator
from opssim.core.server import Running, serve
from opssim.core.simulator import Simulator
from opssim.core.store import encode

Row = dict[str, Any]
#: What an answer says about how many rows there are: given all of them, and those of the page.
Total = Callable[[Sequence[Row], Sequence[Row]], object]


def of_all(every: Sequence[Row], _: Sequence[Row]) -> object:
    return len(every)


def of_page(_: Sequence[Row], page: Sequence[Row]) -> object:
    return len(page)


def zero(*_: Sequence[Row]) -> object:
    return 0


def none(*_: Sequence[Row]) -> None:
    pass


class Lists(Simulator):
    """One list of rows, at three addresses for three ways to page; `before` changes it.

    Attributes:
        cap: the most rows in an answer.
        total: what answers say about how many rows there are.
        before: called with the number of each request, before it is answered.
    """

    name: ClassVar[str] = "lists"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.cap = 1000
        self.total: Total = of_all
        self.before: Callable[[int], None] = lambda _: None
        self.asked: list[Any] = []

    def routes(self) -> list[Route]:
        return [
            Route("/offset", self._by_offset),
            Route("/cursor", self._by_cursor),
            Route("/circle", self._circle),
            Route("/posted", self._posted, methods=["POST"]),
        ]

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url}

    def secrets(self) -> frozenset[str]:
        return frozenset()

    def insert(self, table: str, count: int = 1) -> None:
        raise NotImplementedError

    def touch(self, table: str, count: int = 1) -> None:
        raise NotImplementedError

    async def _by_offset(self, request: Request) -> Response:
        self._note(request.query_params)
        skip, take = int(request.query_params["skip"]), int(request.query_params["take"])
        page = self.rows[skip:][: min(take, self.cap)]
        return self._json({"count": self.total(self.rows, page), "data": page})

    async def _circle(self, request: Request) -> Response:
        self._note(request.query_params)
        return self._json({"data": self.rows})

    async def _by_cursor(self, request: Request) -> Response:
        self._note(request.query_params)
        after = request.query_params.get("after", "")
        since = request.query_params.get("since", "")
        rows = sorted(
            (row for row in self.rows if row["id"] > after and row["at"] >= since),
            key=lambda row: row["id"],
        )
        page = rows[: self.cap]
        return self._json({"next": page[-1]["id"] if len(rows) > len(page) else None, "data": page})

    async def _posted(self, request: Request) -> Response:
        body = await request.json()
        self._note(body)
        since = body.get("filter", {}).get("value", "")
        rows = sorted(
            (row for row in self.rows if row["at"] >= since),
            key=lambda row: (row["at"], row["id"]),
        )
        asked = body["page"]
        page = rows[asked["offset"] :][: min(asked["length"], self.cap)]
        return self._json({"page": {"totalFilter": self.total(rows, page)}, "list": page})

    def _note(self, asked: Any) -> None:
        self.asked.append(dict(asked))
        self.before(len(self.asked))

    @staticmethod
    def _json(body: object) -> Response:
        return Response(encode(body), media_type="application/json")


def rows(*keys: str, at: str = "2026-01-01T00:00:00.000000Z") -> list[Row]:
    return [{"id": key, "at": at} for key in keys]


def at(minute: int) -> str:
    return f"2026-07-01T00:{minute:02d}:00.000000Z"


@pytest.fixture(scope="module")
def shared() -> Iterator[Running[Lists]]:
    with serve(Lists()) as running:
        yield running


@pytest.fixture
def lists(shared: Running[Lists]) -> Lists:
    fresh, served = Lists(), shared.simulator
    for name in ("rows", "cap", "total", "before", "asked"):
        setattr(served, name, getattr(fresh, name))
    return served


Read = Callable[..., list[str]]


@pytest.fixture
def read(shared: Running[Lists]) -> Iterator[Read]:
    """Read a list through dlt's REST client; the answer is the ids that came, in order."""
    with ApiSession(shared.url, source="lists") as session:
        client = RESTClient(shared.url, session=session)

        def read(path: str, paginator: BasePaginator, **options: Any) -> list[str]:
            posted = path == "posted"
            pages = client.paginate(
                path,
                method="POST" if posted else "GET",
                paginator=paginator,
                data_selector="list" if posted else "data",
                **options,
            )
            return [row["id"] for page in pages for row in page]

        yield read


def by_offset(take: int = 100, *, total: str | None = "count") -> OffsetByRows:
    return OffsetByRows(take, offset_at="skip", limit_at="take", total=total, source="test")


class TestOffsetByRows:
    @pytest.mark.parametrize("cap", [1, 2, 3, 4, 5, 1000])
    @pytest.mark.parametrize("total", [of_all, zero, none])
    @pytest.mark.parametrize("path", ["count", "no.such.path", None])
    def test_all_rows_come_once_whatever_the_cap(
        self, lists: Lists, read: Read, cap: int, total: Total, path: str | None
    ) -> None:
        lists.rows, lists.cap, lists.total = rows(*"abcde"), cap, total

        assert read("offset", by_offset(total=path)) == list("abcde")

    def test_a_total_saves_the_last_request(self, lists: Lists, read: Read) -> None:
        lists.rows = rows(*"abcde")

        read("offset", by_offset(take=3))
        assert lists.asked == [{"skip": "0", "take": "3"}, {"skip": "3", "take": "3"}]
        read("offset", by_offset(take=3, total=None))
        assert [asked["skip"] for asked in lists.asked[2:]] == ["0", "3", "5"]

    @pytest.mark.parametrize("total", ["count", None])
    def test_an_empty_list_takes_one_request(
        self, lists: Lists, read: Read, total: str | None
    ) -> None:
        assert read("offset", by_offset(total=total)) == []
        assert len(lists.asked) == 1

    def test_in_the_body(self, lists: Lists, read: Read) -> None:
        lists.rows, lists.cap = rows(*"abcde"), 2
        total = "page.totalFilter"
        paginator = OffsetByRows(
            1000,
            offset_at="page.offset",
            limit_at="page.length",
            total=total,
            in_body=True,
            source="test",
        )

        assert read("posted", paginator, json={"sort": ["id"]}) == list("abcde")
        assert lists.asked[-1] == {"sort": ["id"], "page": {"offset": 4, "length": 1000}}

    def test_one_paginator_reads_twice(self, lists: Lists, read: Read) -> None:
        lists.rows = rows(*"abc")
        paginator = by_offset(take=2)

        assert read("offset", paginator) == read("offset", paginator) == [*"abc"]

    def test_a_server_that_ignores_the_offset_is_not_read_for_ever(
        self, lists: Lists, read: Read
    ) -> None:
        lists.rows = rows(*"abc")

        with pytest.raises(AnswerError, match="ignores the offset"):
            read("circle", by_offset(take=3, total=None))
        assert len(lists.asked) < 20


class TestSettled:
    def settled(self, take: int = 2) -> Settled:
        return Settled(by_offset(take), total="count")

    def test_a_list_that_stands_still_is_read_once(self, lists: Lists, read: Read) -> None:
        lists.rows = rows(*"abcde")

        assert read("offset", self.settled()) == list("abcde")
        assert len(lists.asked) == 3

    def test_rows_that_were_inserted_in_front_come_in_the_second_pass(
        self, lists: Lists, read: Read
    ) -> None:
        lists.rows = rows(*"bcde")

        def insert(number: int) -> None:
            if number == 2:
                lists.rows[:0] = rows("a")

        lists.before = insert

        assert set(read("offset", self.settled())) == set("abcde")
        assert [asked["skip"] for asked in lists.asked] == ["0", "2", "4", "0", "2", "4"]

    def test_so_do_rows_that_slipped_through_when_others_went(
        self, lists: Lists, read: Read
    ) -> None:
        lists.rows = rows(*"abcdef")

        def remove(number: int) -> None:
            if number == 2:
                del lists.rows[0]

        lists.before = remove

        assert set(read("offset", self.settled())) == set("abcdef")

    def test_each_pass_begins_with_the_parameters_of_the_first(
        self, lists: Lists, read: Read
    ) -> None:
        lists.rows = rows(*"abc")
        lists.before = lambda number: lists.rows.extend(rows("d") if number == 2 else [])
        params = {"searchTerm": "x"}

        read("offset", self.settled(), params=params)

        assert all(asked["searchTerm"] == "x" for asked in lists.asked)
        assert params == {"searchTerm": "x"}

    def test_a_list_that_never_settles_is_left_after_five_passes(
        self, lists: Lists, read: Read, caplog: pytest.LogCaptureFixture
    ) -> None:
        lists.rows = rows(*"abc")
        lists.before = lambda number: lists.rows.extend(rows(f"new{number}"))

        with caplog.at_level(logging.WARNING, logger="opsnest"):
            came = read("offset", self.settled(), params={"key": "hunter2"})

        assert [asked["skip"] for asked in lists.asked].count("0") == 5
        assert set("abc") <= set(came)
        (message,) = caplog.messages
        assert message.startswith("/offset kept changing while it was read 5 times")

    def test_a_count_of_the_page_says_nothing(self, lists: Lists, read: Read) -> None:
        lists.rows = rows(*"abcde")
        lists.total = of_page

        assert read("offset", Settled(by_offset(2, total=None), total="count")) == list("abcde")
        assert len(lists.asked) == 4
