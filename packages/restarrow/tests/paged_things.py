"""Pages of things: a server's answers, the source that reads them, and what is to be loaded."""

from __future__ import annotations

from typing import Any

import dlt
from packages.restarrow.tests.scripted_server import Asked, Server, reply

import restarrow.dlt

SIZE = 20
PAGES = 30
ROWS = [
    {"id": number, "name": f"row {number}", "tags": [{"tag": number % 7}]}
    for number in range(SIZE * PAGES)
]
NUMBERED = {"type": "page_number", "base_page": 0, "total_path": "pages"}


def page_of(asked: Asked) -> int:
    return int(asked.target.partition("page=")[2] or 0)


def a_page(number: int) -> bytes:
    rows = ROWS[number * SIZE : (number + 1) * SIZE]
    return reply({"data": rows, "pages": PAGES})


def source(server: Server, **endpoint: Any) -> Any:
    made: dict[str, Any] = {
        "client": {
            "base_url": server.url,
            "auth": {"type": "bearer", "token": "s3cret-token"},
            "paginator": NUMBERED,
        },
        "resources": [
            {
                "name": "things",
                "primary_key": "id",
                "endpoint": {"path": "things", "data_selector": "data", **endpoint},
            }
        ],
    }
    return restarrow.dlt.rest_api_source(made)  # type: ignore[arg-type]


def loaded(pipeline: dlt.Pipeline, table: str = "things") -> list[Any]:
    with pipeline.sql_client() as client:
        return list(client.execute_sql(f"SELECT * FROM {table} ORDER BY 1") or [])


def is_whole(pipeline: dlt.Pipeline) -> bool:
    names = [(row[0], row[1]) for row in loaded(pipeline)]
    tags = loaded(pipeline, "things__tags")
    return names == [(row["id"], row["name"]) for row in ROWS] and len(tags) == len(ROWS)
