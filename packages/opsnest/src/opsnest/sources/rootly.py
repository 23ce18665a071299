"""Rootly: incidents, alerts and on-call, from its JSON:API at https://api.rootly.com/v1.

What is read, and how, is in `opsnest.catalogue.rootly`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dlt

from opsnest.answers import checker
from opsnest.catalogue.rootly import ROOTLY, SECRETS, SOURCE
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.reading import Api, Lists
from opsnest.reading.parts import Span
from opsnest.rows import DEEP, Cleaning, cleaner
from opsnest.secret_scan import SecretScan, choice_of
from opsnest.sources.rest import SinglePagePaginator, rest_resources
from opsnest.sources.rootly_dialect import MEDIA_TYPE, RootlyDialect
from opsnest.sources.rootly_rows import cleaner_of

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["ROOTLY_API", "rootly_incident_management_source"]

#: The public service.
ROOTLY_API = "https://api.rootly.com/v1"

ADVICE: Mapping[int, str] = {
    401: f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml; API keys can expire.",
    403: "The key may not read this, or the address asks for a browser. Use a Global API key.",
    404: "Rootly answers 404 for lists that a key may not read: a Team key cannot read incidents. "
    "Use a Global API key, or leave the resource out with `with_resources`.",
    415: f"Rootly wants Content-Type {MEDIA_TYPE}; a proxy may have removed it.",
}


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def rootly_incident_management_source(
    token: str = dlt.secrets.value,
    base_url: str = ROOTLY_API,
    any_single_resource: Sequence[str] = (),
    secrets_in_rows: str = "mask",
    between: Span | None = None,
) -> Iterator[DltResource]:
    """Load Rootly's lists: incidents, alerts, who is on call, and all that an organisation sets up.

    Each list of the API is a resource and a table of its name, merged on its key. Some are selected
    by default; choose others with `with_resources`. `opsnest sources rootly` names them all, with
    how each is asked for only what changed.

    Args:
        token: an API key, best a Global one: Team keys cannot read incidents.
        base_url: where the API is.
        any_single_resource: paths of single resources to fetch into the table
            `any_single_resource`, such as `incidents/142` or `services/checkout-api`.
        secrets_in_rows: what to do with secrets that people pasted into texts: `mask` them and
            warn, only `warn`, or `keep` them without a word.
        between: load what was made in this span of time alone: two times with a time zone, the
            second of which is not in it. Lists that cannot be asked for that are left out. How far
            lists were loaded before is neither looked at nor moved.

    Raises:
        ConfigurationError: an argument makes no sense.
    """
    session = ApiSession(base_url, source=SOURCE, key=token)
    session.headers["Authorization"] = f"Bearer {token}"
    lists = Lists(
        ROOTLY,
        Api(session, base_url, source=SOURCE, advice=ADVICE),
        RootlyDialect(),
        cleaner_of,
        secrets_in_rows=secrets_in_rows,
        between=between,
    )
    yield from map(lists.resource, ROOTLY.entries)
    client: Any = {
        "base_url": base_url,
        "headers": {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE},
        "session": session,
    }
    yield from _singles(client, any_single_resource, secrets_in_rows)


def _singles(client: Any, paths: Sequence[str], choice: str) -> list[DltResource]:
    """Return the resource that fetches single resources by their paths."""
    name = "any-single-resource"
    scan = SecretScan(SOURCE, name, choice_of(choice, SOURCE), ("type", "id"))
    any_shape = ("attributes.labels", "attributes.data")
    cleaning = Cleaning(secrets=SECRETS, json=any_shape, nulls_within=DEEP)

    @dlt.resource(name="single_paths", selected=False)
    def single_paths() -> Iterator[list[dict[str, str]]]:
        yield [{"path": _single_path(path)} for path in paths]

    resource = {
        "name": name,
        "selected": bool(paths),
        "primary_key": ["type", "id"],
        "write_disposition": "merge",
        "columns": {path.replace(".", "__"): {"data_type": "json"} for path in any_shape},
        "endpoint": {
            "path": "{resources.single_paths.path}",
            "data_selector": "data",
            "paginator": SinglePagePaginator(),
            "response_actions": [
                checker(SOURCE, name, {**ADVICE, 404: _NO_SUCH}, holds=["data"]),
            ],
        },
        "processing_steps": [{"map": cleaner(cleaning)}, {"map": scan.one}],
    }
    return [each for each in rest_resources(client, [single_paths, resource]) if each.name == name]


_NO_SUCH = "There is no such resource, or the key may not read it: check the path and the id."


def _single_path(path: str) -> str:
    kind, _, key = path.strip("/").removeprefix("v1/").partition("/")
    if not kind or not key or "?" in path or "//" in path or ".." in path:
        message = (
            f"{SOURCE}: {path!r} is not the path of a single resource.\n"
            "  Name the list and the id, like 'incidents/142'."
        )
        raise ConfigurationError(message)
    return f"{kind}/{key}"
