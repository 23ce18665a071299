"""Owlette: fleets of machines, what is published to them, and what became of it.

Everything is read through the SDK (`roost.RoostSync`), site by site. What has an order is read only
as far as it is new: versions never change, so that their files are read once, and logs are read
from the newest to what was loaded before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import dlt

from opsnest.errors import (
    AccessError,
    AnswerError,
    ConfigurationError,
    RateLimitError,
    SourceError,
    UnreachableError,
)
from opsnest.sources.rows import DEEP, leave_out_nulls
from roost import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RoostApiError,
    RoostSync,
    RoostTransportError,
)

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["OWLETTE_API", "owlette_source"]

OWLETTE_API: Final = "https://owlette.app"
SOURCE: Final = "owlette_source"
#: Requests an hour that Owlette allows a key for its process routes.
CALLS_AN_HOUR: Final = 300

logger = logging.getLogger(__name__)

Row = dict[str, Any]

#: Parameters of URLs that are a permission of their own.
_SIGNATURES: Final = frozenset(
    {"sig", "signature", "token", "x-amz-signature", "x-goog-signature", "key", "access_token"}
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every resource needs to read with."""

    token: str = field(repr=False)
    api_url: str
    site_ids: Sequence[str]
    call_budget: int
    spread: bool

    def client(self) -> RoostSync:
        """Return a client, to be closed."""
        return RoostSync(token=self.token, api_url=self.api_url)

    def sites(self, client: RoostSync) -> list[str]:
        """Return the sites to read: those that were asked for, or all that the key may."""
        return list(self.site_ids) or [site.id for site in client.sites.list()]


Read = Callable[[_Reader, RoostSync], Iterator[Row]]


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def owlette_source(
    token: str = dlt.secrets.value,
    api_url: str = OWLETTE_API,
    site_ids: Sequence[str] = (),
    call_budget: int = CALLS_AN_HOUR,
    spread: bool = False,  # noqa: FBT001, FBT002 - dlt's settings come by name
) -> Iterator[DltResource]:
    """Load Owlette's sites, machines, roosts and what happens to them.

    All resources are merged on their keys. What the key may not read is left out with a warning,
    unless it was chosen with `with_resources`: then it is an error.

    Args:
        token: an API key, `owk_...`. It needs `read` on `site`, `roost` and `machine`; users and
            members, the audit log and installer deployments need an administrator's.
        api_url: where the API is.
        site_ids: the sites to load; all that the key may read without any.
        call_budget: calls that `processes` may make, one for each machine; Owlette allows a key 300
            an hour. A load that needs more is refused before it begins.
        spread: wait for the hours that it takes instead.
    """
    reader = _Reader(token, api_url.rstrip("/"), tuple(site_ids), call_budget, spread)
    for name, (key, read) in _RESOURCES.items():
        yield dlt.resource(
            _rows(reader, name, read),
            name=name,
            primary_key=list(key),
            write_disposition="merge",
            columns={column: {"data_type": "json"} for column in _JSON.get(name, ())},
        )


def _rows(reader: _Reader, name: str, read: Read) -> Callable[[], Iterator[Row]]:
    """Return what yields the rows of a resource, with errors that say what to do."""

    def rows() -> Iterator[Row]:
        try:
            with reader.client() as client:
                for row in read(reader, client):
                    cleaned = without_signatures(row)
                    leave_out_nulls(cleaned, frozenset(_JSON.get(name, ())), DEEP)
                    yield cleaned
        except PermissionDeniedError as error:
            if _was_chosen():
                raise _explained(name, error) from error
            logger.warning("%s / %s is left out: %s", SOURCE, name, error)
        except (RoostApiError, RoostTransportError) as error:
            raise _explained(name, error) from error

    return rows


def _was_chosen() -> bool:
    """Tell whether the resources of this load were named by whoever runs it."""
    source = dlt.current.source()
    return len(source.selected_resources) < len(source.resources)


def _explained(name: str, error: RoostApiError | RoostTransportError) -> SourceError:
    """Return the error of Opsnest for one of the SDK."""
    if isinstance(error, RoostTransportError):
        advice = "Check `api_url`, the network and the proxy, and run it again."
        return UnreachableError(SOURCE, name, "GET", "/api", f"no answer: {error}", advice)
    kind, problem, advice = _kind_of(error)
    method, path = error.method or "GET", urlsplit(error.url or "").path or "/api"
    message = str(error.problem.get("detail") or error.problem.get("title") or "")
    return kind(SOURCE, name, method, path, problem, advice, error.status, message, error.code)


