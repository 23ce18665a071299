"""A real browser without a network, the demo to look at, and programs that serve it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect, sync_playwright
from rich.console import Console

from opsnest.demo import run_demo

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Seconds for what a page is to show, on a machine that does other things too.
PATIENCE = 60.0
#: How often a button is pressed within that time.
PRESSES = 4

Start = Callable[..., str]

expect.set_options(timeout=PATIENCE * 1000)


@dataclass
class Browser:
    """A browser that reaches this machine alone, and remembers what else was asked for."""

    context: BrowserContext
    screenshots: Path
    refused: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        return page

    def shoot(self, page: Page, name: str) -> None:
        """Keep a picture of the page, for a person to look at."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=self.screenshots / f"{name}.png")

    def press(self, page: Page, button: str, shown: Locator) -> None:
        """Press a button until what it shows is there: a page that is redrawn loses clicks."""
        for _ in range(PRESSES):
            page.get_by_role("button", name=button).click()
            with suppress(AssertionError):
                expect(shown).to_be_visible(timeout=PATIENCE / PRESSES * 1000)
                return
        expect(shown).to_be_visible()

    def guard(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.scheme in {"data", "blob"} or url.hostname in LOOPBACK:
            route.continue_()
        else:
            self.refused.append(route.request.url)
            route.abort()


@pytest.fixture
def browser(tmp_path: Path) -> Generator[Browser]:
    """Start Chromium with nothing in it. That it is missing is a failure: nothing is skipped."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: scripts/install_chromium.sh installs it"
    screenshots = Path(os.environ.get("OPSNEST_SCREENSHOTS") or tmp_path / "screenshots")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "chromium",
            executable_path=CHROMIUM,
            headless=True,
            viewport={"width": 1280, "height": 2400},  # what scrolls is not in a picture
            timezone_id="UTC",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                # what the route below does not see, such as web sockets, finds no host
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ],
        )
        made = Browser(context, screenshots)
        context.route("**/*", made.guard)
        try:
            yield made
        finally:
            context.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load the demo once, and return its folder."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.chdir(folder)
        run_demo(Console(file=StringIO()), database=Path("opsnest_demo.duckdb"), incidents=400)
    return folder


@contextmanager
def serving(command: Sequence[str], folder: Path, *, patience: float = 20) -> Generator[str]:
    """Run a program that says at which URL it serves; interrupt it in the end."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    break
            else:
                pytest.fail(f"{command} ended: {lines}")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def show(demo: Path) -> Generator[Start]:
    """Run `opsnest show` on the demo, and return its URL."""
    with ExitStack() as stack:

        def start(*arguments: str) -> str:
            command = [str(BIN / "opsnest"), "show", *arguments, "--demo", "--no-browser"]
            return stack.enter_context(serving(command, demo))

        yield start
