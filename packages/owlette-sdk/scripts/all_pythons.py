"""Test the built wheel on every Python that the package supports and this machine has.

    make test-sdk

For each, an empty environment gets the wheel and nothing else first, to see what it pulls in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "packages" / "owlette-sdk"
SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")
#: What httpx needs, as of 0.28; exceptiongroup and typing-extensions on older Pythons only.
EXPECTED = {"owlette-sdk", "httpx", "httpcore", "h11", "anyio", "certifi", "idna"}
OLDER = {"exceptiongroup", "typing-extensions", "sniffio"}
#: What the tests need, ruff to compare what is generated; pinned for all these Pythons.
TOOLS = PACKAGE / "scripts" / "pythons.txt"


def run(*command: str | Path, folder: Path = ROOT, **options: str) -> str:
    """Run a command, and return what it prints.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is shown.
    """
    environment = {**os.environ, **options}
    done = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, check=False, cwd=folder, env=environment
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout


def uv(*arguments: str | Path) -> str:
    """Run uv, that of the environment this runs in."""
    return run(Path(sys.executable).with_name("uv"), *arguments)


def find(version: str) -> str | None:
    """Return an interpreter of a version that is here and works: on the path, or pyenv's."""
    name = f"python{version}"
    folders = [Path(each) for each in os.get_exec_path()]
    folders += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin"))
    code = "import ssl, sys, venv; print('%d.%d' % sys.version_info[:2])"
    for python in (folder / name for folder in folders if (folder / name).exists()):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return str(python)
    return None


def check_types(python: Path) -> None:
    """See to it that pyright knows the type of all that is public.

    Raises:
        subprocess.CalledProcessError: of something it does not.
    """
    folders = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    pyright = Path(sys.executable).with_name("pyright")
    options = ("--pythonpath", python, "--verifytypes", "roost", "--ignoreexternal")
    environment = {"PATH": folders, "VIRTUAL_ENV": str(python.parents[1])}
    # away from the sources, which pyright would find first
    run(pyright, *options, folder=python.parents[1], **environment)


def test(python: str, wheel: Path, folder: Path) -> str:
    """Test the wheel with an interpreter, and return the last line of the tests.

    Raises:
        SystemExit: it pulls in more than it may.
        subprocess.CalledProcessError: a test failed.
    """
    uv("venv", "--quiet", "--python", python, folder)
    own = folder / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", own, "--constraint", TOOLS, wheel)
    listed = uv("pip", "list", "--quiet", "--python", own, "--format", "freeze").splitlines()
    installed = {line.partition("==")[0].partition(" @")[0] for line in listed}
    if not EXPECTED <= installed <= EXPECTED | OLDER:
        sys.exit(f"the wheel pulls in {sorted(installed)}, not {sorted(EXPECTED)}")
    run(own, "-W", "error", "-c", "import roost; roost.Roost(token='owk_test_x')")
    check_types(own)
    uv("pip", "install", "--quiet", "--python", own, "--requirements", TOOLS)
    parallel = ("--numprocesses", "auto")
    said = run(
        own, "-m", "pytest", "--quiet", *parallel, PACKAGE / "tests", PYTHONDONTWRITEBYTECODE="1"
    )
    return said.strip().splitlines()[-1]


def main() -> int:
    """Test on all; return 1 if there is no Python at all."""
    found = {version: find(version) for version in SUPPORTED}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        constraints = ("--build-constraint", ROOT / "constraints.txt")
        uv("build", "--quiet", "--wheel", *constraints, "--out-dir", folder, PACKAGE)
        (wheel,) = folder.glob("*.whl")
        for version, python in found.items():
            if python is None:
                print(f"Python {version}: not found, not tested", flush=True)
                continue
            environment = folder / version
            print(f"Python {version}: {test(python, wheel, environment)}", flush=True)
            shutil.rmtree(environment)
    return int(not any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
