"""Tables for the terminal: what can be loaded, and what a load would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from opsnest.catalogue import Catalogue, how
from opsnest.planning import Line, total_calls

__all__ = ["lists_table", "plan_table", "platforms_table"]


def platforms_table(catalogues: Mapping[str, Catalogue]) -> Table:
    """Return a table of the platforms."""
    table = Table(box=None, header_style="dim")
    for column in ("platform", "source", "lists", "by default"):
        table.add_column(column)
    for name, catalogue in catalogues.items():
        usual = sum(entry.selected for entry in catalogue.entries)
        table.add_row(name, catalogue.source, str(len(catalogue.entries)), str(usual))
    table.caption = "opsnest sources PLATFORM shows its lists"
    return table


def lists_table(catalogue: Catalogue) -> Table:
    """Return a table of the lists of a platform, those that are loaded by default first."""
    table = Table(box=None, header_style="dim", title_justify="left")
    for column in ("list", "key", "how it is read", ""):
        table.add_column(column, overflow="fold")
    for entry in sorted(catalogue.entries, key=lambda entry: not entry.selected):
        default = "by default" if entry.selected else ""
        table.add_row(entry.name, ", ".join(entry.key), how(entry), default)
    return table


def plan_table(catalogue: Catalogue, lines: Sequence[Line]) -> Table:
    """Return a table of what a load would cost, with its sum and the minutes that it takes."""
    table = Table(box=None, header_style="dim", title_justify="left", caption_justify="left")
    for column in ("list", "how it is read", "", "rows", "calls"):
        table.add_column(column, justify="right" if column in {"rows", "calls"} else "left")
    for line in sorted(lines, key=lambda line: -line.calls):
        rows = "" if line.rows is None else f"{line.rows:,}"
        calls = f"{line.calls:,}{'+' if line.at_least else ''}"
        table.add_row(
            line.resource, line.strategy, "for the first time" if line.first else "", rows, calls
        )
    table.caption = _sum(catalogue, lines)
    return table


def _sum(catalogue: Catalogue, lines: Sequence[Line]) -> str:
    calls = total_calls(lines)
    more = "at least " if any(line.at_least for line in lines) else ""
    text = f"{more}{calls:,} calls"
    if catalogue.calls is None:
        return text
    most, seconds = catalogue.calls
    minutes = calls / most * seconds / 60
    return f"{text}; {minutes:.1f} minutes at the {most:,} that a key has in {seconds:.0f} s"
