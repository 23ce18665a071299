from __future__ import annotations

from opssim.core.limits import SlidingWindow


class _Time:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_requests_pass_until_the_window_is_full() -> None:
    window = SlidingWindow(3, 60, _Time())
    assert [window.ask().allowed for _ in range(5)] == [True, True, True, False, False]


def test_the_numbers_of_an_allowance() -> None:
    window = SlidingWindow(3, 60, _Time())
    first, second = window.ask(), window.ask()
    assert (first.limit, first.used, first.remaining) == (3, 1, 2)
    assert (second.limit, second.used, second.remaining) == (3, 2, 1)


def test_refused_requests_are_not_counted() -> None:
    time = _Time()
    window = SlidingWindow(1, 60, time)
    window.ask()
    time.now += 59
    refused = window.ask()
    assert (refused.allowed, refused.used, refused.remaining) == (False, 1, 0)
    time.now += 1
    assert window.ask().allowed


def test_reset_is_the_epoch_second_at_which_the_oldest_request_leaves() -> None:
    time = _Time(1000.4)
    window = SlidingWindow(5, 60, time)
    assert window.ask().reset == 1061
    time.now = 1030.0
    assert window.ask().reset == 1061
    time.now = 1060.5
    assert window.ask().reset == 1090


def test_waiting_until_reset_is_enough() -> None:
    time = _Time(1000.4)
    window = SlidingWindow(1, 60, time)
    window.ask()
    time.now = float(window.ask().reset)
    assert window.ask().allowed


def test_the_window_slides_and_does_not_jump() -> None:
    time = _Time()
    window = SlidingWindow(2, 10, time)
    window.ask()
    time.now += 6
    window.ask()
    time.now += 4
    assert window.ask().allowed  # the first has left, the second has not
    assert not window.ask().allowed


def test_a_limit_of_zero_lets_nothing_pass() -> None:
    allowance = SlidingWindow(0, 60, _Time()).ask()
    assert (allowance.allowed, allowance.remaining, allowance.reset) == (False, 0, 1060)


def test_time_is_the_real_one_by_default() -> None:
    assert SlidingWindow(1).ask().reset > 1_700_000_000
