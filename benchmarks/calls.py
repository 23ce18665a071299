"""Count the calls of a full load, and of an hourly one when one row in a hundred has changed.

    python benchmarks/calls.py

Rootly's default lists, from a simulated organisation. Calls are counted by the simulator.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import dlt

from opsnest.catalogue.rootly import ROOTLY
from opsnest.loading import load
from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, serve

#: One row in so many changes between the loads.
ONE_IN = 100


def main() -> None:
    """Load twice and tell the calls."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--alert-events", type=int, default=60_000)
    sizes = parser.parse_args()
    simulator = RootlySimulator(
        incidents=sizes.incidents,
        alerts=sizes.alerts,
        alert_events=sizes.alert_events,
        users=400,
        services=300,
    )
    usual = [entry for entry in ROOTLY.entries if entry.selected]
    with serve(simulator) as rootly, tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "calls",
            destination=dlt.destinations.duckdb(str(Path(folder) / "calls.duckdb")),
            dataset_name="rootly",
            pipelines_dir=folder,
        )
        pipeline.config.restore_from_destination = False

        def calls() -> Counter[str]:
            simulator.requests.clear()
            source = rootly_incident_management_source(simulator.token, f"{rootly.url}/v1")
            outcome = load(pipeline, source)
            for difference in outcome.differences:
                print(f"not equal: {difference}")
            return Counter(
                seen.path.removeprefix("/v1/").partition("/")[0]
                for seen in simulator.requests.all()
            )

        full = calls()
        simulator.clock.skip(timedelta(hours=1))
        for entry in usual:
            table = simulator.tables[entry.path.replace("-", "_")]
            some = math.ceil(len(table) / ONE_IN)
            # feeds never change: what is new in them was added
            change = simulator.insert if entry.strategy == "appended" else simulator.touch
            change(entry.path.replace("-", "_"), some)
        hourly = calls()
    print(f"{'list':24}{'full':>8}{'hourly':>8}")
    for name in sorted(full, key=lambda name: -full[name]):
        print(f"{name:24}{full[name]:>8,}{hourly[name]:>8,}")
    whole, part = full.total(), hourly.total()
    print(f"{'all':24}{whole:>8,}{part:>8,}  {part / whole:.1%}")


if __name__ == "__main__":
    main()
