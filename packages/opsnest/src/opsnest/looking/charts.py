"""The three charts that the questions of operations come down to: when, which most, how long."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Final, Literal

import altair as alt
import polars as pl

__all__ = ["BAD", "GOOD", "NEUTRAL", "OPEN", "durations", "most", "over_time", "recent"]

#: Colours that mean the same in all charts.
GOOD: Final = "#2a9d8f"
BAD: Final = "#d1495b"
OPEN: Final = "#edae49"
NEUTRAL: Final = "#5b7c99"
#: Those of values that have none of their own.
_OTHERS: Final = (NEUTRAL, "#9fb3c8", "#34506b", "#c9d3dc", "#7b8fa3")
#: Height in pixels: of a chart over time, and of each bar that lies.
_HEIGHT: Final = 220
_BAR: Final = 24

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Step = Literal["1d", "1w", "1mo"]
Unit = Literal["seconds", "minutes", "hours"]
_SECONDS: Final[Mapping[Unit, int]] = {"seconds": 1, "minutes": 60, "hours": 3600}
_STEPS: Final[Mapping[Step, str]] = {"1d": "day", "1w": "week", "1mo": "month"}


def recent(rows: pl.DataFrame, when: str, weeks: int) -> pl.DataFrame:
    """Return the rows of the last weeks up to the newest row.

    Args:
        rows: the rows.
        when: the column of moments; rows without one are left out.
        weeks: how many weeks; 0 for all.
    """
    known = rows.filter(pl.col(when).is_not_null())
    if not weeks:
        return known
    return known.filter(pl.col(when) > pl.col(when).max() - pl.duration(weeks=weeks))


def over_time(
    rows: pl.DataFrame,
    *,
    when: str,
    by: str,
    step: Step = "1w",
    colours: Mapping[str, str] | None = None,
) -> Chart:
    """Draw how many rows there are in each period, as bars of the values of a column.

    Args:
        rows: one for each thing to count.
        when: the column of moments.
        by: the column that the bars are divided by.
        step: how long a period is.
        colours: those of the values, in the order in which they are stacked and listed.
    """
    named = rows.with_columns(pl.col(when).dt.truncate(step).alias("from"), _named(by))
    order = {name: place for place, name in enumerate(colours or ())}
    # bars from one moment to another are not stacked by Vega, which takes them to lie
    counted = (
        named.group_by("from", by)
        .len("count")
        .sort("from", pl.col(by).replace_strict(order, default=len(order)), by)
        .with_columns(
            pl.col("from").dt.offset_by(step).alias("until"),
            pl.col("count").cum_sum().over("from").alias("top"),
        )
        .with_columns((pl.col("top") - pl.col("count")).alias("bottom"))
    )
    drawn: alt.Chart = (
        alt.Chart(counted)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            alt.X("from:T", title=None, scale=alt.Scale(type="utc")),
            alt.X2("until:T"),
            alt.Y("bottom:Q", title=f"per {_STEPS[step]}", axis=alt.Axis(tickMinStep=1)),
            alt.Y2("top:Q"),
            _colour(by, counted, colours),
            tooltip=[alt.Tooltip("from:T", title=_STEPS[step]), f"{by}:N", "count:Q"],
        )
        .properties(height=_HEIGHT)
    )
    return drawn


def most(
    rows: pl.DataFrame,
    *,
    of: str,
    by: str,
    top: int = 10,
    total: str | None = None,
    colours: Mapping[str, str] | None = None,
) -> Chart:
    """Draw the values of a column that most rows have, as bars of the values of another.

    Args:
        rows: one for each thing to count.
        of: the column whose values are ranked.
        by: the column that the bars are divided by.
        top: how many values.
        total: a column of numbers that are added up, instead of counting rows.
        colours: those of the values of `by`.
    """
    rows = rows.with_columns(_named(of), _named(by))
    size = (pl.len() if total is None else pl.col(total).sum().round(1)).alias(total or "count")
    first = (
        rows.group_by(of).agg(size).sort([size.meta.output_name(), of], descending=[True, False])
    )
    order = first[of].head(top).to_list()
    counted = rows.filter(pl.col(of).is_in(order)).group_by(of, by).agg(size).sort(of, by)
    drawn: alt.Chart = (
        alt.Chart(counted)
        .mark_bar()
        .encode(
            alt.X(f"{total or 'count'}:Q", title=total, axis=alt.Axis(tickMinStep=1)),
            alt.Y(f"{of}:N", title=None, sort=order, axis=alt.Axis(labelLimit=260)),
            _colour(by, counted, colours),
            tooltip=[f"{of}:N", f"{by}:N", f"{total or 'count'}:Q"],
        )
        .properties(height=alt.Step(_BAR))
    )
    return drawn


def durations(
    rows: pl.DataFrame,
    *,
    by: str,
    start: str,
    end: str,
    unit: Unit = "minutes",
    top: int = 12,
) -> Chart:
    """Draw how long things take: bars to the median, a mark where nine of ten have ended.

    Args:
        rows: one for each thing; those that have not ended are left out.
        by: the column whose values are compared.
        start: the column of the moments when they began.
        end: that of when they ended.
        unit: what it is measured in.
        top: how many values, those with most rows.
    """
    seconds = (pl.col(end) - pl.col(start)).dt.total_milliseconds() / 1000
    long = (
        rows.with_columns(_named(by), (seconds / _SECONDS[unit]).alias("long"))
        .filter(pl.col("long") >= 0)
        .group_by(by)
        .agg(
            pl.len().alias("count"),
            pl.col("long").median().round(2).alias("median"),
            pl.col("long").quantile(0.9).round(2).alias("nine_of_ten"),
        )
        .sort(["count", by], descending=[True, False])
        .head(top)
    )
    base = alt.Chart(long).encode(
        alt.Y(f"{by}:N", title=None, sort="-x", axis=alt.Axis(labelLimit=260)),
        tooltip=[f"{by}:N", "count:Q", "median:Q", alt.Tooltip("nine_of_ten:Q", title="9 of 10")],
    )
    axis = alt.Axis(tickCount=8)
    title = f"{unit}: half end within the bar, nine of ten before the mark"
    bars = base.mark_bar(color=NEUTRAL).encode(alt.X("median:Q", title=title, axis=axis))
    marks = base.mark_tick(color=BAD, thickness=3).encode(alt.X("nine_of_ten:Q"))
    return alt.layer(bars, marks).properties(height=alt.Step(_BAR))


def _named(column: str) -> pl.Expr:
    return pl.col(column).fill_null("(none)")


def _colour(by: str, rows: pl.DataFrame, colours: Mapping[str, str] | None) -> alt.Color:
    if colours is None:
        return alt.Color(f"{by}:N", title=None, scale=alt.Scale(scheme="tableau10"))
    there = set(rows[by].to_list())
    named = {name: colour for name, colour in colours.items() if name in there}
    others = dict(zip(sorted(there - named.keys()), cycle(_OTHERS), strict=False))
    scale = alt.Scale(domain=[*named, *others], range=[*named.values(), *others.values()])
    return alt.Color(f"{by}:N", title=None, scale=scale)
