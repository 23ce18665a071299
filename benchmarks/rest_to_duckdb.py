"""Measure loads of Rootly incidents into DuckDB: dlt's own REST source, restarrow's, and opsnest.

Each load is a process of its own, measured whole, imports included: wall time, CPU time and peak
memory. The simulator is another process. The contenders take turns, and the median of the rounds
counts. What was loaded is counted afterwards: the incidents, and the rows of their nested tables.

    python benchmarks/rest_to_duckdb.py --scenario small 50k --rounds 1

Writes benchmarks/results/rest_to_duckdb.json, where a scenario stays until it is measured anew;
`publish.py` makes tables of it, and with --publish puts them into README.md and docs/benchmarks.md.
With --incidents or --without it is a quick look, which has files of its own and is not published.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
_SETTINGS = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"
_NO_LIMIT = "1000000000"


@dataclass(frozen=True)
class Scenario:
    """What is loaded: so many incidents, from a server whose answers are so many seconds late."""

    incidents: int
    latency: float = 0.0

    @property
    def title(self) -> str:
        """What a table of it is called."""
        late = f", every answer {self.latency * 1000:.0f} ms late" if self.latency else ""
        return f"{self.incidents:,} incidents{late}"


SCENARIOS = {
    "small": Scenario(100),
    "50k": Scenario(50_000),
    "50k-latency": Scenario(50_000, latency=0.1),
    "200k": Scenario(200_000),
}


@dataclass(frozen=True)
class Measure:
    """One load: seconds of wall and CPU time, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Measured:
    """All loads of a scenario, by contender, and the machine and versions that they ran on."""

    title: str
    machine: str
    loads: Mapping[str, list[Measure]]


class WrongLoadError(Exception):
    """A load that failed, or whose tables are not what they have to be."""


def contenders() -> dict[str, str]:
    """Return the script of each contender, as `publish.py` knows them by name."""
    script = (HERE / "loads" / "rest_api.py").read_text()
    ours = _exchanged(script, "from dlt.sources.rest_api import", "from restarrow.dlt import")
    return {
        "dlt": script,
        "dlt with parquet": _exchanged(
            script, "run(source)", 'run(source, loader_file_format="parquet")'
        ),
        "restarrow.dlt": ours,
        "restarrow.dlt, bounded": _configured(ours, HERE / "loads" / "bounded.toml"),
        "opsnest": (HERE / "loads" / "opsnest_source.py").read_text(),
    }


def _exchanged(script: str, old: str, new: str) -> str:
    """Exchange what a script contains exactly once: anything else would measure the wrong thing."""
    before, after = script.split(old)
    return f"{before}{new}{after}"


def _configured(script: str, settings: Path) -> str:
    """Let a script begin with writing dlt's file of settings, in the folder where it runs."""
    return (
        "from pathlib import Path\n"
        "Path('.dlt').mkdir()\n"
        f"Path('.dlt/secrets.toml').write_text({settings.read_text()!r})\n"
        f"{script}"
    )


