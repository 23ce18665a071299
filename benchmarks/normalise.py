"""Measure how fast Rootly incidents become tables: dlt's normaliser, and restarrow's lanes.

Each contender gets the same rows in batches, and is measured from the rows' bytes to the tables
(dlt: to its normalised Parquet files). Fetching and loading are left out.

    python benchmarks/normalise.py --incidents 50000 --batch 5000
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator

import dlt
import msgspec

from opssim import RootlySimulator
from restarrow.normalise import Normaliser, Options, Raws

_DISTINCT = 5000


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=5000)
    parser.add_argument("--without-dlt", action="store_true")
    arguments = parser.parse_args()
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    rows = incidents(arguments.incidents)
    batches = [rows[at : at + arguments.batch] for at in range(0, len(rows), arguments.batch)]
    size = sum(map(len, rows))
    print(f"{len(rows)} incidents, {size / 1e6:.0f} MB, batches of {arguments.batch};")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, dlt {dlt.__version__}\n")
    contenders: dict[str, Callable[[list[list[bytes]]], float]] = {
        "restarrow, bytes": byte_lane,
        "restarrow, columns (decoding included)": column_lane,
    }
    if not arguments.without_dlt:
        contenders["dlt, to Parquet (decoding excluded)"] = dlt_normalise
    print(f"{'':40} {'seconds':>8} {'rows/s':>9} {'MB/s':>6}")
    for name, run in contenders.items():
        seconds = run(batches)
        print(f"{name:40} {seconds:8.2f} {len(rows) / seconds:9.0f} {size / seconds / 1e6:6.0f}")


def incidents(count: int) -> list[bytes]:
    """Return so many rows; beyond the first thousands they repeat."""
    simulator = RootlySimulator(incidents=min(count, _DISTINCT))
    distinct = [row.body for row in simulator.tables["incidents"]]
    return [distinct[number % len(distinct)] for number in range(count)]


def byte_lane(batches: list[list[bytes]]) -> float:
    """Normalise raw rows; the first batch is not measured, for it teaches the shape."""
    normalise = Normaliser("incidents", options=Options(load_id="1", root_key=True))
    normalise.normalise(Raws(batches[0]))
    started = time.perf_counter()
    for batch in batches:
        lanes = normalise.normalise(Raws(batch)).lanes
        if set(lanes.values()) != {"bytes"}:
            print(f"not all bytes: {lanes}")
    return time.perf_counter() - started


def column_lane(batches: list[list[bytes]]) -> float:
    """Decode and normalise rows."""
    normalise = Normaliser("incidents", options=Options(load_id="1", root_key=True))
    started = time.perf_counter()
    for batch in batches:
        normalise.normalise(msgspec.json.decode(b"[" + b",".join(batch) + b"]"))
    return time.perf_counter() - started


def dlt_normalise(batches: list[list[bytes]]) -> float:
    """Run the normalise step of a pipeline over rows that it has extracted."""

    @dlt.resource(name="incidents")
    def rows() -> Iterator[list[object]]:
        for batch in batches:
            yield msgspec.json.decode(b"[" + b",".join(batch) + b"]", type=list[object])

    @dlt.source(root_key=True)
    def source() -> object:
        return rows

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "normalise",
            destination=dlt.destinations.duckdb(f"{folder}/bench.duckdb"),
            pipelines_dir=folder,
        )
        pipeline.extract(source(), loader_file_format="parquet")
        started = time.perf_counter()
        pipeline.normalize()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