def _kind_of(error: RoostApiError) -> tuple[type[SourceError], str, str]:
    if isinstance(error, AuthenticationError):
        advice = f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml."
        return AccessError, "the API key was refused", advice
    if isinstance(error, PermissionDeniedError):
        advice = f"Use a key that may ({_missing_scope(error)}), or leave the resource out."
        return AccessError, "the API key may not read this", advice
    if isinstance(error, NotFoundError):
        advice = "Check `site_ids`: Owlette does not tell a site that is not there from one that "
        return AccessError, "it is not there", f"{advice}the key may not enter."
    if isinstance(error, RateLimitedError):
        advice = "Run it again later, or with fewer sites."
        return RateLimitError, "the API went on refusing for the number of requests", advice
    return AnswerError, "the API failed", "Run it again; what was loaded before stays."


def _missing_scope(error: RoostApiError) -> str:
    required: object = error.problem.get("required")
    if isinstance(required, Mapping):
        needed: Mapping[str, object] = required  # pyright: ignore[reportUnknownVariableType]
        return f"{needed.get('permission')} on {needed.get('resource')}:{needed.get('id')}"
    return "its user's role is too low"


def without_signatures(row: Row) -> Row:
    """Return a row whose URLs have lost the parameters that are a permission of their own."""
    return {name: _without_signature(value) for name, value in row.items()}


def _without_signature(value: Any) -> Any:
    if isinstance(value, dict):
        members: Row = value  # pyright: ignore[reportUnknownVariableType]
        return without_signatures(members)
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_without_signature(item) for item in items]
    if not isinstance(value, str) or "?" not in value or "://" not in value:
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return value
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    return urlunsplit(parts._replace(query="")) if names & _SIGNATURES else value


def _row(found: Any, **ids: str) -> Row:
    """Return a row as the API sent it, with the ids of what it is in."""
    sent: Mapping[str, Any] = getattr(found, "raw", found)
    return {**sent, **ids}


# ---- what is read