@contextmanager
def simulator(scenario: Scenario) -> Generator[dict[str, str]]:
    """Serve Rootly from a process of its own, and give the environment that points there."""
    command = [sys.executable, "-m", "opssim", "serve", "rootly", "--alerts", "1"]
    command += ["--incidents", str(scenario.incidents), "--latency", str(scenario.latency)]
    command += ["--rate-limit", _NO_LIMIT, "--offset-limit", _NO_LIMIT, "--for", "21600"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        settings: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(r"\s*export (\w+)='?([^'\n]*)'?", line):
                settings[found[1]] = found[2]
            if "Ctrl-C" in line:
                break
        _warm_up(settings)
        yield settings
    finally:
        process.terminate()
        process.wait(10)


def _warm_up(settings: Mapping[str, str]) -> None:
    """Let the server sort its rows as the contenders ask for them, at nobody's expense."""
    of_opsnest = "&sort=updated_at&filter[updated_at][gte]=2000-01-01"
    for query in ("", of_opsnest):
        request = urllib.request.Request(
            f"{settings[f'{_SETTINGS}BASE_URL']}/incidents?page[size]=1{query}",
            headers={"Authorization": f"Bearer {settings[f'{_SETTINGS}TOKEN']}"},
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()


def measure(script: str, settings: Mapping[str, str]) -> tuple[Measure, dict[str, int]]:
    """Run one load in a process and an empty folder of its own; return what it took and made.

    Raises:
        WrongLoadError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        taken = measure_process(script, settings, folder)
        # not in this process: Linux takes its peak memory for that of the loads it starts, too
        counted = subprocess.check_output([sys.executable, HERE / "loads/count.py"], cwd=folder)
    rows: dict[str, int] = json.loads(counted)
    return taken, rows


def measure_process(script: str, settings: Mapping[str, str], folder: str) -> Measure:
    """Run one load in a process of its own, in an empty folder; return what it took.

    Raises:
        WrongLoadError: it failed.
    """
    environment = {
        **os.environ,
        **settings,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "DLT_DATA_DIR": folder,  # no settings of whoever runs this
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", script], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        message = f"the load ended with {process.returncode}"
        raise WrongLoadError(message)
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compile_packages() -> None:
    """Compile all packages, as an installation by pip leaves them.

    Where nobody may write bytecode, each load would compile what it imports, which is not what is
    to be measured.
    """
    folders = {
        sysconfig.get_path("purelib"),
        *(str(path) for path in HERE.parent.glob("packages/*/src")),
    }
    command = [sys.executable, "-m", "compileall", "-q", "-j0", *sorted(folders)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # some files are no Python 3


def check(rows: Mapping[str, int], expected: Mapping[str, int], incidents: int) -> None:
    """See to it that nothing is missing, nor anything too many.

    Raises:
        WrongLoadError: the tables, or the numbers of their rows, are not those expected.
    """
    if rows.get("incidents") != incidents:
        message = f"{rows.get('incidents')} incidents were loaded instead of {incidents}"
        raise WrongLoadError(message)
    wrong = [
        f"{table} has {rows.get(table)} rows instead of {expected.get(table)}"
        for table in sorted(rows.keys() | expected.keys())
        if rows.get(table) != expected.get(table)
    ]
    if wrong:
        raise WrongLoadError("; ".join(wrong))


def run(scenario: Scenario, scripts: Mapping[str, str], rounds: int) -> Measured:
    """Measure a scenario; the first contender's tables are what the others' have to be.

    Raises:
        WrongLoadError: a load failed, or did not load the same.
    """
    measured = Measured(scenario.title, machine(), {name: [] for name in scripts})
    expected: dict[str, int] = {}
    with simulator(scenario) as settings:
        for turn in range(1, rounds + 1):
            for name, script in scripts.items():
                try:
                    taken, rows = measure(script, settings)
                    expected = expected or rows
                    check(rows, expected, scenario.incidents)
                except WrongLoadError as error:
                    message = f"{scenario.title}, {name}: {error}"
                    raise WrongLoadError(message) from error
                measured.loads[name].append(taken)
                print(f"{scenario.title}, round {turn}, {name}: {taken.wall:.1f} s", flush=True)
    return measured


def machine() -> str:
    """Describe the machine, and what runs on it."""
    packages = ("dlt", "duckdb", "pyarrow", "httpx", "restarrow", "opsnest")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {_processor()}, {platform.system()}, {python}, {versions}"


def _processor() -> str:
    """Return the name of the processor, where the system tells it."""
    told = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", told.read_text()) if told.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def keep(file: Path, name: str, measured: Measured) -> None:
    """Put a scenario into a file of results, beside what others have left there."""
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    kept[name] = asdict(measured)
    in_order = {name: kept[name] for name in SCENARIOS if name in kept}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(in_order, indent=2) + "\n")


def main() -> int:
    """Measure and write; return 1 if a load was not what it has to be."""
    options = _options()
    quick = bool(options.without or options.incidents)
    file = RESULTS / ("quick_look.json" if quick else "rest_to_duckdb.json")
    if quick:
        file.unlink(missing_ok=True)
    scripts = {name: script for name, script in contenders().items() if name not in options.without}
    compile_packages()
    failed = False
    for name in options.scenario:
        scenario = SCENARIOS[name]
        if options.incidents:
            scenario = Scenario(options.incidents, scenario.latency)
        try:
            keep(file, name, run(scenario, scripts, options.rounds))
        except WrongLoadError as error:
            print(f"error: {error}", file=sys.stderr)
            failed = True
    if file.exists():
        pages = ["--pages"] if options.publish and not failed else []
        subprocess.run([sys.executable, HERE / "publish.py", file, *pages], check=True)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure loads of Rootly incidents into DuckDB.")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=[*SCENARIOS])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--publish", action="store_true", help="put the tables into README.md and docs"
    )
    quick = parser.add_argument_group("for a quick look, which is not published")
    quick.add_argument("--incidents", type=int, help="load so many, whatever the scenario")
    quick.add_argument("--without", nargs="+", choices=contenders(), default=[])
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.publish and (options.without or options.incidents):
        parser.error("--publish: a quick look is not published")
    return options


if __name__ == "__main__":
    sys.exit(main())
