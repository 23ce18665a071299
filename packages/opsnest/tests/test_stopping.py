"""A load that is told to stop: it ends soon, says so, and the next run goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsnest.stopping import STOPPED, stopping
from opssim import RootlySimulator, Running, serve

OPSNEST = Path(sys.executable).with_name("opsnest")
#: Seconds that the API takes: whoever waits for an answer is told from who does not.
LATE = 30.0
#: What a slow machine may take longer than two seconds.
PATIENCE = 15.0

Rootly = Running[RootlySimulator]


@pytest.fixture
def rootly(monkeypatch: pytest.MonkeyPatch) -> Generator[Rootly]:
    with serve(RootlySimulator(incidents=2000, alerts=50, users=10)) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield running


@contextmanager
def reading(rootly: Rootly, answers: int = 40) -> Generator[subprocess.Popen[str]]:
    """Load in another process until it waits for an answer that takes long."""
    command = [str(OPSNEST), "load", "rootly"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while len(rootly.simulator.requests.all()) < answers:
                assert process.poll() is None
                time.sleep(0.01)
            rootly.simulator.latency = LATE
            time.sleep(0.5)  # those that are on their way still come at once
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.long)],
)
def test_it_ends_without_waiting_for_answers_and_goes_on_later(
    rootly: Rootly, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with reading(rootly) as process:
        began = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=LATE)
        assert time.monotonic() - began < PATIENCE
    assert process.returncode == code
    assert said.endswith(f"\n{STOPPED}\n")
    assert "Traceback" not in said

    asked = len(rootly.simulator.requests.all())
    rootly.simulator.latency = 0.0
    again = subprocess.run(
        [OPSNEST, "load", "rootly"], capture_output=True, text=True, timeout=90, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "pages are in its journal" in again.stderr
    first = [(seen.path, seen.query) for seen in rootly.simulator.requests.all()[:asked]]
    later = [(seen.path, seen.query) for seen in rootly.simulator.requests.all()[asked:]]
    assert sum(request in first for request in later) < asked / 2
    assert not list(tmp_path.rglob("*.journal"))


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(rootly: Rootly) -> None:
    with reading(rootly) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LATE)
        assert time.monotonic() - began < PATIENCE
    assert process.returncode == 130
    assert STOPPED in said


def test_what_was_there_before_is_there_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_away_from_the_main_thread_it_changes_nothing() -> None:
    seen: list[object] = []

    def run() -> None:
        with stopping():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
