"""Roost.ai: tests, test plans and the events that ran them, from https://app.roost.ai/api.

What is read, and how, is in `opsnest.catalogue.roost_ai`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dlt

from opsnest.catalogue import Catalogue
from opsnest.catalogue.roost_ai import ROOST_AI, SOURCE
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.reading import Api, Lists
from opsnest.sources.roost_dialect import RoostDialect
from opsnest.sources.roost_rows import cleaner_of

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["ROOST_API", "roost_source"]

#: The public service; others have the same paths.
ROOST_API = "https://app.roost.ai/api"

ADVICE: Mapping[int, str] = {
    401: f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml; "
    "Roost.ai's tokens expire: make a new one in the account's settings.",
    403: "The token may not read this: check the role of its user.",
}


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def roost_source(
    token: str = dlt.secrets.value,
    base_url: str = ROOST_API,
    test_ids: Sequence[str] = (),
    trigger_ids: Sequence[str] = (),
    report_file_choice: str = "test",
    whole_events_after: float = 1.0,
    secrets_in_rows: str = "mask",
) -> Iterator[DltResource]:
    """Load Roost.ai's tests, test plans and events.

    `tests`, `test_plans` and `events` are loaded by default, merged on `id`. `event_methods` has a
    row for each method in the reports of events: choose it with `with_resources`. `test`,
    `event_logs`, `execution_report` and `execution_status` cost a call for each test, event or
    file: choose them likewise, and they are fetched for what changed; or give ids.

    Args:
        token: a personal API token.
        base_url: where the API is.
        test_ids: fetch `test` for these only.
        trigger_ids: fetch what belongs to an event for these only.
        report_file_choice: the `file_choice` that `execution_report` asks for.
        whole_events_after: days of changes after which events are read whole again, to find those
            that are gone; 0 for each time.
        secrets_in_rows: what to do with secrets that people pasted into texts: `mask` them and
            warn, only `warn`, or `keep` them without a word.

    Raises:
        ConfigurationError: an argument makes no sense.
    """
    session = ApiSession(base_url, source=SOURCE, key=token)
    session.headers["Authorization"] = f"Bearer {token}"
    catalogue = _catalogue(whole_events_after)
    lists = Lists(
        catalogue,
        Api(session, base_url, source=SOURCE, advice=ADVICE),
        RoostDialect(report_file_choice),
        cleaner_of,
        given={
            entry.name: list(test_ids if entry.parent == "tests" else trigger_ids)
            for entry in catalogue.entries
            if entry.parent is not None
        },
        secrets_in_rows=secrets_in_rows,
    )
    for entry in catalogue.entries:
        made = lists.resource(entry)
        if entry.within:
            made.selected = False  # ids say what it costs calls to fetch, and this costs none
        yield made


def _catalogue(whole_events_after: float) -> Catalogue:
    """Return the catalogue, with events read whole as often as is wanted.

    Raises:
        ConfigurationError: that is never.
    """
    if not 0 <= whole_events_after <= timedelta.max.days:
        message = (
            f"{SOURCE}: whole_events_after={whole_events_after!r} is no number of days.\n"
            "  Use 1 for once in a day of changes, or 0 for each load."
        )
        raise ConfigurationError(message)
    after = timedelta(days=whole_events_after)
    entries = [
        replace(entry, whole_after=after) if entry.whole_after is not None else entry
        for entry in ROOST_AI.entries
    ]
    return replace(ROOST_AI, entries=tuple(entries))
