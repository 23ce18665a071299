"""Show how a load goes: a live table on a terminal, a line for each resource elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from dlt.common.runtime.collector_base import Collector
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from opsnest.events import PageRead, listening

__all__ = ["Progress"]


@dataclass(slots=True)
class Line:
    """What has come of one resource so far. The times are on the monotonic clock."""

    pages: int = 0
    rows: int = 0
    began: float = 0.0
    ended: float = 0.0

    def touch(self, began: float, ended: float) -> None:
        """Stretch the time from `began` to `ended`."""
        self.began = min(self.began or began, began)
        self.ended = max(self.ended, ended)

    @property
    def seconds(self) -> float:
        """How long reading has taken."""
        return self.ended - self.began


class Progress:
    """The progress of several loads, one after the other.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: dict[tuple[str, str], Line] = {}
        self._platform = ""
        self._phase = ""
        self._lock = threading.Lock()

    @contextmanager
    def showing(self) -> Generator[None]:
        """Show the live table until the block ends; away from a terminal, show nothing live."""
        with listening(self._page):
            if not self._console.is_terminal:
                yield
                return
            with Live(console=self._console, get_renderable=self._table, refresh_per_second=8):
                yield

    @contextmanager
    def platform(self, name: str) -> Generator[Collector]:
        """Count for one platform; give what this yields to a dlt pipeline as its `progress`."""
        self._platform, self._phase = name, "connecting"
        try:
            yield _Collector(self)
        finally:
            self._phase = ""
        if not self._console.is_terminal:
            self._print_lines(name)

    def rows(self, platform: str) -> dict[str, int]:
        """Return the rows read for each resource of a platform."""
        with self._lock:
            return {
                resource: line.rows
                for (name, resource), line in self._lines.items()
                if name == platform
            }

    def count(self, table: str, rows: int) -> None:
        """Add rows to the table of a resource."""
        now = time.monotonic()
        with self._lock:
            line = self._line(table)
            line.rows += rows
            line.touch(now, now)

    def enter(self, phase: str) -> None:
        """Go on to the next phase of the load: dlt's words for it."""
        self._phase = phase

    def _page(self, page: PageRead) -> None:
        if page.resource == "login":
            return
        with self._lock:
            line = self._line(page.resource.replace("-", "_"))
            line.pages += 1
            line.touch(page.at - page.seconds, page.at)

    def _line(self, resource: str) -> Line:
        return self._lines.setdefault((self._platform, resource), Line())

    def _table(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("platform")
        table.add_column("resource")
        for heading in ("rows", "pages", "seconds"):
            table.add_column(heading, justify="right")
        with self._lock:
            last = ""
            for (platform, resource), line in self._lines.items():
                table.add_row(
                    platform if platform != last else "",
                    resource,
                    f"{line.rows:,}",
                    f"{line.pages:,}",
                    f"{line.seconds:.1f}",
                )
                last = platform
        if not self._phase:
            return table
        return Group(table, Spinner("dots", f" {self._platform}: {self._phase}"))

    def _print_lines(self, platform: str) -> None:
        with self._lock:
            for (name, resource), line in self._lines.items():
                if name == platform:
                    self._console.print(
                        f"{platform} {resource}: {_many(line.rows, 'row')}, "
                        f"{_many(line.pages, 'page')}, {line.seconds:.1f} s",
                        highlight=False,
                        markup=False,
                        soft_wrap=True,
                    )


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


#: What dlt counts beside the rows of tables.
_NOT_TABLES = frozenset({"Resources"})


class _Collector(Collector):
    """What dlt reports to, for one platform."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._extracting = False

    def __deepcopy__(self, memo: object) -> _Collector:
        # dlt copies its collector for the normalise step; the terminal is one
        return self

    def update(  # the names are dlt's
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str | None = None,
    ) -> None:
        """Take note of what dlt counted."""
        nested = "__" in name  # rows within rows, which are counted already
        if self._extracting and not nested and name not in _NOT_TABLES and name[0] != "_":
            self._progress.count(name, inc)

    def _start(self, step: str) -> None:
        self._extracting = step.startswith("Extract")
        phase = step.partition(" ")[0].lower()
        self._progress.enter(
            {"extract": "reading", "normalize": "normalising", "load": "loading"}.get(phase, phase)
        )

    def _stop(self) -> None:
        self._extracting = False
