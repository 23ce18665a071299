"""Fuzz one target with atheris: `python -m fuzz.run TARGET [options of libFuzzer]`.

What is found is written to `fuzz/found`, and the process ends with a status other than 0.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
#: Its modules are looked into: which of their lines an input reaches is what guides the fuzzer.
OURS = ["restarrow", "opsnest", "roost"]
#: Seconds and megabytes that one input may take.
LIMITS = ("-timeout=20", "-rss_limit_mb=4096", "-max_len=4096")


def targets() -> list[str]:
    """Return the names of all targets."""
    found = (FOLDER / "targets").glob("[!_]*.py")
    return sorted(path.stem for path in found)


def main(arguments: list[str]) -> None:
    """Fuzz until the time is over, or something is found."""
    name, *options = arguments
    if name not in targets():
        sys.exit(f"there is no target {name}: {', '.join(targets())}")
    atheris: Any = import_module("atheris")  # it has no types
    with atheris.instrument_imports(include=OURS):
        target = import_module(f"fuzz.targets.{name}")
    corpus = FOLDER / "corpus" / name
    more, found = FOLDER / "grown" / name, FOLDER / "found"
    for folder in (corpus, more, found):
        folder.mkdir(parents=True, exist_ok=True)
    # inputs that reach something new go into the first folder, which git does not keep
    folders = [str(more), str(corpus)] if not any(each[0] != "-" for each in options) else []
    given = [f"-artifact_prefix={found}/{name}-", *LIMITS, *options, *folders]
    atheris.Setup([sys.argv[0], *given], target.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
