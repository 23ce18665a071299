"""Rows, pages and resources that the tests of `restarrow.dlt` share."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Make, Pages, config

Row = dict[str, Any]
#: A request: path, query, headers and body.
Request = tuple[str, str, dict[str, str], str]

#: Rows that are alike, with a cursor and something nested.
ROWS: list[Row] = [
    {
        "id": number,
        "at": f"2026-01-0{1 + number}T00:00:00Z",
        "nested": {"ids": [number, number + 1], "deep": {"at": f"2026-01-0{1 + number}"}},
    }
    for number in range(6)
]
PAGES: list[list[Row]] = [ROWS[:2], ROWS[2:5], ROWS[5:]]


def things(**endpoint: Any) -> Row:
    """Make a resource with options of its endpoint."""
    return {"name": "things", "endpoint": {"path": "things", **endpoint}}


def rich_row(number: int) -> Row:
    """Make a row with something of everything."""
    return {
        "id": number,
        "name": f"n{number}",
        "at": f"2026-01-01T00:00:{number:02}Z",
        "never": None,
        "isOpen": number % 2 == 0,
        "user": {"id": number, "data": {"ratio": number / 2, "tags": ["a", "b"][: number % 3]}},
        "items": [{"k": k, "sub": [{"z": k}, {"z": None}]} for k in range(number % 3)],
        "matrix": [[1, 2], [3]] if number % 2 else [],
        "labels": {"Owner Name": "é", "größe": "x"} if number % 4 == 0 else None,
        "emptyObject": {},
        "emptyList": [],
    }


def changed(row: Row) -> Row:
    """Change a row as APIs do: new fields, other types, fewer children."""
    number = row["id"]
    return {
        **row,
        "name": number,  # a number among texts
        "at": "soon" if number % 2 else row["at"],  # a text among timestamps
        "never": {"at": "last"},
        "isOpen": "open",
        "user": [{"id": number}] if number % 2 else "nobody",  # once an object
        "items": row["items"][:1],
        "matrix": {"rows": 2},
        "labels": ["a", 1, None, {"deep": True}],
        "fresh": number * 0.5,
        "emptyList": ["now", "full"],
    }


RICH = [rich_row(number) for number in range(12)]
CHANGED = [changed(row) for row in RICH[3:]] + [rich_row(20)]
#: Few rich rows, whose nested tables are few as well.
BRIEF = [{**row, "matrix": None, "labels": None} for row in RICH[:4]]

#: How loads meet those before them, such that rows take Arrow lanes.
DISPOSITIONS: dict[str, Row] = {
    "append": {"write_disposition": "append"},
    "replace": {"write_disposition": "replace"},
    "merge": {"primary_key": "id", "write_disposition": "merge"},
}


def pages_of(rows: Sequence[Row], *sizes: int) -> Pages:
    """Cut rows into pages of some sizes, and one page of the rest."""
    pages: list[Sequence[Row]] = []
    for size in sizes:
        pages.append(rows[:size])
        rows = rows[size:]
    return [*pages, rows]


def load_all(
    compared: Comparison, api: Lists, pages: Mapping[str, Pages], hints: Mapping[str, Row]
) -> None:
    """Load many lists in one go, as it is loads that take time."""
    api.pages = dict(pages)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": name, **copy.deepcopy(hints.get(name, {}))} for name in pages
        ]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)


def requests_of(compared: Comparison, api: Lists, make: Make) -> tuple[list[Request], ...]:
    """Load once, and return what restarrow asked for and what dlt did, in one order.

    The order in which several resources are asked is not the same: each is read ahead.
    """
    starts: list[int] = []
    api.asked.clear()

    def noting(rest: Any) -> Any:
        starts.append(len(api.asked))
        return make(rest)

    compared.load(noting)
    theirs, ours = api.asked[: starts[1]], api.asked[starts[1] :]
    api.asked.clear()
    return _in_order(ours), _in_order(theirs)


def _in_order(asked: Sequence[Request]) -> list[Request]:
    passing = {"connection", "host"}
    bare = [
        (path, query, {name: said for name, said in headers.items() if name not in passing}, body)
        for path, query, headers, body in asked
    ]
    return sorted(bare, key=repr)


def taken(compared: Comparison, *resources: str) -> bool:
    """Tell whether all rows of some resources became Arrow tables in the last load."""
    return all("dlt" not in compared.lanes(name) for name in resources)
