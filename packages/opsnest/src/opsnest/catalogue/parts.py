"""Parts of what is written from a catalogue: pages for people, context for assistants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsnest.catalogue import STRATEGIES, Catalogue, Entry, how

__all__ = [
    "commands",
    "entries_table",
    "example",
    "limits",
    "settings_table",
    "strategies",
    "table",
    "troubles_table",
]


def example(catalogue: Catalogue) -> str:
    """Return a Python program that loads the platform, in a block of code."""
    name = catalogue.source.removesuffix("_source")
    return "\n".join(
        [
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
        ]
    )


def commands(catalogue: Catalogue) -> list[str]:
    """Return the commands that load the platform, with what they do."""
    platform = catalogue.platform
    found = [f"$ opsnest load {platform}    # the lists that are loaded by default"]
    by_name = next((entry.name for entry in catalogue.entries if not entry.selected), None)
    if by_name:
        found.append(f"$ opsnest load {platform} --resource {by_name}    # one by name")
        found.append(f"$ opsnest plan {platform}    # what that would cost, before")
    return found


def settings_table(catalogue: Catalogue) -> str:
    """Return the source's settings."""
    return table(
        ("setting", "where", "meaning"),
        ((f"`{name}`", where, meaning) for name, where, meaning in catalogue.settings),
    )


def entries_table(entries: Iterable[Entry]) -> str:
    """Return lists with their endpoints, keys and ways of being read."""
    return table(
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


def strategies(catalogue: Catalogue) -> Iterator[str]:
    """Yield what is said of asking only for what changed, in blocks."""
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
    yield table(("a list that", "names"), used)
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


def limits(catalogue: Catalogue) -> Iterator[str]:
    """Yield what is said of the limit of calls, in blocks; nothing where none is known."""
    if catalogue.calls is None:
        return
    most, seconds = catalogue.calls
    yield "## Limits"
    yield (
        f"A key has {most:,} calls in {seconds:.0f} seconds. All lists that are read at once share "
        "them: when few are left, they are spread over the time until there are more."
    )


def troubles_table(catalogue: Catalogue) -> str:
    """Return what goes wrong at times."""
    return table(("what you see", "what to do"), catalogue.troubles)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
