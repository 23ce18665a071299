"""The documentation page of a source, written from its catalogue.

`python -m opsnest.catalogue.page docs/sources` writes those of all sources.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from opsnest.catalogue import CATALOGUES, STRATEGIES, Catalogue, Entry, how

__all__ = ["page", "write_pages"]


def page(catalogue: Catalogue) -> str:
    """Return the page of a source, in Markdown."""
    blocks = [
        f"# {catalogue.title}: `{catalogue.source}`",
        catalogue.about,
        _start(catalogue),
        "## Settings",
        _table(
            ("setting", "where", "meaning"),
            ((f"`{name}`", where, meaning) for name, where, meaning in catalogue.settings),
        ),
        *_lists(catalogue),
        *_strategies(catalogue),
        *_limits(catalogue),
        *_secrets(catalogue),
        "## When something goes wrong",
        _table(("what you see", "what to do"), catalogue.troubles),
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
    by_name = next((entry.name for entry in catalogue.entries if not entry.selected), None)
    name = catalogue.source.removesuffix("_source")
    lines = [
        "```python",
        "import dlt",
        f"from opsnest.sources import {catalogue.source}",
        "",
        "pipeline = dlt.pipeline(",
        f'    pipeline_name="{name}_pipeline",',
        '    destination="duckdb",',
        f'    dataset_name="{name}_data",',
        ")",
        f"print(pipeline.run({catalogue.source}()))",
        "```",
        "",
        "Or without writing Python:",
        "",
        "```console",
        f"$ opsnest load {catalogue.platform}    # the lists that are loaded by default",
    ]
    if by_name:
        lines.append(f"$ opsnest load {catalogue.platform} --resource {by_name}    # one by name")
        lines.append(f"$ opsnest plan {catalogue.platform}    # what that would cost, before")
    return "\n".join([*lines, "```"])


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
    yield _entries(usual)
    if others:
        yield "By name, with `with_resources` or `--resource`:"
        yield _entries(others)


def _entries(entries: Iterable[Entry]) -> str:
    return _table(
        ("list", "endpoint", "key", "how it is read", "notes"),
        (
            (
                f"`{entry.name}`",
                f"`{entry.method} {entry.path}`",
                ", ".join(f"`{column}`" for column in entry.key),
                how(entry),
                _notes(entry),
            )
            for entry in entries
        ),
    )


def _notes(entry: Entry) -> str:
    notes = [entry.note]
    if entry.optional:
        notes.append("Optional.")
    columns = [f"`{path.replace('.', '__')}`" for path in (*entry.json, *entry.json_text)]
    if columns:
        notes.append(f"JSON: {', '.join(columns)}.")
    return " ".join(note for note in notes if note)


def _strategies(catalogue: Catalogue) -> Iterator[str]:
    used = [
        (words, names) for each, words in STRATEGIES.items() if (names := _names(catalogue, each))
    ]
    if not used:
        return
    yield "## Only what changed"
    yield (
        "How far a list was read is a time that the platform itself wrote, kept in dlt's state. "
        "It moves only when the list was read to its end, and the last minutes before it are asked "
        "for again."
    )
    yield _table(("a list that", "names"), used)
    if any(entry.total for entry in catalogue.entries):
        yield (
            "After `opsnest load`, or `opsnest.loading.load`, the tables are compared with the "
            "numbers of rows that the platform tells. Where they differ, the list is read whole "
            "once; what differs still is reported."
        )


def _of_their_own(catalogue: Catalogue) -> list[Entry]:
    """Return the lists that are read by themselves, not for their parents."""
    if all(entry.selected for entry in catalogue.entries):
        return list(catalogue.entries)
    return [entry for entry in catalogue.entries if entry.parent is None]


def _names(catalogue: Catalogue, strategy: str) -> str:
    names = [each.name for each in _of_their_own(catalogue) if each.strategy == strategy]
    shown = [f"`{name}`" for name in names[:12]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _limits(catalogue: Catalogue) -> Iterator[str]:
    if catalogue.calls is None:
        return
    most, seconds = catalogue.calls
    yield "## Limits"
    yield (
        f"A key has {most:,} calls in {seconds:.0f} seconds. All lists that are read at once share "
        "them: when few are left, they are spread over the time until there are more."
    )


def _secrets(catalogue: Catalogue) -> Iterator[str]:
    paths = sorted({path for entry in catalogue.entries for path in entry.secrets})
    if not paths:
        return
    yield "## Left out as secret"
    yield ", ".join(f"`{path}`" for path in paths) + "."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
