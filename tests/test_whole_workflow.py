"""The whole workflow of the SDK as a user runs it: `opssim serve owlette`, then the script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "owlette" / "whole_workflow.py"


@contextmanager
def sandbox() -> Generator[tuple[dict[str, str], str]]:
    """Serve an Owlette as the command does; give what it says to export, and its folder."""
    command = [sys.executable, "-m", "opssim", "serve", "owlette", "--for", "120"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        settings: dict[str, str] = {}
        folder = ""
        for line in process.stdout:
            if found := re.match(r"\s*export (\w+)=(\S+)", line):
                settings[found[1]] = found[2]
            if "a folder to push: " in line:
                folder = line.partition("a folder to push: ")[2].strip()
            if "Ctrl-C" in line:
                break
        yield settings, folder
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_from_serve_to_rollback_in_less_than_a_minute() -> None:
    began = time.monotonic()
    with sandbox() as (settings, folder):
        said = subprocess.run(
            [sys.executable, str(EXAMPLE), folder],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        took = time.monotonic() - began
    assert said.returncode == 0, said.stderr
    # webhooks are told of by a thread of their own, in the middle of a line, maybe
    for words in (
        "key of owner@example.com, role superadmin",
        "published version 1: 5 of 5 chunks were new",
        "complete: m-01 committed, m-02 committed, m-03 committed",
        "published version 2: 1 of 5 chunks were new",
        "failed (33.3% > 25% threshold)",
        "back to version 1",
        "webhook: version.published",
        "webhook: deployment.completed",
        "webhook: deployment.failed",
        "webhook: version.rolled_back",
    ):
        assert words in said.stdout
    assert settings["OWLETTE_TOKEN"] not in said.stdout + said.stderr
    assert took < 60


def test_the_command_of_the_sdk_pushes_the_folder_that_it_is_told() -> None:
    with sandbox() as (settings, folder):
        environment = {**os.environ, **settings}
        command = [sys.executable, "-m", "roost", "push", folder, "rst_lobby_wall"]
        said = subprocess.run(
            [*command, "--site", "site-1"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert said.returncode == 0, said.stderr
    assert "version 3" in said.stdout  # the sample has two versions
