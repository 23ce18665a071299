"""How the window's size moves: pure, without threads and clocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from restarrow.paging import WindowPolicy
from restarrow.paging.pace import Pace


def test_it_grows_by_one_per_page_at_first() -> None:
    pace = Pace(1, 16, 4.0)
    for _ in range(5):
        pace.finished(0.1, 0)
    assert pace.now == 9


def test_it_never_leaves_its_bounds() -> None:
    pace = Pace(2, 6, 4.0)
    for _ in range(50):
        pace.finished(0.1, 0)
    assert pace.now == 6
    for count in range(50):
        pace.finished(0.1, count * 10)
    assert pace.now == 2


def test_a_complaint_halves_it_once_for_all_that_were_under_way() -> None:
    pace = Pace(1, 16, 12.0)
    for count in (1, 2, 3):
        pace.finished(0.1, count)
    assert pace.now == 6
    for _ in range(20):
        pace.finished(0.1, 3)
    before = pace.now
    assert 6 < before <= 10, "after a complaint it grows by one per round"
    pace.finished(0.1, 4)
    assert pace.now == int(pace.size) <= before / 2 + 1


def test_it_shrinks_while_pages_take_long_and_recovers() -> None:
    pace = Pace(1, 16, 8.0)
    for _ in range(4):
        pace.finished(0.05, 0)
    high = pace.now
    for _ in range(40):
        pace.finished(0.4, 0)
    low = pace.now
    assert low < high - 3
    for _ in range(60):
        pace.finished(0.05, 0)
    assert pace.now > low + 3


def test_what_was_once_possible_is_forgotten() -> None:
    pace = Pace(1, 16, 8.0)
    pace.finished(0.01, 0)
    for _ in range(600):
        pace.finished(0.1, 0)
    assert pace.now == 16, "the API is slower for good: that is no sign of a queue"


def test_small_differences_are_noise() -> None:
    pace = Pace(1, 16, 4.0)
    for _ in range(30):
        pace.finished(0.001, 0)
        pace.finished(0.004, 0)
    assert pace.now == 16


@given(
    events=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 3)), max_size=80),
    least=st.integers(1, 4),
    spread=st.integers(0, 20),
)
def test_whatever_happens_it_stays_within_bounds(
    events: list[tuple[float, int]], least: int, spread: int
) -> None:
    pace = Pace(least, least + spread, float(least))
    count = 0
    for seconds, more in events:
        count += more
        pace.finished(seconds, count)
        assert least <= pace.now <= least + spread


def test_a_policy_begins_within_its_bounds() -> None:
    assert WindowPolicy(most=2, initial=9).pace().now == 2
    assert WindowPolicy(least=5, initial=1).pace().now == 5
    assert WindowPolicy(adaptive=False, most=7).pace().now == 7
