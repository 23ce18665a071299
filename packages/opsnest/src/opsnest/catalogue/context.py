"""What a code assistant needs to write a pipeline for a platform, written from its catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from opsnest.catalogue import Catalogue, Entry, how
from opsnest.catalogue.parts import (
    commands,
    example,
    limits,
    settings_table,
    strategies,
    table,
    troubles_table,
)

__all__ = ["context"]

#: What each destination is called, and what its extra is.
_DESTINATIONS: Final = (
    ("DuckDB", "duckdb", "opsnest"),
    ("PostgreSQL", "postgres", "opsnest[postgres]"),
    ("BigQuery", "bigquery", "opsnest[bigquery]"),
    ("Snowflake", "snowflake", "opsnest[snowflake]"),
    ("Redshift", "redshift", "opsnest[redshift]"),
    ("Databricks", "databricks", "opsnest[databricks]"),
    ("files: local, S3, GCS, Azure", "filesystem", "opsnest[s3], opsnest[gcs], opsnest[azure]"),
)

_WHERE_TO: Final = (
    "Only `destination=` changes, or `--to`; credentials go under `[destination.NAME.credentials]` "
    "in .dlt/secrets.toml."
)

_CODES: Final = (
    "A command ends with 0 for success, 3 for a missing setting, 4 for refused credentials, 5 if "
    "the platform cannot be reached, 6 if it fails, 7 if the database does. Messages name what to "
    "do. An interrupted load goes on where it ended: run it again."
)

_PAGING: Final = {
    "cursor": "each page names the next",
    "number": "pages by number",
    "offset": "pages by offset",
    "keyset": "from the last row on",
    "none": "one answer",
}


def context(catalogue: Catalogue) -> str:
    """Return all that it takes to write a pipeline for a platform, in Markdown."""
    name = catalogue.source.removesuffix("_source")
    blocks = [
        f"# {catalogue.title}, with Opsnest and dlt",
        re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", catalogue.about)
        + " Paging, limits, retries, and what changed since the last load are taken care of by "
        f"the source: use `opsnest.sources.{catalogue.source}`, do not write requests.",
        table(
            ("what", "name"),
            (
                ("platform, on the command line", f"`{catalogue.platform}`"),
                ("source", f"`opsnest.sources.{catalogue.source}`"),
                ("pipeline", f"`{name}_pipeline`"),
                ("dataset", f"`{name}_data`"),
                ("DuckDB file, unless another is named", f"`{name}_pipeline.duckdb`"),
            ),
        ),
        *_credentials(catalogue),
        "## A pipeline that runs",
        example(catalogue),
        "For some lists only, by their names in the table of lists below:",
        _chosen(catalogue),
        "The same, and more, without writing Python:",
        _commands(catalogue),
        *_lists(catalogue),
        *strategies(catalogue),
        *(limits(catalogue) if catalogue.calls else _unknown_limits()),
        *_deleted(catalogue),
        *_secrets(catalogue),
        *_tables(catalogue, name),
        "## Destinations",
        _WHERE_TO,
        table(
            ("destination", "name", "install"),
            ((title, f"`{to}`", f"`{extra}`") for title, to, extra in _DESTINATIONS),
        ),
        "## When something goes wrong",
        troubles_table(catalogue),
        _CODES,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _credentials(catalogue: Catalogue) -> Iterator[str]:
    yield "## Credentials"
    yield (
        "Values belong into `.dlt/secrets.toml` (and `.dlt/config.toml` for what is no secret), or "
        "into the environment. **Never open, print, search or copy `.dlt/secrets.toml`, and never "
        "write a value into code.** Ask the person to fill in what is missing: a load names it, "
        "without showing what is there."
    )
    section = f"[sources.{catalogue.source}]"
    lines = ["```toml", section]
    lines += [f'{name} = "..."  # {meaning}' for name, meaning in _settings(catalogue, "secrets")]
    yield "\n".join([*lines, "```"])
    names = [name for name, _ in _settings(catalogue, "secrets", "config")]
    variables = ", ".join(f"`SOURCES__{catalogue.source}__{name}`".upper() for name in names)
    yield f"In the environment: {variables}."
    yield "All settings; an argument is given to the source in Python:"
    yield settings_table(catalogue)


def _settings(catalogue: Catalogue, *where: str) -> list[tuple[str, str]]:
    return [(name, meaning) for name, place, meaning in catalogue.settings if place in where]


def _chosen(catalogue: Catalogue) -> str:
    names = [entry.name for entry in catalogue.entries if entry.selected][:2]
    quoted = ", ".join(f'"{name}"' for name in names)
    return (
        "```python\n"
        "import dlt\n"
        "from opsnest.loading import load\n"
        f"from opsnest.sources import {catalogue.source}\n"
        "\n"
        'pipeline = dlt.pipeline("some_lists", destination="duckdb", dataset_name="some_data")\n'
        "# finishes what an earlier run left, marks deleted rows, and compares numbers of rows\n"
        f"print(load(pipeline, {catalogue.source}().with_resources({quoted})))\n"
        f'print(pipeline.dataset()["{names[0]}"].df().head())\n'
        "```"
    )


def _commands(catalogue: Catalogue) -> str:
    platform = catalogue.platform
    return "\n".join(
        [
            "```console",
            *commands(catalogue),
            f"$ opsnest sources {platform}    # the lists, as a table",
            f"$ opsnest load {platform} --to postgres    # into another destination",
            "$ opsnest status    # last runs, freshness and failures",
            f"$ opssim serve {platform}    # a simulator, for trying without an account",
            "```",
        ]
    )


def _lists(catalogue: Catalogue) -> Iterator[str]:
    yield "## Lists"
    yield (
        "Each is a resource of the source and a table of the same name, merged on its key "
        "(snapshots are replaced). `yes`: loaded unless others are chosen."
    )
    yield table(
        ("list", "default", "endpoint", "key", "strategy", "how it is read", "paging", "notes"),
        (
            (
                f"`{entry.name}`",
                "yes" if entry.selected else "",
                f"`{entry.method} {entry.path}`",
                ", ".join(f"`{column}`" for column in entry.key),
                entry.strategy,
                how(entry),
                _paging(entry),
                entry.note + (" Left out where the key may not read it." * entry.optional),
            )
            for entry in catalogue.entries
        ),
    )


def _paging(entry: Entry) -> str:
    if entry.within or entry.include or entry.paging == "none":
        return _PAGING["none"] if not (entry.within or entry.include) else "with its parent"
    return f"{_PAGING[entry.paging]}, {entry.page_size:,} at once"


def _unknown_limits() -> Iterator[str]:
    yield "## Limits"
    yield (
        "No number of calls is documented for all lists. An answer of 429 is waited out, as long "
        "as it says; so are failures of the server, a few times."
    )


def _deleted(catalogue: Catalogue) -> Iterator[str]:
    yield "## Deleted rows"
    if catalogue.marks:
        yield (
            "Rows that the platform has no more stay in the table; `deleted_at` has the time at "
            "which that was found, and is null in all others. Write `WHERE deleted_at IS NULL` for "
            "what there is now. Loads through `opsnest load` or `opsnest.loading.load` set it."
        )
    else:
        yield (
            "Rows that are gone stay as they were loaded last; where the platform itself marks "
            "them, a column says so."
        )


def _secrets(catalogue: Catalogue) -> Iterator[str]:
    yield "## Secrets in rows"
    yield (
        "Tokens, keys and passwords of known shapes that people pasted into texts are replaced "
        'with `[removed: ...]` before they are stored, with a warning (`secrets_in_rows="mask"`).'
    )
    paths = sorted({path for entry in catalogue.entries for path in entry.secrets})
    if paths:
        yield f"Never loaded: {', '.join(f'`{path}`' for path in paths)}."


def _tables(catalogue: Catalogue, name: str) -> Iterator[str]:
    first = next(entry.name for entry in catalogue.entries if entry.selected)
    yield "## Tables and nested tables"
    yield (
        f"In SQL, a list is `{name}_data.{first}`. Names are in snake_case; members of objects are "
        "columns joined by two underscores (`a.b` is `a__b`). A list within a row is a table of "
        f"its own, `{first}__NAME`: its `_dlt_parent_id` is the `_dlt_id` of the row that it "
        "belongs to, `_dlt_list_idx` the place in the list, and `_dlt_root_id` the `_dlt_id` of "
        "the outermost row. `_dlt_load_id` tells the load, whose time is in `_dlt_loads`. Times "
        "are in UTC."
    )
    columns = sorted(
        {
            f"`{entry.name}.{path.replace('.', '__')}`"
            for entry in catalogue.entries
            for path in (*entry.json, *entry.json_text)
        }
    )
    if columns:
        shown = ", ".join(columns[:12])
        more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
        yield f"Kept as JSON in one column, by their names in the API: {shown}{more}."
