"""Make tables, in Markdown, of what a benchmark has measured.

    python benchmarks/publish.py benchmarks/results/rest_to_duckdb.json --pages

Prints them, writes them beside the file, and with --pages into README.md and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
RIVALS = ("dlt", "dlt with parquet")
_PLACE = re.compile(r"(<!-- benchmark -->\n).*?(<!-- end of benchmark -->)", re.DOTALL)


class Measure(msgspec.Struct):
    """One load: seconds of wall and CPU time, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


class Measured(msgspec.Struct):
    """All loads of a scenario, by contender, and the machine and versions that they ran on."""

    title: str
    machine: str
    loads: dict[str, list[Measure]]


def report(results: Sequence[Measured]) -> str:
    """Return a table for each scenario, and the machine: once, if it is the same for all."""
    parts: list[str] = []
    same = len({measured.machine for measured in results}) == 1
    for measured in results:
        rounds = max(map(len, measured.loads.values()))
        parts += [f"{measured.title}, median of {rounds}:", table(measured.loads)]
        if not same or measured is results[-1]:
            parts.append(f"Measured on {measured.machine}.")
    return "\n\n".join(parts) + "\n"


def table(loads: Mapping[str, Sequence[Measure]]) -> str:
    """Return the table of one scenario."""
    middle = {name: median(measures) for name, measures in loads.items()}
    lines = [
        "| contender | wall | CPU | peak memory | times dlt | times dlt with parquet |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, each in middle.items():
        cells = [name, f"{each.wall:.1f} s", f"{each.cpu:.1f} s", f"{each.memory:.0f} MB"]
        cells += [times(each, middle.get(rival)) for rival in RIVALS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def median(measures: Sequence[Measure]) -> Measure:
    """Return the median of each figure."""
    return Measure(
        wall=statistics.median(each.wall for each in measures),
        cpu=statistics.median(each.cpu for each in measures),
        memory=statistics.median(each.memory for each in measures),
    )


def times(one: Measure, rival: Measure | None) -> str:
    """Return how many times as fast as a rival one is, if the rival was measured."""
    return f"{rival.wall / one.wall:.2f}" if rival else ""


def write(page: Path, text: str) -> None:
    """Put the tables between the marks of a page.

    Raises:
        ValueError: it has no marks.
    """
    before = page.read_text()
    after, places = _PLACE.subn(lambda found: f"{found[1]}\n{text}\n{found[2]}", before)
    if places != 1:
        message = f"{page} has {places} places for tables instead of one"
        raise ValueError(message)
    page.write_text(after)


def main() -> None:
    """Read, print and write."""
    parser = argparse.ArgumentParser(description="Make tables of what a benchmark has measured.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--pages", action="store_true", help="write them into README.md and docs")
    options = parser.parse_args()
    results = msgspec.json.decode(options.file.read_bytes(), type=dict[str, Measured])
    text = report(list(results.values()))
    print(f"\n{text}")
    options.file.with_suffix(".md").write_text(text)
    if options.pages:
        for page in PAGES:
            write(page, text)


if __name__ == "__main__":
    main()
