"""Whatever a list does while it is read: nothing that was there is missed, and reading ends.

The servers here are models in memory. They are asked as dlt asks: `init_request`, and then for each
answer `update_state` and `update_request`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest, Request, Response

from opsnest.answers import keep_json
from opsnest.sources.paging import OffsetByRows, Settled
from opsnest.sources.rest import BasePaginator

Row = dict[str, Any]
Rows = list[Row]

#: No list here takes more requests than this, by far.
MANY = 500

ids = st.integers(0, 11)
caps = st.integers(1, 5)
#: What happens before each of the first requests: the rows that change, or the places of inserts.
happenings = st.lists(st.lists(ids, max_size=4), max_size=12)
few_happenings = st.lists(st.just(list[int]()) | st.lists(ids, max_size=4), max_size=12).filter(
    lambda each: sum(map(bool, each)) <= 3
)


def stamp(second: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat()


def read(
    paginator: BasePaginator, request: Request, serve: Callable[[Request], tuple[Any, Rows]]
) -> Iterator[Row]:
    """Ask until the paginator says that it is enough, and yield the rows that came."""
    paginator.init_request(request)
    for _ in range(MANY):
        body, rows = serve(request)
        response = Response()
        response.request = PreparedRequest()
        response.request.url = "http://model/list"
        keep_json(response, body)
        paginator.update_state(response, rows)
        paginator.update_request(request)
        yield from rows
        if not paginator.has_next_page:
            return
    message = "it does not end"
    raise AssertionError(message)


@dataclass
class Growing:
    """A list into which rows are inserted anywhere while it is read by offset."""

    rows: list[int]
    happens: list[list[int]]
    cap: int
    total: Callable[[list[int], list[int]], Any]
    requests: int = 0

    def serve(self, request: Request) -> tuple[Any, Rows]:
        if self.requests < len(self.happens):
            for place in self.happens[self.requests]:
                self.rows.insert(place, 1000 + len(self.rows))
        self.requests += 1
        offset = request.params["skip"]
        page = self.rows[offset : offset + min(self.cap, request.params["take"])]
        return {"count": self.total(self.rows, page)}, [{"id": key} for key in page]


def by_offset(*, total: str | None = "count") -> OffsetByRows:
    return OffsetByRows(100, offset_at="skip", limit_at="take", total=total, source="test")


@given(
    length=st.integers(0, 12),
    happens=happenings,
    cap=caps,
    total=st.sampled_from(["true", 0, None, "many"]),
)
def test_offset_by_rows(length: int, happens: list[list[int]], cap: int, total: object) -> None:
    model = Growing(
        list(range(length)),
        happens,
        cap,
        lambda rows, _: len(rows) if total == "true" else total,
    )

    came = [row["id"] for row in read(by_offset(), Request("GET"), model.serve)]

    assert set(range(length)) <= set(came)


@given(length=st.integers(0, 12), happens=happenings, cap=caps)
def test_offset_by_rows_beside_a_count_of_the_page(
    length: int, happens: list[list[int]], cap: int
) -> None:
    model = Growing(list(range(length)), happens, cap, lambda _, page: len(page))
    paginator = Settled(by_offset(total=None), total="count")

    came = [row["id"] for row in read(paginator, Request("GET"), model.serve)]

    assert set(range(length)) <= set(came)
    assert model.requests <= len(came) + 1


@given(length=st.integers(0, 12), happens=few_happenings, cap=caps)
def test_settled_has_all_that_there_was_when_the_last_page_was_read(
    length: int, happens: list[list[int]], cap: int
) -> None:
    model = Growing(list(range(length)), happens, cap, lambda rows, _: len(rows))
    paginator = Settled(by_offset(), total="count")

    came = [row["id"] for row in read(paginator, Request("GET"), model.serve)]

    assert set(came) == set(model.rows)
