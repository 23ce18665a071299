"""Measure a load of Rootly incidents into DuckDB: dlt's own REST source, and ours.

Each contender is a process of its own, measured whole, imports included: wall time, CPU time and
peak memory. The simulator is another process. The contenders take turns, and the median of the
rounds counts. All ask for the same pages, one after the other, as Rootly's cursor allows. Ours also
drops secrets and merges on the key, where dlt appends.

    python benchmarks/rest_to_duckdb.py --incidents 5000 --rounds 3

Writes benchmarks/results/rest_to_duckdb.json and .md, and with --publish the table into the README.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- benchmark -->\n).*?(<!-- end of benchmark -->)", re.DOTALL)

_LOAD = """\
import sys
import dlt
{source}
pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.duckdb("bench.duckdb"), dataset_name="loaded",
    pipelines_dir="pipelines",
)
pipeline.run(source{options})
with pipeline.sql_client() as client:
    print(client.execute_sql("SELECT count(*) FROM incidents")[0][0])
"""

_DLT = """\
import os
from dlt.sources.rest_api import rest_api_source
prefix = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
source = rest_api_source({
    "client": {
        "base_url": os.environ[prefix + "BASE_URL"],
        "auth": {"type": "bearer", "token": os.environ[prefix + "TOKEN"]},
    },
    "resources": [{"name": "incidents", "endpoint": {
        "path": "incidents", "data_selector": "data",
        "params": {"page[size]": 100},
        "paginator": {"type": "cursor", "cursor_path": "meta.next_cursor",
                      "cursor_param": "page[after]"},
    }}],
})
"""

_OURS = """\
from opsnest.sources import rootly_incident_management_source
source = rootly_incident_management_source().with_resources("incidents")
"""

CONTENDERS = {
    "dlt rest_api": _LOAD.format(source=_DLT, options=""),
    "dlt rest_api, parquet": _LOAD.format(source=_DLT, options=', loader_file_format="parquet"'),
    "opsnest": _LOAD.format(source=_OURS, options=""),
}


@dataclass(frozen=True)
class Measure:
    """One load: seconds of wall and CPU time, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


@contextmanager
def simulator(incidents: int) -> Generator[dict[str, str]]:
    """Serve Rootly from a process of its own, and give the environment that points there."""
    command = [sys.executable, "-m", "opssim", "serve", "rootly", "--rate-limit", "1000000"]
    process = subprocess.Popen(
        [*command, "--incidents", str(incidents), "--alerts", "1", "--for", "3600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        settings: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(r"\s*export (\w+)='?([^'\n]*)'?", line):
                settings[found[1]] = found[2]
            if "Ctrl-C" in line:
                break
        yield settings
    finally:
        process.terminate()
        process.wait(10)


def measure(script: str, settings: dict[str, str], incidents: int) -> Measure:
    """Run one load in a process and an empty folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **settings,
                "RUNTIME__DLTHUB_TELEMETRY": "false",
                "RUNTIME__LOG_LEVEL": "CRITICAL",
            },
        )
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
    if process.returncode != 0 or int(printed.split()[-1]) != incidents:
        message = f"a load failed or lost rows: {printed!r}"
        raise RuntimeError(message)
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(measures: list[Measure]) -> Measure:
    """Return the median of each figure."""
    return Measure(
        *(
            statistics.median(getattr(each, name) for each in measures)
            for name in asdict(measures[0])
        )
    )


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="Measure a load of Rootly incidents into DuckDB.")
    parser.add_argument("--incidents", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--publish", action="store_true", help="write the table into the README")
    arguments = parser.parse_args()
    taken: dict[str, list[Measure]] = {name: [] for name in CONTENDERS}
    with simulator(arguments.incidents) as settings:
        for _ in range(arguments.rounds):
            for name, script in CONTENDERS.items():
                taken[name].append(measure(script, settings, arguments.incidents))
    result = {name: median(measures) for name, measures in taken.items()}
    machine = (
        f"{arguments.incidents:,} incidents, median of {arguments.rounds}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("dlt", "duckdb", "opsnest"))
    )
    rival = result["dlt rest_api"].wall
    lines = [
        f"{machine}\n",
        "| contender | wall | CPU | peak memory | times dlt's speed |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {each.wall:.1f} s | {each.cpu:.1f} s | {each.memory:.0f} MB "
        f"| {rival / each.wall:.2f} |"
        for name, each in result.items()
    ]
    table = "\n".join(lines) + "\n"
    print(table)
    if arguments.publish:
        README.write_text(_PLACE.sub(rf"\g<1>\n{table}\n\g<2>", README.read_text()))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rest_to_duckdb.md").write_text(table)
    (RESULTS / "rest_to_duckdb.json").write_text(
        json.dumps(
            {"machine": machine, "medians": {name: asdict(each) for name, each in result.items()}},
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
