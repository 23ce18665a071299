"""Rootly: incidents, alerts and on-call, from its JSON:API at https://api.rootly.com/v1."""

from __future__ import annotations

from typing import Final

from opsnest.catalogue.entry import BETWEEN, SECRETS_IN_ROWS, Catalogue, Entry
from opsnest.catalogue.rootly_lists import ENTRIES

__all__ = ["ROOTLY", "SECRETS"]

SOURCE: Final = "rootly_incident_management_source"

#: Fields that hold secrets, on whichever list they are.
SECRETS: Final = tuple(dict.fromkeys(path for entry in ENTRIES for path in entry.secrets))

#: What most people come for, first.
_FIRST: Final = (
    *("incidents", "alerts", "users", "services", "schedules"),
    *("teams", "heartbeats", "dashboards", "authorizations"),
)


def _rank(entry: Entry) -> tuple[int, bool]:
    known = entry.name in _FIRST
    return (_FIRST.index(entry.name) if known else len(_FIRST)), not entry.selected


ROOTLY: Final = Catalogue(
    platform="rootly",
    title="Rootly",
    source=SOURCE,
    about="Incidents, alerts and on-call, from the JSON:API at `https://api.rootly.com/v1`.",
    entries=tuple(sorted(ENTRIES, key=_rank)),
    calls=(3000, 60.0),
    settings=(
        ("token", "secrets", "API key; a Team key cannot read incidents"),
        ("base_url", "config", "default `https://api.rootly.com/v1`"),
        (
            "any_single_resource",
            "argument",
            (
                "paths of single resources to fetch into the table `any_single_resource`, such as "
                "`incidents/142`"
            ),
        ),
        SECRETS_IN_ROWS,
        BETWEEN,
    ),
    troubles=(
        (
            "401, the credentials were not accepted",
            f"Check `token` under `[sources.{SOURCE}]`; API keys can expire.",
        ),
        (
            "404 for a list that exists",
            (
                "Rootly answers so where a key may not read: a Team key cannot read incidents. "
                "Use a Global API key, or leave the list out."
            ),
        ),
        (
            "403 for `alert_routing_rules`",
            "The organisation uses the newer alert routes: load `alert_routes` instead.",
        ),
        (
            "still over the rate limit",
            (
                "A key has 3,000 calls a minute. Something else uses it too: give Opsnest a key of "
                "its own. `opsnest plan rootly` tells what a load needs."
            ),
        ),
        (
            "a list kept changing while it was read",
            "It was read five times, and rows went each time. The next load reads it again.",
        ),
    ),
)
