"""The watermark, with dlt's own incremental in real pipelines of several runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import dlt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.rows import to_utc
from opsnest.sources.watermark import BEGINNING, changed_since, latest_wins, not_after

Row = dict[str, Any]

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)

stamps = st.datetimes(timezones=st.just(UTC)).map(lambda moment: to_utc(moment.isoformat()))


def text(moment: datetime) -> str:
    return to_utc(moment.isoformat())


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


class Api:
    """A list that cannot be asked for changes: it is read whole, in two pages."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.between_pages: list[tuple[int, datetime]] = []

    def insert(self, key: int, at: datetime) -> None:
        self.rows.append({"id": key, "at": text(at), "version": 1})

    def change(self, key: int, at: datetime) -> None:
        row = next(row for row in self.rows if row["id"] == key)
        row |= {"at": text(at), "version": row["version"] + 1}

    def pages(self) -> Iterator[list[Row]]:
        half = len(self.rows) // 2
        yield [dict(row) for row in self.rows[:half]]
        for key, at in self.between_pages:
            self.change(key, at)
        self.between_pages = []
        yield [dict(row) for row in self.rows[half:]]


class Loads:
    """Runs of one pipeline."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = dlt.pipeline(
            "watermark",
            destination=dlt.destinations.duckdb(str(folder / "loads.duckdb")),
            dataset_name="loaded",
            pipelines_dir=str(folder / "pipelines"),
        )

    def run(self, api: Api, begun: datetime) -> list[int]:
        """Load what changed, and return the ids of what was."""
        incremental = changed_since("at", server_filters=True)
        incremental["last_value_func"] = not_after(begun)

        @dlt.resource(
            name="rows", primary_key="id", write_disposition="merge", columns=latest_wins("at")
        )
        def rows(
            cursor: Any = dlt.sources.incremental(**incremental),  # noqa: B008 - as dlt wants it
        ) -> Iterator[list[Row]]:
            assert cursor
            yield from api.pages()

        ran = self.pipeline.run(rows())
        return [key for key, load_id in self._query("id, _dlt_load_id") if load_id in ran.loads_ids]

    def versions(self) -> dict[int, int]:
        return dict(self._query("id, version"))

    def _query(self, columns: str) -> list[tuple[Any, Any]]:
        with self.pipeline.sql_client() as client:
            found = client.execute_sql(f"SELECT {columns} FROM rows ORDER BY id")
        return [(first, second) for first, second in found or ()]


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loads:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Loads(tmp_path)


@pytest.fixture
def api() -> Api:
    made = Api()
    for key in range(1, 5):
        made.insert(key, minutes(-60 + key))
    return made


class TestRuns:
    def test_nothing_is_loaded_twice_when_nothing_changed(self, api: Api, loads: Loads) -> None:
        assert loads.run(api, begun=minutes(0)) == [1, 2, 3, 4]
        assert loads.run(api, begun=minutes(10)) == []
        assert loads.run(api, begun=minutes(20)) == []

    def test_a_change_and_a_new_row_are_loaded_alone(self, api: Api, loads: Loads) -> None:
        loads.run(api, begun=minutes(0))
        api.change(2, minutes(5))
        api.insert(5, minutes(6))

        assert loads.run(api, begun=minutes(10)) == [2, 5]
        assert loads.versions() == {1: 1, 2: 2, 3: 1, 4: 1, 5: 1}

    def test_a_change_behind_the_reader_is_loaded_by_the_next_run(
        self, api: Api, loads: Loads
    ) -> None:
        # 1 changes when its page has been read; 4, which comes later, changes after it
        api.between_pages = [(1, minutes(1)), (4, minutes(2))]

        assert loads.run(api, begun=minutes(0)) == [1, 2, 3, 4]
        assert loads.versions() == {1: 1, 2: 1, 3: 1, 4: 2}
        assert loads.run(api, begun=minutes(10)) == [1, 4]
        assert loads.versions() == {1: 2, 2: 1, 3: 1, 4: 2}
        assert loads.run(api, begun=minutes(20)) == []

    def test_a_plain_maximum_would_have_lost_it(self, api: Api, loads: Loads) -> None:
        """The same as above with the watermark of dlt: this is what `not_after` is for."""
        api.between_pages = [(1, minutes(1)), (4, minutes(2))]
        far_away = minutes(10_000)

        loads.run(api, begun=far_away)
        loads.run(api, begun=far_away)

        assert loads.versions() == {1: 1, 2: 1, 3: 1, 4: 2}

    def test_rows_at_the_very_watermark_are_not_lost(self, api: Api, loads: Loads) -> None:
        api.insert(5, minutes(0))
        loads.run(api, begun=minutes(0))
        api.insert(6, minutes(0))

        loads.run(api, begun=minutes(10))

        assert set(loads.versions()) == {1, 2, 3, 4, 5, 6}

    def test_rows_from_the_future_are_loaded_until_it_has_come(
        self, api: Api, loads: Loads
    ) -> None:
        api.insert(5, minutes(15))

        assert 5 in loads.run(api, begun=minutes(0))
        assert loads.run(api, begun=minutes(10)) == [5]
        loads.run(api, begun=minutes(20))
        assert loads.run(api, begun=minutes(30)) == []

    def test_rows_without_a_time_are_loaded_each_time(self, api: Api, loads: Loads) -> None:
        api.rows.append({"id": 9, "version": 1})

        assert 9 in loads.run(api, begun=minutes(0))
        assert loads.run(api, begun=minutes(10)) == [9]


class TestNotAfter:
    @given(st.lists(stamps, min_size=1), st.datetimes(timezones=st.just(UTC)))
    def test_it_is_the_maximum_up_to_the_bound(self, values: list[str], latest: datetime) -> None:
        newest = not_after(latest)(values)

        assert newest <= text(latest)
        assert newest == max(values) or (newest == text(latest) and newest < max(values))

    @given(stamps, stamps, stamps, st.datetimes(timezones=st.just(UTC)))
    def test_the_order_of_rows_does_not_matter(
        self, a: str, b: str, c: str, latest: datetime
    ) -> None:
        newest = not_after(latest)

        assert newest((newest((a, b)), c)) == newest((a, newest((c, b)))) == newest((a, b, c))

    def test_the_bound_is_told_in_utc(self) -> None:
        in_india = datetime(2026, 7, 1, 17, 30, tzinfo=timezone(timedelta(hours=5.5)))

        assert not_after(in_india)(["2027"]) == "2026-07-01T12:00:00.000000Z"


class TestChangedSince:
    def test_a_list_that_the_server_filters_has_the_plain_maximum(self) -> None:
        assert changed_since("at", server_filters=True) == {
            "cursor_path": "at",
            "initial_value": BEGINNING,
            "on_cursor_value_missing": "include",
        }

    def test_any_other_stays_before_the_start_of_the_load(self) -> None:
        newest = changed_since("at", server_filters=False)["last_value_func"]
        before = text(datetime.now(UTC))

        assert newest(["2020", "2019"]) == "2020"
        assert newest(["9999"]) < before
        assert newest(["9999"]) > text(datetime.now(UTC) - timedelta(minutes=6))

    def test_the_beginning_is_written_like_every_other_time(self) -> None:
        assert to_utc(BEGINNING) == BEGINNING


def test_the_latest_version_of_a_row_wins_by_its_column() -> None:
    assert latest_wins("attributes.updated_at") == {
        "attributes__updated_at": {"dedup_sort": "desc"}
    }
