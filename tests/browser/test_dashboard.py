"""dlt's dashboard, opened by `opsnest show`: its tables are seen, and a query is answered."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Browser, Start

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_the_dashboard_shows_tables_and_answers_a_query(browser: Browser, show: Start) -> None:
    page = browser.open(show("rootly"))

    expect(page.get_by_text("rootly_incident_management_pipeline").first).to_be_visible()
    for table in ("action_items", "alerts", "alerts__attributes__labels"):
        expect(page.get_by_text(table, exact=True).first).to_be_visible()
    counted = page.get_by_text(re.compile("^5,?000$")).first
    browser.press(page, "Load row counts", counted)
    browser.shoot(page, "dashboard-tables")

    editor = page.locator(".cm-content").first
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        "SELECT count(*) AS how_many, 'in' || ' weeks' AS words FROM incidents"
    )
    page.get_by_text("Query Result").first.click()  # the editor hands on what it has
    browser.press(page, "Run Query", page.get_by_text("in weeks").last)
    expect(page.get_by_text("how_many").last).to_be_visible()
    expect(page.get_by_text("400", exact=True).first).to_be_visible()
    browser.shoot(page, "dashboard-query")
    assert browser.errors == []
    assert browser.refused == []
