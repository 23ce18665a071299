"""Pages that come from a function: slow, failing, counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import msgspec

from restarrow.paging import (
    DecodedPage,
    PageNumberPlan,
    Plan,
    RowSelector,
    WindowPolicy,
    read_pages,
)
from restarrow.types import Headers, Page, Request

Answer = Callable[[Request], Any]


class Fake:
    """Fetches from a function, counts what is under way, and can be slow or fail."""

    def __init__(
        self,
        answer: Answer,
        *,
        delay: Callable[[], float] = lambda: 0.0,
        fails: Mapping[int, BaseException] | None = None,
    ) -> None:
        self.answer, self.delay, self.fails = answer, delay, fails or {}
        self.lock = threading.Lock()
        self.asked: list[Request] = []
        self.now = self.peak = self.finished = 0

    def __call__(self, request: Request, number: int) -> Page:
        with self.lock:
            self.asked.append(request)
            self.now += 1
            self.peak = max(self.peak, self.now)
        try:
            time.sleep(self.delay())
            if number in self.fails:
                raise self.fails[number]
            answer: dict[str, Any] = self.answer(request)
            headers: dict[str, str] = answer.pop("headers", {})
            body = msgspec.json.encode(answer)
            return Page(number, request, "http://a/list", 200, Headers(headers), body)
        finally:
            with self.lock:
                self.now -= 1
                self.finished += 1


def read(
    fetch: Any, plan: Plan, policy: WindowPolicy | None = None, **more: Any
) -> Generator[DecodedPage, None, None]:
    return read_pages(
        fetch,
        plan,
        decode=lambda page: msgspec.json.decode(page.body),
        select=RowSelector("items"),
        policy=policy,
        **more,
    )


def rows_of(pages: Iterable[DecodedPage]) -> list[Any]:
    return [row for page in pages for row in page.rows]


def numbered(total: int, size: int, *, tell: bool = True) -> Answer:
    def answer(request: Request) -> Any:
        begin = request.params["page"] * size
        found = list(range(begin, max(begin, min(total, begin + size))))
        return {"items": found, "total": -(-total // size)} if tell else {"items": found}

    return answer


def pages(**config: Any) -> PageNumberPlan:
    return PageNumberPlan(Request("GET", "list"), **config)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("restarrow-page")]
