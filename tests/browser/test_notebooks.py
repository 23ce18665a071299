"""The notebooks, opened: all charts are drawn, and no cell fails."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import ROOT, Browser, Start

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CHARTS = {"rootly": 4, "roost": 4, "cloud_bot": 4, "owlette": 6}


def drawn(page: Page, charts: int) -> None:
    """Wait until so many charts are drawn, each with marks in it."""
    marks = page.locator("svg.marks, canvas.marks")
    expect(marks).to_have_count(charts)
    for each in marks.all():
        box = each.bounding_box()
        assert box
        assert box["width"] > 300
        assert box["height"] > 30


@pytest.mark.parametrize("name", CHARTS)
def test_a_notebook_draws_its_charts(browser: Browser, show: Start, name: str) -> None:
    platform = name.replace("_", "-")
    page = browser.open(show(platform, "--notebook", str(ROOT / f"notebooks/{name}.py")))

    drawn(page, CHARTS[name])
    browser.shoot(page, f"notebook-{name}")
    expect(page.locator(".marimo-error, [data-testid=cell-error]")).to_have_count(0)
    expect(page.get_by_text("Traceback")).to_have_count(0)
    assert browser.errors == []
    assert browser.refused == []
