"""The documentation page of a source, written from its catalogue.

`python -m opsnest.catalogue.page docs/sources` writes those of all sources.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from opsnest.catalogue import CATALOGUES, Catalogue
from opsnest.catalogue.parts import (
    commands,
    entries_table,
    example,
    limits,
    settings_table,
    strategies,
    troubles_table,
)

__all__ = ["page", "write_pages"]


def page(catalogue: Catalogue) -> str:
    """Return the page of a source, in Markdown."""
    blocks = [
        f"# {catalogue.title}: `{catalogue.source}`",
        catalogue.about,
        _start(catalogue),
        "## Settings",
        settings_table(catalogue),
        *_lists(catalogue),
        *strategies(catalogue),
        *limits(catalogue),
        *_secrets(catalogue),
        "## When something goes wrong",
        troubles_table(catalogue),
        "All messages and exit codes: [errors](../errors.md).",
        "<!-- Written by `make pages` from the catalogue in packages/opsnest: change that. -->",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_pages(folder: Path) -> None:
    """Write the pages of all sources into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for platform, catalogue in CATALOGUES.items():
        (folder / f"{platform}.md").write_text(page(catalogue))


def _start(catalogue: Catalogue) -> str:
    lines = [
        example(catalogue),
        "",
        "Or without writing Python:",
        "",
        "```console",
        *commands(catalogue),
        "```",
    ]
    return "\n".join(lines)


def _lists(catalogue: Catalogue) -> Iterator[str]:
    usual = [entry for entry in catalogue.entries if entry.selected]
    others = [entry for entry in catalogue.entries if not entry.selected]
    yield "## What is loaded"
    yield (
        "Each list is a table of its name, merged on its key. Rows that the platform has no more "
        "stay, with the time at which that was found in `deleted_at`."
        if catalogue.marks
        else "Each list is a table of its name, merged on its key."
    )
    if any(entry.optional for entry in usual):
        yield "Optional lists are left out, with a warning, where the key may not read them."
    if others:
        yield "By default:"
    yield entries_table(usual)
    if others:
        yield "By name, with `with_resources` or `--resource`:"
        yield entries_table(others)


def _secrets(catalogue: Catalogue) -> Iterator[str]:
    paths = sorted({path for entry in catalogue.entries for path in entry.secrets})
    if not paths:
        return
    yield "## Left out as secret"
    yield ", ".join(f"`{path}`" for path in paths) + "."


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
