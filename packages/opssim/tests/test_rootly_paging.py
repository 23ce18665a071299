from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from opssim.core.churn import Churn
from opssim.core.clock import parse_iso
from opssim.core.server import Running, serve
from opssim.rootly import RootlyQuirks, RootlySimulator

Rootly = Running[RootlySimulator]
Json = dict[str, Any]


def _small(quirks: RootlyQuirks | None = None, churn: Churn | None = None) -> RootlySimulator:
    return RootlySimulator(
        incidents=130, alerts=60, alert_events=120, shifts=80, quirks=quirks, churn=churn
    )


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    with serve(_small()) as running:
        yield running


def _page(rootly: Rootly, path: str, query: dict[str, str | int] | None = None) -> Json:
    answer = requests.get(
        path if path.startswith("http") else f"{rootly.url}/v1/{path}",
        params=query,
        headers={"Authorization": f"Bearer {rootly.simulator.token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def _refused(rootly: Rootly, path: str, query: dict[str, str | int]) -> Json:
    answer = requests.get(
        f"{rootly.url}/v1/{path}",
        params=query,
        headers={"Authorization": f"Bearer {rootly.simulator.token}"},
        timeout=5,
    )
    assert answer.status_code == 400
    error: Json
    (error,) = answer.json()["errors"]
    return error


def _ids(page: Json) -> list[str]:
    return [row["id"] for row in page["data"]]


def _by_cursor(rootly: Rootly, path: str, query: dict[str, str | int]) -> list[Json]:
    pages = [_page(rootly, path, query)]
    while cursor := pages[-1]["meta"]["next_cursor"]:
        pages.append(_page(rootly, path, {**query, "page[after]": cursor}))
    return pages


def _by_links(rootly: Rootly, path: str, query: dict[str, str | int]) -> list[Json]:
    pages = [_page(rootly, path, query)]
    while url := pages[-1]["links"]["next"]:
        pages.append(_page(rootly, url))
    return pages


def test_the_first_page(rootly: Rootly) -> None:
    page = _page(rootly, "incidents")
    assert list(page) == ["data", "links", "meta", "included"]
    assert len(page["data"]) == 25
    meta = page["meta"]
    assert meta.pop("next_cursor")
    assert meta == {
        "current_page": 1,
        "next_page": 2,
        "prev_page": None,
        "total_count": 130,
        "total_pages": 6,
    }
    assert page["included"] == []


def test_a_page_in_the_middle(rootly: Rootly) -> None:
    meta = _page(rootly, "incidents", {"page[number]": 3, "page[size]": 50})["meta"]
    assert (meta["current_page"], meta["prev_page"], meta["next_page"]) == (3, 2, None)
    assert meta["total_pages"] == 3
    assert meta["next_cursor"] is None


def test_a_page_beyond_the_end_is_empty(rootly: Rootly) -> None:
    page = _page(rootly, "incidents", {"page[number]": 9, "page[size]": 50})
    assert page["data"] == []
    assert page["links"]["next"] is None
    assert page["meta"]["next_page"] is None
    assert page["meta"]["next_cursor"] is None


def test_an_empty_list() -> None:
    with serve(RootlySimulator(incidents=0, alerts=0, alert_events=0, shifts=0)) as rootly:
        for name in ("incidents", "alerts", "alert_events"):
            page = _page(rootly, name)
            assert page["data"] == []
            assert page["meta"]["next_cursor"] is None
            assert page["links"]["next"] is None
        assert _page(rootly, "incidents")["meta"]["total_pages"] == 1
        assert _page(rootly, "shifts")["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"page[number]": 0},
        {"page[number]": -3},
        {"page[number]": "x"},
        {"page[size]": 0},
        {"page[size]": "many"},
        {"page[after]": ""},
    ],
)
def test_pages_that_make_no_sense_are_the_first(
    rootly: Rootly, query: dict[str, str | int]
) -> None:
    assert _ids(_page(rootly, "incidents", query)) == _ids(_page(rootly, "incidents"))


def test_links_are_absolute_and_keep_the_query(rootly: Rootly) -> None:
    query: dict[str, str | int] = {
        "filter[updated_at][gte]": "2024-01-01T00:00:00Z",
        "sort": "-updated_at",
        "page[size]": 20,
        "page[number]": 2,
    }
    links = _page(rootly, "incidents", query)["links"]
    assert set(links) == {"self", "first", "prev", "next", "last"}
    numbers = {"self": "2", "first": "1", "prev": "1", "next": "3", "last": "7"}
    for name, number in numbers.items():
        parts = urlsplit(str(links[name]))
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{rootly.url}/v1/incidents"
        assert "filter%5Bupdated_at%5D%5Bgte%5D=2024-01-01T00%3A00%3A00Z" in parts.query
        assert parse_qs(parts.query) == {
            "filter[updated_at][gte]": ["2024-01-01T00:00:00Z"],
            "sort": ["-updated_at"],
            "page[size]": ["20"],
            "page[number]": [number],
        }


def test_the_ends_have_no_neighbours(rootly: Rootly) -> None:
    assert _page(rootly, "services")["links"]["prev"] is None
    assert _page(rootly, "services")["links"]["next"] is None


@pytest.mark.parametrize("name", ["incidents", "alerts", "users", "services"])
def test_following_links_reads_every_row_once(rootly: Rootly, name: str) -> None:
    pages = _by_links(rootly, name, {"page[size]": 17})
    ids = [key for page in pages for key in _ids(page)]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(rootly.simulator.tables[name].keys())


@pytest.mark.parametrize("name", ["incidents", "alerts", "alert_events"])
def test_following_cursors_reads_every_row_once(rootly: Rootly, name: str) -> None:
    pages = _by_cursor(rootly, name, {"page[size]": 17})
    ids = [key for page in pages for key in _ids(page)]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(rootly.simulator.tables[name].keys())


def test_cursors_and_numbers_show_the_same_order(rootly: Rootly) -> None:
    query: dict[str, str | int] = {"page[size]": 40, "sort": "updated_at"}
    by_cursor = [_ids(page) for page in _by_cursor(rootly, "incidents", query)]
    assert by_cursor == [_ids(page) for page in _by_links(rootly, "incidents", query)]


def test_links_of_a_page_by_cursor_go_on_by_cursor(rootly: Rootly) -> None:
    first = _page(rootly, "incidents", {"page[size]": 60})
    second = _page(
        rootly, "incidents", {"page[size]": 60, "page[after]": first["meta"]["next_cursor"]}
    )
    assert second["meta"]["current_page"] is None
    assert second["meta"]["next_page"] is None
    assert second["meta"]["total_count"] == 130
    assert len(_page(rootly, second["links"]["next"])["data"]) == 10
    assert _ids(_page(rootly, second["links"]["first"])) == _ids(first)


def test_other_lists_do_not_know_cursors(rootly: Rootly) -> None:
    first = _page(rootly, "users")
    assert first["meta"]["next_cursor"] is None
    assert _ids(_page(rootly, "users", {"page[after]": "anything"})) == _ids(first)


@pytest.mark.parametrize("cursor", ["nonsense", "!!!", "e30", "W10", "W1siYSJdLFtdXQ", "ü"])
def test_a_cursor_that_is_none_is_refused(rootly: Rootly, cursor: str) -> None:
    assert _refused(rootly, "incidents", {"page[after]": cursor})["title"] == "invalid cursor"


def test_a_cursor_belongs_to_its_sort(rootly: Rootly) -> None:
    cursor = _page(rootly, "incidents", {"sort": "updated_at"})["meta"]["next_cursor"]
    error = _refused(rootly, "incidents", {"sort": "-updated_at", "page[after]": cursor})
    assert "sort=updated_at" in error["detail"]


@pytest.mark.parametrize("sort", ["resolved_at", "-resolved_at", "in_triage_at", "-mitigated_at"])
def test_cursors_pass_over_nulls(rootly: Rootly, sort: str) -> None:
    pages = _by_cursor(rootly, "incidents", {"sort": sort, "page[size]": 7})
    values = [row["attributes"][sort.lstrip("-")] for page in pages for row in page["data"]]
    assert len(values) == 130
    known = [parse_iso(value) for value in values if value]
    assert 0 < len(known) < 130
    assert known == sorted(known, reverse=sort.startswith("-"))
    nulls_first = values[0] is None
    assert nulls_first is sort.startswith("-")  # as PostgreSQL has it


@pytest.mark.parametrize("name", ["incidents", "services", "alerts"])
def test_a_page_may_hold_a_hundred_rows(rootly: Rootly, name: str) -> None:
    assert len(_page(rootly, name, {"page[size]": 100})["data"]) <= 100
    error = _refused(rootly, name, {"page[size]": 101})
    assert error["title"] == "page size exceeds limit"
    assert "100" in error["detail"]


def test_the_feed_holds_fifty_and_shifts_a_thousand(rootly: Rootly) -> None:
    assert len(_page(rootly, "alert_events", {"page[size]": 50})["data"]) == 50
    assert "50" in _refused(rootly, "alert_events", {"page[size]": 51})["detail"]
    _page(rootly, "shifts", {"page[size]": 1000})
    assert "1000" in _refused(rootly, "shifts", {"page[size]": 1001})["detail"]


def test_a_size_may_be_clamped_instead() -> None:
    with serve(_small(RootlyQuirks(clamp_page_size=True))) as rootly:
        page = _page(rootly, "incidents", {"page[size]": 500})
        assert len(page["data"]) == 100
        assert "page%5Bsize%5D=100" in page["links"]["next"]


def test_the_default_size_is_the_organisation_s() -> None:
    with serve(_small(RootlyQuirks(default_page_size=10))) as rootly:
        assert len(_page(rootly, "incidents")["data"]) == 10
        assert _page(rootly, "incidents")["meta"]["total_pages"] == 13


def test_numbers_reach_so_deep_on_incidents() -> None:
    with serve(_small(RootlyQuirks(deep_offset_limit=100))) as rootly:
        assert len(_page(rootly, "incidents", {"page[number]": 2, "page[size]": 50})["data"]) == 50
        error = _refused(rootly, "incidents", {"page[number]": 3, "page[size]": 50})
        assert error["title"] == "offset pagination exceeds limit"
        pages = _by_cursor(rootly, "incidents", {"page[size]": 50})
        assert [len(page["data"]) for page in pages] == [50, 50, 30]
        _page(rootly, "alerts", {"page[number]": 30, "page[size]": 50})


def test_the_depth_is_ten_thousand_by_default(rootly: Rootly) -> None:
    assert _page(rootly, "incidents", {"page[number]": 100, "page[size]": 100})["data"] == []
    _refused(rootly, "incidents", {"page[number]": 101, "page[size]": 100})


def test_counts_may_be_of_the_whole_list(rootly: Rootly) -> None:
    query: dict[str, str | int] = {"filter[kind]": "test", "page[size]": 2}
    meta = _page(rootly, "incidents", query)["meta"]
    assert (meta["total_count"], meta["total_pages"]) == (3, 2)
    with serve(_small(RootlyQuirks(total_count_unfiltered=True))) as careless:
        pages = _by_links(careless, "incidents", query)
        assert [len(page["data"]) for page in pages] == [2, 1]
        assert pages[0]["meta"]["total_count"] == 130
        assert pages[0]["meta"]["total_pages"] == 65


def test_the_number_of_pages_may_be_missing() -> None:
    with serve(_small(RootlyQuirks(omit_total_pages=True))) as rootly:
        assert "total_pages" not in _page(rootly, "incidents")["meta"]


def test_the_feed_counts_nothing(rootly: Rootly) -> None:
    meta = _page(rootly, "alert_events", {"page[size]": 20, "page[number]": 5})["meta"]
    assert meta.pop("next_cursor")
    assert set(meta.values()) == {None}
    assert _ids(_page(rootly, "alert_events", {"page[number]": 5})) == _ids(
        _page(rootly, "alert_events")
    )


def test_the_feed_links_to_its_next_page_only(rootly: Rootly) -> None:
    page = _page(rootly, "alert_events", {"page[size]": 50})
    assert page["links"]["prev"] is None
    assert page["links"]["last"] is None
    assert len(_page(rootly, page["links"]["next"])["data"]) == 50


@pytest.mark.parametrize(
    ("name", "envelope"),
    [
        ("incidents", {"data", "links", "meta", "included"}),
        ("alert_events", {"data", "links", "meta", "included"}),
        ("teams", {"data", "links", "meta", "included"}),
        ("alert_routes", {"data", "links", "meta"}),
        ("shifts", {"data", "meta", "included"}),
        ("alert_groups", {"data", "included"}),
        ("oncalls", {"data", "included"}),
        ("retrospective_configurations", {"data", "included"}),
    ],
)
def test_what_a_list_wraps_its_rows_in(rootly: Rootly, name: str, envelope: set[str]) -> None:
    assert set(_page(rootly, name)) == envelope


def test_lists_of_one_page_ignore_the_size(rootly: Rootly) -> None:
    assert len(_page(rootly, "oncalls", {"page[size]": 2})["data"]) == 16
    assert len(_page(rootly, "alert_groups", {"page[size]": 2, "page[number]": 4})["data"]) == 4


def test_a_list_without_links_and_meta_may_have_pages(rootly: Rootly) -> None:
    sizes = [
        len(
            _page(rootly, "retrospective_configurations", {"page[size]": 1, "page[number]": n})[
                "data"
            ]
        )
        for n in (1, 2, 3)
    ]
    assert sizes == [1, 1, 0]


def test_rows_that_come_while_paging_shift_numbers_but_not_cursors() -> None:
    churn = Churn(every=2, insert=5, times=3)
    with serve(_small(churn=churn)) as rootly:
        before = set(rootly.simulator.tables["incidents"].keys())
        ids = [
            key
            for page in _by_cursor(rootly, "incidents", {"page[size]": 20})
            for key in _ids(page)
        ]
        assert len(ids) == len(set(ids))
        assert before <= set(ids)
    with serve(_small(churn=Churn(every=2, insert=5, times=3))) as rootly:
        ids = [
            key for page in _by_links(rootly, "incidents", {"page[size]": 20}) for key in _ids(page)
        ]
        assert len(ids) > len(set(ids))


def test_rows_that_move_while_paging_are_met_again_at_the_end() -> None:
    churn = Churn(every=2, insert=0, touch=20, times=2)
    query: dict[str, str | int] = {"page[size]": 20, "sort": "updated_at"}
    with serve(_small(churn=churn)) as rootly:
        pages = _by_cursor(rootly, "incidents", query)
        ids = [key for page in pages for key in _ids(page)]
        assert set(ids) == set(rootly.simulator.tables["incidents"].keys())
        latest = {row["id"]: row for page in pages for row in page["data"]}
        for row in rootly.simulator.tables["incidents"]:
            assert latest[row.key] == row.data()


def test_a_deleted_row_does_not_spoil_its_cursor() -> None:
    with serve(_small()) as changing:
        first = _page(changing, "incidents", {"page[size]": 50})
        second = _page(changing, "incidents", {"page[size]": 50, "page[number]": 2})
        changing.simulator.tables["incidents"].delete(_ids(first)[-1])
        after = {"page[size]": 50, "page[after]": first["meta"]["next_cursor"]}
        assert _ids(_page(changing, "incidents", after)) == _ids(second)


def test_churn_concerns_the_list_that_is_read() -> None:
    with serve(_small(churn=Churn(every=1, insert=1, times=1))) as rootly:
        rootly.simulator.clock.skip(timedelta(days=1))
        assert _page(rootly, "incidents")["meta"]["total_count"] == 131
        assert _page(rootly, "incidents")["meta"]["total_count"] == 131
        assert len(rootly.simulator.tables["alerts"]) == 60
