"""What the notebooks are made of: figures at the top, and charts with a sentence for none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import marimo as mo
import polars as pl

from opsnest.looking.charts import Chart
from opsnest.looking.tables import Tables

__all__ = ["PERIODS", "figures", "head", "section"]

#: Periods to choose from, in weeks; 0 is all the time there is.
PERIODS: Final[dict[str, int]] = {"4 weeks": 4, "13 weeks": 13, "52 weeks": 52, "all": 0}


def head(title: str, about: str, tables: Tables) -> mo.Html:
    """Return the top of a notebook; with what is wrong, if its tables cannot be read."""
    parts: list[Any] = [mo.md(f"# {title}\n\n{about}")]
    if tables.problem:
        lines = (line.strip() for line in tables.problem.splitlines())
        parts.append(mo.callout(mo.md("\n\n".join(lines)), kind="warn"))
    return mo.vstack(parts)


def figures(values: Mapping[str, object]) -> mo.Html:
    """Return figures beside each other; those that nothing is known of as a dash."""
    return mo.hstack(
        [
            mo.stat("-" if value is None else str(value), label=name, bordered=True)
            for name, value in values.items()
        ],
        widths="equal",
    )


def section(
    title: str,
    rows: pl.DataFrame,
    draw: Callable[[pl.DataFrame], Chart | mo.Html],
    *,
    empty: str,
) -> mo.Html:
    """Return a chart or a table under its title; or a sentence, if there are no rows for it.

    Args:
        title: the title.
        rows: what is drawn.
        draw: draws it.
        empty: what is said if there are none.
    """
    heading = mo.md(f"## {title}")
    if rows.is_empty():
        return mo.vstack([heading, mo.md(f"*{empty}*")])
    drawn: Any = draw(rows)
    if not isinstance(drawn, mo.Html):
        drawn = (
            drawn.properties(width="container")
            .configure_view(stroke=None)
            .configure_axis(domain=False, ticks=False, gridOpacity=0.5)
        )
    return mo.vstack([heading, drawn])
