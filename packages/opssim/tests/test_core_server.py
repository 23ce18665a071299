from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from opssim.core.server import listen, serve, url_of
from opssim.rootly import RootlySimulator


def _small() -> RootlySimulator:
    return RootlySimulator(incidents=5, alerts=5, alert_events=5, shifts=8)


def _get(url: str, simulator: RootlySimulator) -> requests.Response:
    headers = {"Authorization": f"Bearer {simulator.token}"}
    return requests.get(f"{url}/v1/users", headers=headers, timeout=5)


def test_a_simulator_is_served_on_loopback_until_the_block_ends() -> None:
    with serve(_small()) as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert _get(running.url, running.simulator).status_code == 200
    with pytest.raises(requests.ConnectionError):
        _get(running.url, running.simulator)


def test_the_thread_ends_with_the_block() -> None:
    with serve(_small()):
        assert any(thread.name == "opssim-rootly" for thread in threading.enumerate())
    assert not any(thread.name == "opssim-rootly" for thread in threading.enumerate())


def test_the_server_ends_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), serve(_small()) as running:
        _ = 1 / 0
    with pytest.raises(requests.ConnectionError):
        _get(running.url, running.simulator)


def test_a_client_that_keeps_its_connection_does_not_hold_the_server_up() -> None:
    with requests.Session() as session:
        with serve(_small()) as running:
            session.headers["Authorization"] = f"Bearer {running.simulator.token}"
            assert session.get(f"{running.url}/v1/users", timeout=5).ok
            start = time.monotonic()
        assert time.monotonic() - start < 4


def test_two_simulators_at_once() -> None:
    with serve(_small()) as one, serve(RootlySimulator(seed=8, incidents=2)) as other:
        assert one.url != other.url
        assert _get(one.url, one.simulator).status_code == 200
        assert _get(other.url, one.simulator).status_code == 401


def test_a_port_can_be_chosen() -> None:
    listener = listen()
    url = url_of(listener)
    listener.close()
    with serve(_small(), port=int(url.rpartition(":")[2])) as running:
        assert running.url == url


def test_a_port_that_is_taken_is_refused() -> None:
    with (
        serve(_small()) as running,
        pytest.raises(OSError, match="in use"),
        serve(_small(), port=int(running.url.rpartition(":")[2])),
    ):
        pass


def test_settings_point_at_the_running_server() -> None:
    with serve(_small()) as running:
        prefix = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
        assert running.configuration == {
            f"{prefix}TOKEN": running.simulator.token,
            f"{prefix}BASE_URL": f"{running.url}/v1",
        }


def test_many_clients_are_served_at_once() -> None:
    with serve(_small()) as running, ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(_get, running.url, running.simulator) for _ in range(64)]
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}


def test_the_app_is_made_once() -> None:
    simulator = _small()
    assert simulator.app is simulator.app


def test_counts_are_those_of_the_tables() -> None:
    simulator = _small()
    assert simulator.counts()["incidents"] == 5
    simulator.insert("incidents", 2)
    assert simulator.counts()["incidents"] == 7


def test_latency_makes_every_answer_late() -> None:
    with serve(_small()) as running:
        running.simulator.latency = 0.1
        start = time.monotonic()
        assert _get(running.url, running.simulator).status_code == 200
        assert time.monotonic() - start >= 0.1
