"""What a list remembers from load to load: how far it was read, and which rows are old."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.reading import memory as module
from opsnest.reading.memory import LOOKBACK, UNDER_WAY, Memory, earlier
from opsnest.rows import to_utc

BEGIN = datetime(2026, 7, 1, 12, tzinfo=UTC)
State = dict[str, Any]
Rows = Mapping[int, tuple[float, int]]


def at(minutes: float) -> str:
    return to_utc((BEGIN + timedelta(minutes=minutes)).isoformat())


def load(
    state: State,
    rows: Rows,
    *,
    all_rows: bool = False,
    lookback: timedelta = LOOKBACK,
    keys: Iterable[int] | None = None,
) -> set[int]:
    """Read rows (minutes and version by key) as a list does, and return the keys that are new."""
    memory = Memory(state, lookback)
    since = "" if all_rows or not memory.since else earlier(memory.since, lookback)
    new: set[int] = set()
    newest = ""
    for key in rows if keys is None else keys:
        minutes, version = rows[key]
        if at(minutes) < since:
            continue
        newest = max(newest, at(minutes))
        if memory.is_new(str(key), {"id": key, "version": version}, at(minutes)):
            new.add(key)
    memory.save(newest, all_rows=all_rows)
    return new


def reloaded(state: State) -> State:
    """Return the state as the next load finds it: it has been JSON in between."""
    again: State = json.loads(json.dumps(state))
    return again


# How far a list was read


def test_a_list_that_was_never_read_has_no_time() -> None:
    memory = Memory({})

    assert (memory.since, memory.whole, memory.under_way) == ("", "", {})


@given(minutes=st.lists(st.integers(-500, 500) | st.none(), max_size=10))
def test_how_far_a_list_was_read_never_moves_back(minutes: list[int | None]) -> None:
    state: State = {}
    furthest = ""
    for each in minutes:
        newest = "" if each is None else at(each)
        Memory(state).save(newest, all_rows=False)
        furthest = max(furthest, newest)
        state = reloaded(state)

        assert Memory(state).since == furthest


def test_nothing_is_written_down_before_a_list_was_read_to_its_end() -> None:
    state: State = {}
    load(state, {1: (0, 0)})
    before = reloaded(state)

    broken = Memory(state)
    assert broken.is_new("2", {"id": 2}, at(60))

    assert state == before


def test_when_a_list_was_read_whole_is_kept_apart_from_how_far_it_was_read() -> None:
    state: State = {}
    memory = Memory(state)
    memory.whole = at(3)
    memory.save(at(9), all_rows=False)

    again = Memory(reloaded(state))

    assert (again.whole, again.since) == (at(3), at(9))


# Which rows are new


def test_all_rows_are_new_at_first_and_none_is_when_nothing_has_changed() -> None:
    state: State = {}
    rows = {1: (0.0, 0), 2: (1.0, 0), 3: (90.0, 0)}

    assert load(state, rows) == {1, 2, 3}
    assert load(reloaded(state), rows) == set()


@given(
    histories=st.lists(
        st.dictionaries(st.integers(0, 9), st.integers(0, 3), max_size=8), min_size=1, max_size=6
    ),
    step=st.floats(0.1, 20),
)
def test_a_row_is_new_when_it_changed_and_only_then(
    histories: list[dict[int, int]], step: float
) -> None:
    state: State = {}
    rows: dict[int, tuple[float, int]] = {}
    for round_, changes in enumerate(histories):
        changed: set[int] = set()
        for key, version in changes.items():
            if rows.get(key, (0, None))[1] != version:
                rows[key] = (round_ * step, version)
                changed.add(key)

        assert load(state, rows) == changed
        state = reloaded(state)


@given(versions=st.lists(st.dictionaries(st.integers(0, 9), st.integers(0, 2)), max_size=6))
def test_rows_of_a_list_that_is_read_whole_are_told_apart_without_any_time(
    versions: list[dict[int, int]],
) -> None:
    state: State = {}
    before: dict[int, int] = {}
    for after in versions:
        memory = Memory(state)
        new = {key for key, version in after.items() if memory.is_new(str(key), version)}
        memory.save("", all_rows=True)

        assert new == {key for key, version in after.items() if before.get(key) != version}
        before, state = after, reloaded(state)


def test_the_order_of_a_rows_fields_is_no_change() -> None:
    state: State = {}
    memory = Memory(state)
    memory.is_new("1", {"a": 1, "b": {"c": 2, "d": 3}}, at(0))
    memory.save(at(0), all_rows=False)

    assert not Memory(reloaded(state)).is_new("1", {"b": {"d": 3, "c": 2}, "a": 1}, at(0))


def test_a_row_that_comes_twice_in_one_load_is_new_once_and_again_if_it_changed_between() -> None:
    memory = Memory({})

    assert memory.is_new("1", {"v": 1}, at(0))
    assert not memory.is_new("1", {"v": 1}, at(0))
    assert memory.is_new("1", {"v": 2}, at(0))


def test_a_row_in_doubt_is_new_in_the_next_load() -> None:
    state: State = {}
    memory = Memory(state)
    memory.is_new("1", {"v": 1}, at(0))
    memory.is_new("2", {"v": 1}, at(0))
    memory.doubt("1")
    memory.save(at(0), all_rows=False)

    again = Memory(reloaded(state))
    assert again.is_new("1", {"v": 1}, at(0))
    assert not again.is_new("2", {"v": 1}, at(0))


def test_a_row_of_a_first_load_from_before_the_last_minutes_is_new_and_leaves_no_print() -> None:
    state: State = {}
    memory = Memory(state)
    memory.old_before = at(50)

    assert memory.is_new("old", {}, at(0))
    assert memory.is_new("late", {}, at(51))
    memory.save(at(52), all_rows=True)

    assert len(state["prints"]) == 1


# The lookback


@pytest.mark.parametrize("minutes", [0.0, 1.0, 5.0, 60.0])
def test_a_row_that_could_be_seen_late_is_loaded_if_its_time_is_within_the_lookback(
    minutes: float,
) -> None:
    lookback, state = timedelta(minutes=30), State()
    load(state, {1: (100, 0)}, lookback=lookback)

    late = load(reloaded(state), {1: (100, 0), 2: (100 - minutes, 0)}, lookback=lookback)

    assert late == ({2} if minutes <= 30 else set())


def test_only_rows_within_the_lookback_are_remembered() -> None:
    state: State = {}

    load(state, {key: (key / 10, 0) for key in range(1000)})

    # five minutes of ten rows each, with both ends
    assert len(state["prints"]) == 51


# The cap


def test_what_is_beyond_the_cap_is_loaded_again_and_the_newest_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST", 100)
    rows = {key: (key / 1000, 0) for key in range(500)}
    state: State = {}
    assert load(state, rows) == set(rows)
    assert len(state["prints"]) == 100

    again = load(reloaded(state), rows)

    assert again == set(range(400))


def test_the_newest_are_kept_in_whichever_order_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 100)
    rows = {key: (key / 1000, 0) for key in range(500)}
    state: State = {}
    load(state, rows, keys=reversed(range(500)))

    assert load(reloaded(state), rows) == set(range(400))


# Rows under way


def test_rows_under_way_are_remembered_however_old_they_are() -> None:
    state: State = {}
    memory = Memory(state)
    memory.is_new("old", {"status": "RUNNING"}, UNDER_WAY)
    memory.is_new("done", {"status": "DONE"}, at(0))
    memory.save(at(1000), all_rows=False, under_way={"old": "deployment"})

    again = Memory(reloaded(state))

    assert again.under_way == {"old": "deployment"}
    assert not again.is_new("old", {"status": "RUNNING"}, UNDER_WAY)
    assert again.is_new("old", {"status": "DONE"}, at(0))


def test_rows_under_way_stay_so_until_a_load_says_otherwise() -> None:
    state: State = {}
    Memory(state).save(at(0), all_rows=False, under_way={"1": "a", "2": "b"})
    Memory(state).save(at(1), all_rows=False)
    assert Memory(state).under_way == {"1": "a", "2": "b"}

    Memory(state).save(at(2), all_rows=False, under_way={"2": "b"})

    assert Memory(state).under_way == {"2": "b"}


# Children by parent


def test_the_children_of_each_parent_have_a_memory_of_their_own() -> None:
    state: State = {}
    memory = Memory(state)
    for parent in ("a", "b"):
        assert memory.of(parent).is_new("1", {"v": 1}, at(5)), "one id under each parent"
    memory.save("", all_rows=False, newest_of={"a": at(5), "b": at(90)})

    again = Memory(reloaded(state))

    assert (again.of("a").since, again.of("b").since) == (at(5), at(90))
    assert not again.of("a").is_new("1", {"v": 1}, at(5))
    assert again.of("b").is_new("1", {"v": 2}, at(90))
    assert again.of("never seen").since == ""


def test_a_parent_whose_children_have_not_changed_stays_where_it_was() -> None:
    state: State = {}
    Memory(state).save("", all_rows=False, newest_of={"a": at(5)})

    Memory(state).save("", all_rows=False, newest_of={"a": ""})

    assert Memory(reloaded(state)).of("a").since == at(5)


def test_parents_that_are_gone_are_forgotten() -> None:
    state: State = {}
    Memory(state).save("", all_rows=False, newest_of={"a": at(5), "b": at(5)})

    Memory(state).save("", all_rows=False, newest_of={"b": at(6)})

    assert Memory(reloaded(state)).of("a").since == ""
    assert set(state["parents"]) == {"b"}


# Times


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - UTC is added
    by=st.timedeltas(timedelta(), timedelta(days=900)),
)
def test_a_time_some_time_before_is_that_in_the_form_of_all_times(
    moment: datetime, by: timedelta
) -> None:
    stamp = to_utc(moment.replace(tzinfo=UTC).isoformat())

    before = earlier(stamp, by)

    assert datetime.fromisoformat(stamp) - datetime.fromisoformat(before) == by
    assert before == to_utc(before)
    assert before <= stamp