def _sites(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    wanted = set(reader.site_ids)
    for site in client.sites.list():
        if not wanted or site.id in wanted:
            yield _row(site)


def _machines(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for machine in client.machines.list(site_id):
            yield _row(machine, siteId=site_id)


def _processes(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    machines = [
        (site_id, machine.id)
        for site_id in reader.sites(client)
        for machine in client.machines.list(site_id)
    ]
    logger.info("%s / processes needs %d calls, one for each machine", SOURCE, len(machines))
    if len(machines) > reader.call_budget and not reader.spread:
        msg = (
            f"{SOURCE} / processes needs {len(machines)} calls, one for each machine, and the "
            f"budget is {reader.call_budget}: Owlette allows a key {CALLS_AN_HOUR} an hour.\n"
            "  Name fewer sites (site_ids), choose other resources, raise call_budget, or set "
            "spread to wait for the hours that it takes."
        )
        raise ConfigurationError(msg)
    for site_id, machine_id in machines:
        for process in client.processes(site_id, machine_id).list():
            yield _row(process, siteId=site_id, machineId=machine_id)


def _roosts(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for roost in client.roosts.list(site_id=site_id, include_deleted=True):
            yield _row(roost, siteId=site_id)


def _of_roosts(reader: _Reader, client: RoostSync) -> Iterator[tuple[str, str]]:
    for site_id in reader.sites(client):
        for roost in client.roosts.list(site_id=site_id, include_deleted=True):
            yield site_id, roost.roost_id


def _versions(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id, roost_id in _of_roosts(reader, client):
        for version in client.versions.list(roost_id, site_id=site_id):
            yield _row(version, siteId=site_id, roostId=roost_id)


def _version_files(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    """Yield the files of versions that are newer than those whose files were loaded.

    Numbers of versions only grow, and what a version holds never changes.
    """
    loaded: dict[str, int] = dlt.current.resource_state().setdefault("loaded_versions", {})
    for site_id, roost_id in _of_roosts(reader, client):
        place = f"{site_id}/{roost_id}"
        newest = loaded.get(place, 0)
        for version in client.versions.list(roost_id, site_id=site_id):
            number = version["versionNumber"]
            if number <= loaded.get(place, 0):
                break  # the newest come first
            version_id = version["versionId"]
            for file in client.versions.files(roost_id, version_id, site_id=site_id):
                yield _row(file, siteId=site_id, roostId=roost_id, versionId=version_id)
            newest = max(newest, number)
        loaded[place] = newest  # only now: what is interrupted is read again


def _deployments(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id, roost_id in _of_roosts(reader, client):
        for rollout in client.deployments.list(roost_id, site_id=site_id):
            yield _row(rollout, siteId=site_id, roostId=roost_id)


def _installer_deployments(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        token: str | None = None
        while True:
            page = client.installer_deployments.list(site_id, page_size=100, page_token=token)
            for deployment in page["items"]:
                yield _row(deployment, siteId=site_id)
            if (token := page["next_page_token"]) is None:
                break


def _webhooks(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for webhook in client.webhooks.list(site_id):
            yield _row(webhook, siteId=site_id)


def _webhook_deliveries(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for webhook in client.webhooks.list(site_id):
            token: str | None = None
            while True:
                page = client.webhooks.deliveries(
                    webhook.id, site_id, page_size=100, page_token=token
                )
                for delivery in page["deliveries"]:
                    yield _row(delivery, siteId=site_id, webhookId=webhook.id)
                token = page["next_page_token"] or None
                if token is None:
                    break


def _members(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for member in client.members(site_id).list():
            yield _row(member, siteId=site_id)


def _users(_: _Reader, client: RoostSync) -> Iterator[Row]:
    token: str | None = None
    while True:
        page = client.users.list(include_deleted=True, page_size=100, page_token=token)
        for user in page["users"]:
            yield _row(user)
        if (token := page["next_page_token"]) is None:
            break


def _quotas(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        yield _row(client.quotas.current(site_id), siteId=site_id)


def _quota_history(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        for day in client.quotas.history(site_id, "90d")["daily"]:
            yield _row(day, siteId=site_id)


def _logs(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        records = (_row(each, siteId=site_id) for each in client.logs(site_id).list(page_size=200))
        yield from _until_loaded(site_id, records, "timestamp")


def _audit_log(reader: _Reader, client: RoostSync) -> Iterator[Row]:
    for site_id in reader.sites(client):
        log = client.audit_log(site_id).list(page_size=200)
        records = (_row(each, siteId=site_id) for each in log)
        yield from _until_loaded(site_id, records, "recordedAt")


def _until_loaded(site_id: str, records: Iterator[Row], stamp: str) -> Iterator[Row]:
    """Yield records, newest first, until one is older than what was loaded before.

    Those of the same moment come again, and are merged. The mark moves when all were read.
    """
    marks: dict[str, Any] = dlt.current.resource_state().setdefault("newest", {})
    mark, newest = marks.get(site_id), None
    for record in records:
        if mark is not None and record[stamp] < mark:
            break
        newest = record[stamp] if newest is None else max(newest, record[stamp])
        yield record
    if newest is not None:
        marks[site_id] = newest


_SITE: Final = ("site_id", "id")
#: The keys of each resource, and what reads it. What may be refused for its calls comes first.
_RESOURCES: Final[Mapping[str, tuple[tuple[str, ...], Read]]] = {
    "processes": (("site_id", "machine_id", "process_id"), _processes),
    "sites": (("id",), _sites),
    "machines": (_SITE, _machines),
    "roosts": (("site_id", "roost_id"), _roosts),
    "versions": (("site_id", "roost_id", "version_id"), _versions),
    "version_files": (("site_id", "roost_id", "version_id", "path"), _version_files),
    "deployments": (("site_id", "roost_id", "rollout_id"), _deployments),
    "installer_deployments": (_SITE, _installer_deployments),
    "webhooks": (_SITE, _webhooks),
    "webhook_deliveries": (("site_id", "webhook_id", "id"), _webhook_deliveries),
    "members": (("site_id", "uid"), _members),
    "users": (("uid",), _users),
    "quotas": (("site_id",), _quotas),
    "quota_history": (("site_id", "date"), _quota_history),
    "logs": (_SITE, _logs),
    "audit_log": (("site_id", "hash"), _audit_log),
}
#: Objects whose members differ from row to row.
_JSON: Final[Mapping[str, Sequence[str]]] = {
    "audit_log": ("attributes",),
    "logs": ("details",),
    "processes": ("schedules", "schedule"),
}
