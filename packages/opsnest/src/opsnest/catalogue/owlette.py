"""Owlette: fleets of machines, what is published to them, and what became of it.

Everything is read through the SDK; `opsnest.sources.owlette_reading` has the way to each list.
"""

from __future__ import annotations

from typing import Any, Final

from opsnest.catalogue.entry import SECRETS_IN_ROWS, Catalogue, Entry, Strategy

__all__ = ["OWLETTE"]

SOURCE: Final = "owlette_source"

_SITE: Final = "api/sites/{site_id}"
_ROOST: Final = "api/roosts/{roost_id}"


def _list(
    name: str,
    path: str,
    *key: str,
    strategy: Strategy = "whole",
    **facts: Any,
) -> Entry:
    return Entry(
        name=name,
        path=path,
        key=key,
        strategy=strategy,
        total=None,
        paging="cursor",
        selected=True,
        **facts,
    )


OWLETTE: Final = Catalogue(
    platform="owlette",
    title="Owlette",
    source=SOURCE,
    about="Fleets of machines and what is published to them, through the "
    "[SDK](../../packages/owlette-sdk/README.md).",
    entries=(
        _list(
            "processes",
            f"{_SITE}/machines/{{machine_id}}/processes",
            *("site_id", "machine_id", "process_id"),
            json=("schedules", "schedule"),
            note="One call for each machine, of 300 that a key has an hour.",
        ),
        _list("sites", "api/sites", "id"),
        _list("machines", f"{_SITE}/machines", "site_id", "id"),
        _list(
            "roosts",
            "api/roosts",
            *("site_id", "roost_id"),
            note="Deleted roosts included, see `deleted_at`.",
        ),
        _list("versions", f"{_ROOST}/versions", "site_id", "roost_id", "version_id"),
        _list(
            "version_files",
            f"{_ROOST}/versions/{{version_id}}/files",
            *("site_id", "roost_id", "version_id", "path"),
            strategy="appended",
            note="Read once for each version: what it holds never changes.",
        ),
        _list("deployments", f"{_ROOST}/deployments", "site_id", "roost_id", "rollout_id"),
        _list(
            "installer_deployments",
            f"{_SITE}/deployments",
            *("site_id", "id"),
            note="Needs an administrator's key.",
        ),
        _list(
            "webhooks",
            "api/webhooks",
            *("site_id", "id"),
            secrets=("signingSecret", "previousSigningSecret"),
        ),
        _list(
            "webhook_deliveries",
            "api/webhooks/{webhook_id}/deliveries",
            *("site_id", "webhook_id", "id"),
            secrets=("request", "response"),
            note="The last 30 days, without what was sent.",
        ),
        _list(
            "members",
            f"{_SITE}/members",
            *("site_id", "uid"),
            note="Needs an administrator's key.",
        ),
        _list("users", "api/users", "uid", note="Needs a superadmin's key."),
        _list("quotas", f"{_SITE}/quota", "site_id"),
        _list(
            "quota_history",
            f"{_SITE}/quota/history",
            *("site_id", "date"),
            note="The last 90 days.",
        ),
        _list(
            "logs",
            f"{_SITE}/logs",
            *("site_id", "id"),
            strategy="newest_first",
            json=("details",),
        ),
        _list(
            "audit_log",
            f"{_SITE}/audit-log",
            *("site_id", "hash"),
            strategy="newest_first",
            json=("attributes",),
            note="Needs an administrator's key.",
        ),
    ),
    marks=False,
    settings=(
        ("token", "secrets", "an API key, `owk_...`; it needs `read` on site, roost and machine"),
        ("api_url", "config", "default `https://owlette.app`"),
        ("site_ids", "argument", "the sites to load; all that the key may read without any"),
        ("call_budget", "argument", "calls that `processes` may make, 300 by default"),
        ("spread", "argument", "wait for the hours that more calls take, instead of refusing them"),
        SECRETS_IN_ROWS,
    ),
    troubles=(
        (
            "a load is refused before it begins",
            (
                "`processes` would need more calls than the key has an hour: leave it out, raise "
                "`call_budget`, or set `spread`."
            ),
        ),
        (
            "a resource is left out, with a warning",
            (
                "The key may not read it, or the site has its roosts switched off; the other "
                "sites are loaded. Chosen with `with_resources`, it is an error that names the "
                "missing scope."
            ),
        ),
        (
            "a machine, roost or version is skipped",
            "It went while it was read.",
        ),
    ),
)
