"""Dagster's page, opened by `opsnest dagster demo`: assets are seen, and a click loads them."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import BIN, Browser, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

#: Seconds for four simulators and all of Dagster's processes to start.
_START = 180


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(_START):
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=10):
                return
        except OSError:
            time.sleep(1)
    pytest.fail(f"nothing answers at {url}")


def test_a_click_loads_the_assets_of_a_platform(browser: Browser, tmp_path: Path) -> None:
    command = [str(BIN / "opsnest"), "dagster", "demo", "--port", str(unused_port())]
    with serving(command, tmp_path, patience=90) as url:
        wait_for(url)
        page = browser.open(f"{url}/locations/opsnest.dagster.demo/asset-groups/roost")
        for name in ("tests", "test_plans", "events"):
            expect(page.get_by_text(name, exact=True).first).to_be_visible()
        page.get_by_role("button", name="Materialize all").click()
        expect(page.get_by_text(re.compile("^Materializing")).first).to_be_visible()
        browser.shoot(page, "dagster-materializing")

        page = browser.open(f"{url}/runs")
        expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=120_000)
        browser.shoot(page, "dagster-runs")

        page = browser.open(f"{url}/assets/roost_data/events?view=overview")
        expect(page.get_by_text("rows loaded").first).to_be_visible()
        expect(page.get_by_text("At 13 minutes past the hour").first).to_be_visible()
        expect(page.get_by_text("modification_time").first).to_be_visible()
        browser.shoot(page, "dagster-asset")
        assert browser.errors == []
        assert browser.refused == []
