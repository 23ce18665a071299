from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import ConfigurationError
from restarrow.http.retry import RetryPolicy, Tally, Trouble, is_passing, next_wait

_POLICY = RetryPolicy(jitter=0)


def _never() -> float:
    return 0.0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_statuses_that_pass(status: int) -> None:
    assert is_passing(status)
    assert next_wait(_POLICY, Trouble(status), Tally(1), _never) is not None


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422, 501, 505, 600])
def test_statuses_that_stay(status: int) -> None:
    assert not is_passing(status)
    assert next_wait(_POLICY, Trouble(status), Tally(1), _never) is None


def test_waits_double_up_to_the_most() -> None:
    policy = RetryPolicy(attempts=9, max_wait=10, jitter=0)
    waits = [next_wait(policy, Trouble(503), Tally(failed), _never) for failed in range(1, 10)]
    assert waits == [1, 2, 4, 8, 10, 10, 10, 10, None]


def test_a_cut_connection_is_tried_again_nearly_at_once_the_first_time() -> None:
    first = next_wait(_POLICY, Trouble(cut=True), Tally(1), lambda: 1.0)
    assert first is not None
    assert first <= 0.1
    assert next_wait(_POLICY, Trouble(cut=True), Tally(2), _never) == 2


def test_an_asked_wait_is_kept_to_and_never_cut_short() -> None:
    wait = next_wait(_POLICY, Trouble(503, asked=20), Tally(1), lambda: 1.0)
    assert wait == 21
    assert next_wait(_POLICY, Trouble(429, asked=0), Tally(0, 1), _never) == 0


def test_who_is_told_again_and_again_to_wait_no_time_waits_all_the_same() -> None:
    trouble = Trouble(429, asked=0)
    waits = [next_wait(_POLICY, trouble, Tally(0, limited), _never) for limited in range(1, 11)]
    assert waits == [0, 0.1, 0.2, 0.4, 0.8, 1, 1, 1, 1, None]
    assert next_wait(_POLICY, Trouble(429, asked=7), Tally(0, 9), _never) == 7


def test_a_wait_beyond_the_most_is_not_begun() -> None:
    assert next_wait(_POLICY, Trouble(429, asked=300), Tally(0, 1), _never) == 300
    assert next_wait(_POLICY, Trouble(429, asked=301), Tally(0, 1), _never) is None


def test_being_limited_is_counted_apart_from_failing() -> None:
    tally = Tally()
    for trouble in (Trouble(429), Trouble(503), Trouble(429), Trouble(cut=True)):
        tally = tally.counting(trouble)
    assert tally == Tally(failed=2, limited=2)
    assert next_wait(_POLICY, Trouble(429), Tally(4, 9), _never) is not None
    assert next_wait(_POLICY, Trouble(429), Tally(0, 10), _never) is None
    assert next_wait(_POLICY, Trouble(503), Tally(5, 0), _never) is None


def test_one_attempt_is_one_attempt() -> None:
    policy = RetryPolicy(attempts=1, limited_attempts=1)
    for trouble in (Trouble(503), Trouble(429), Trouble(cut=True)):
        assert next_wait(policy, trouble, Tally().counting(trouble), _never) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 0},
        {"limited_attempts": 0},
        {"first_wait": -1},
        {"max_wait": -1},
        {"max_wait": float("inf")},
        {"first_wait": float("nan")},
        {"jitter": 1.1},
        {"jitter": -0.1},
    ],
)
def test_policies_that_make_no_sense(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        RetryPolicy(**settings)  # type: ignore[arg-type]


@settings(deadline=None)
@given(
    st.builds(
        Trouble,
        st.none() | st.integers(100, 599),
        st.none() | st.floats(0, 1e6),
        st.booleans(),
    ),
    st.builds(Tally, st.integers(0, 10_000), st.integers(0, 10_000)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_wait_is_bounded_and_not_shorter_than_asked(
    trouble: Trouble, tally: Tally, chance: float, jitter: float
) -> None:
    policy = RetryPolicy(attempts=20_000, limited_attempts=20_000, jitter=jitter)
    wait = next_wait(policy, trouble, tally, lambda: chance)
    if wait is None:
        return
    assert 0 <= wait <= policy.max_wait + 1
    if trouble.asked is not None:
        assert wait >= trouble.asked
