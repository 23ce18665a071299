"""What charts are drawn of: counts, totals and durations, worked out before they are drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import marimo as mo
import polars as pl
import pytest

from opsnest.looking.charts import (
    BAD,
    GOOD,
    NEUTRAL,
    Chart,
    durations,
    most,
    over_time,
    recent,
)
from opsnest.looking.sections import figures, head, section
from opsnest.looking.tables import Tables

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
STATES = {"done": GOOD, "failed": BAD, "never": "#000000"}


def runs(*each: tuple[float, str | None, float | None]) -> pl.DataFrame:
    """Return runs: days after Monday, status, and minutes until they ended."""
    began = [MONDAY + timedelta(days=days) for days, _, _ in each]
    ended = [
        None if minutes is None else start + timedelta(minutes=minutes)
        for start, (_, _, minutes) in zip(began, each, strict=True)
    ]
    kind = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {"began": began, "status": [status for _, status, _ in each], "ended": ended},
        schema={"began": kind, "status": pl.String, "ended": kind},
    )


RUNS = runs((0, "done", 1), (6.9, "failed", 3), (3, "done", 9), (7, None, None), (15, "odd", 2))


def spec(chart: Chart) -> dict[str, Any]:
    """Return the chart as Vega-Lite, with the one table of data that it has."""
    drawn: dict[str, Any] = chart.to_dict()
    (rows,) = drawn["datasets"].values()
    return {**drawn, "rows": rows}


def scale(drawn: dict[str, Any]) -> dict[str, str]:
    found = drawn["encoding"]["color"]["scale"]
    return dict(zip(found["domain"], found["range"], strict=True))


def test_rows_are_counted_in_periods_and_stacked_in_the_order_of_the_colours() -> None:
    drawn = spec(over_time(RUNS, when="began", by="status", colours=STATES))

    stacks = [
        (row["from"][:10], row["until"][:10], row["status"], row["bottom"], row["top"])
        for row in drawn["rows"]
    ]
    assert stacks == [
        ("2026-06-01", "2026-06-08", "done", 0, 2),
        ("2026-06-01", "2026-06-08", "failed", 2, 3),
        ("2026-06-08", "2026-06-15", "(none)", 0, 1),
        ("2026-06-15", "2026-06-22", "odd", 0, 1),
    ]
    colours = scale(drawn)
    assert list(colours) == ["done", "failed", "(none)", "odd"]
    assert (colours["done"], colours["failed"], colours["(none)"]) == (GOOD, BAD, NEUTRAL)
    assert colours["odd"] not in {GOOD, BAD, NEUTRAL}


@pytest.mark.parametrize(("step", "bars"), [("1d", 5), ("1mo", 4)])
def test_periods_may_be_days_or_months(step: Any, bars: int) -> None:
    drawn = spec(over_time(RUNS, when="began", by="status", step=step))

    assert len(drawn["rows"]) == bars
    assert drawn["encoding"]["color"]["scale"] == {"scheme": "tableau10"}


def test_what_most_rows_have_comes_first_and_the_rest_is_left_out() -> None:
    rows = pl.DataFrame(
        {"bot": ["a", "b", "b", "c", None, "c"], "state": ["x", "x", "y", "y", "x", "y"]}
    )
    drawn = spec(most(rows, of="bot", by="state", top=2))

    assert drawn["encoding"]["y"]["sort"] == ["b", "c"]
    assert [tuple(row.values()) for row in drawn["rows"]] == [
        ("b", "x", 1),
        ("b", "y", 1),
        ("c", "y", 2),
    ]


def test_numbers_are_added_up_where_rows_are_not_counted() -> None:
    rows = pl.DataFrame({"who": ["a", "b", "a"], "s": ["x", "x", "x"], "hours": [1.5, 5.0, 2.25]})
    drawn = spec(most(rows, of="who", by="s", total="hours"))

    assert drawn["encoding"]["y"]["sort"] == ["b", "a"]
    assert [(row["who"], row["hours"]) for row in drawn["rows"]] == [("a", 3.8), ("b", 5.0)]


def test_durations_are_of_what_has_ended_and_not_before_it_began() -> None:
    rows = runs(*((0, "done", float(n)) for n in range(1, 12)), (0, "done", None), (0, "done", -5))
    drawn = spec(durations(rows, by="status", start="began", end="ended"))

    (row,) = drawn["rows"]
    assert row == {"status": "done", "count": 11, "median": 6.0, "nine_of_ten": 10.0}
    assert "minutes" in str(drawn["layer"])


@pytest.mark.parametrize(("unit", "median"), [("seconds", 360.0), ("hours", 0.1)])
def test_durations_have_units(unit: Any, median: float) -> None:
    drawn = spec(
        durations(runs((0, "done", 6)), by="status", start="began", end="ended", unit=unit)
    )

    assert drawn["rows"][0]["median"] == median


def test_recent_rows_are_those_before_the_newest_one() -> None:
    assert recent(RUNS, "began", 1).height == 1
    assert recent(RUNS, "began", 2).height == 4
    assert recent(RUNS, "began", 0).height == 5
    assert recent(RUNS, "ended", 0).height == 4
    assert recent(RUNS.clear(), "began", 4).is_empty()


def test_a_section_draws_its_rows_or_says_that_there_are_none() -> None:
    def draw(rows: pl.DataFrame) -> alt.Chart:
        drawn: alt.Chart = alt.Chart(rows).mark_bar()
        return drawn

    assert "Nothing." in section("Runs", RUNS.clear(), draw, empty="Nothing.").text
    drawn = section("Runs", RUNS, draw, empty="Nothing.").text
    assert "Nothing." not in drawn
    assert "vega" in drawn
    table = section("Runs", RUNS, lambda _: mo.md("a table"), empty="Nothing.")
    assert "a table" in table.text


def test_the_top_says_what_is_wrong_and_figures_what_is_unknown() -> None:
    assert "no pipeline" not in head("Roost", "Tests.", Tables(None)).text
    said = head("Roost", "Tests.", Tables(None, "there is no pipeline.\n  Load it.")).text
    assert "there is no pipeline." in said
    assert "Load it." in said
    shown = figures({"runs": 3, "median": None}).text
    assert "3" in shown
    assert "-" in shown
