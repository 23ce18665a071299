"""What is read of Owlette: for each resource, the way from the sites down to its rows.

A resource is a row of steps. Each but the last finds places (a site, then a machine in it), and the
last one yields rows, which get the ids of the place that they are in. What the key may not read is
refused place by place, so that one site does not cut off those that come after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import dlt

from opsnest.errors import ConfigurationError
from roost import NotFoundError, PagingError, PermissionDeniedError, RoostApiError, RoostSync

__all__ = [
    "CALLS_AN_HOUR",
    "SOURCE",
    "STEPS",
    "Reading",
    "Row",
    "is_switched_off",
    "walk",
]

SOURCE: Final = "owlette_source"
#: Requests an hour that Owlette allows a key for its process routes.
CALLS_AN_HOUR: Final = 300

logger = logging.getLogger(__name__)

Row = dict[str, Any]
Place = Mapping[str, str]


@dataclass(slots=True)
class Reading:
    """What every step needs.

    Attributes:
        client: what is asked.
        site_ids: the sites to read; all that the key may without any.
        call_budget: how many calls may be counted against the hour of the key.
        spread: whether more are made all the same, over the hours that it takes.
        strict: whether it is an error that something may not be read.
        refused: what may not be read, as far as it has been met.
    """

    client: RoostSync
    site_ids: Sequence[str]
    call_budget: int
    spread: bool
    strict: bool
    refused: list[RoostApiError] = field(default_factory=list[RoostApiError])


Step = Callable[[Reading, Place], Iterable[Mapping[str, Any]]]


def walk(reading: Reading, place: Place, steps: Sequence[Step]) -> Iterator[Row]:
    """Yield what the last of the steps finds, with the ids of where it is.

    Raises:
        RoostError: it could not be read.
    """
    step, *rest = steps
    try:
        for found in step(reading, place):
            here = {**place, **found, **place}  # the ids come first, and count
            if rest:
                yield from walk(reading, here, rest)
            else:
                yield here
    except NotFoundError as error:
        if len(place) < 2:  # a site: it was asked for, or it is the key that is at fault
            raise
        where = "/".join(place.values())
        logger.warning("%s: %s is skipped, as it is gone: %s", SOURCE, where, error)
    except RoostApiError as error:
        may_not = isinstance(error, PermissionDeniedError) or is_switched_off(error)
        if reading.strict or not may_not:
            raise
        reading.refused.append(error)


def is_switched_off(error: RoostApiError) -> bool:
    """Tell whether it is a site whose roosts are switched off, for which waiting does not help."""
    return error.status == 503 and error.problem.get("title") == "roost disabled"


def _sent(found: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield rows as the API sent them."""
    for each in found:
        sent: Mapping[str, Any] = getattr(each, "raw", each)
        yield sent


def _paged(page: Callable[[str | None], tuple[Iterable[Any], str | None]]) -> Iterator[Any]:
    """Yield the rows of page after page.

    Raises:
        PagingError: a page comes twice. Owlette begins anew where it does not know a token.
    """
    token: str | None = None
    seen: set[str] = set()
    while True:
        rows, token = page(token)
        yield from _sent(rows)
        if not token:
            return
        if token in seen:
            msg = f"the page token {token!r} came twice, so the list would not end"
            raise PagingError(msg)
        seen.add(token)


# ---- places


def _each_site(reading: Reading, _: Place) -> Iterator[Place]:
    for site_id in reading.site_ids or [site.id for site in reading.client.sites.list()]:
        yield {"siteId": site_id}


def _each_machine(reading: Reading, place: Place) -> Iterator[Place]:
    for machine in reading.client.machines.list(place["siteId"]):
        yield {"machineId": machine.id}


def _each_machine_in_budget(reading: Reading, place: Place) -> Iterator[Row]:
    """Yield all machines, of all sites, if a call for each is not too much.

    Raises:
        ConfigurationError: it is.
    """
    machines = list(walk(reading, place, (_each_site, _each_machine)))
    needed, budget = len(machines), reading.call_budget
    logger.info("%s / processes needs %d calls, one for each machine", SOURCE, needed)
    if needed > budget and not reading.spread:
        msg = (
            f"{SOURCE} / processes needs {needed} calls, one for each machine, and the budget is "
            f"{budget}: Owlette allows a key {CALLS_AN_HOUR} an hour.\n"
            "  Name fewer sites (site_ids), leave processes out, raise call_budget, or set spread "
            "to wait for the hours that it takes."
        )
        raise ConfigurationError(msg)
    yield from machines


def _each_roost(reading: Reading, place: Place) -> Iterator[Place]:
    roosts = reading.client.roosts
    for roost in roosts.list(site_id=place["siteId"], page_size=100, include_deleted=True):
        yield {"roostId": roost.roost_id}


def _each_new_version(reading: Reading, place: Place) -> Iterator[Place]:
    """Yield versions, newest first, until one whose files were loaded before.

    What a version holds never changes, and all behind the newest that was loaded were loaded with
    it. It is remembered when the files of all have been read: what is interrupted is read again.
    """
    newest: dict[str, str] = dlt.current.resource_state().setdefault("newest_versions", {})
    roost = f"{place['siteId']}/{place['roostId']}"
    first, refused = None, len(reading.refused)
    for version in _list_versions(reading, place):
        version_id = version["versionId"]
        if version_id == newest.get(roost):
            break
        first = first or version_id
        yield {"versionId": version_id}
    if first and len(reading.refused) == refused:
        newest[roost] = first


def _each_webhook(reading: Reading, place: Place) -> Iterator[Place]:
    for webhook in reading.client.webhooks.list(place["siteId"]):
        yield {"webhookId": webhook.id}


# ---- rows


def _sites(reading: Reading, _: Place) -> Iterator[Mapping[str, Any]]:
    sites = reading.client.sites
    named = (sites.get(site_id) for site_id in reading.site_ids)
    return _sent(named if reading.site_ids else sites.list())


def _machines(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(reading.client.machines.list(place["siteId"]))


def _processes(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(reading.client.processes(place["siteId"], place["machineId"]).list())


def _roosts(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    roosts = reading.client.roosts
    return _sent(roosts.list(site_id=place["siteId"], page_size=100, include_deleted=True))


def _list_versions(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    versions = reading.client.versions
    return _sent(versions.list(place["roostId"], site_id=place["siteId"], page_size=100))


def _version_files(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(
        reading.client.versions.files(
            place["roostId"], place["versionId"], site_id=place["siteId"], page_size=500
        )
    )


def _deployments(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    deployments = reading.client.deployments
    return _sent(deployments.list(place["roostId"], site_id=place["siteId"], page_size=100))


def _installer_deployments(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    def page(token: str | None) -> tuple[Iterable[Any], str | None]:
        deployments = reading.client.installer_deployments
        found = deployments.list(place["siteId"], page_size=100, page_token=token)
        return found["items"], found["next_page_token"]

    return _paged(page)


def _webhooks(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(reading.client.webhooks.list(place["siteId"]))


def _webhook_deliveries(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    def page(token: str | None) -> tuple[Iterable[Any], str | None]:
        found = reading.client.webhooks.deliveries(
            place["webhookId"], place["siteId"], page_size=100, page_token=token
        )
        return found["deliveries"], found["next_page_token"]

    return _paged(page)


def _members(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(reading.client.members(place["siteId"]).list())


def _users(reading: Reading, _: Place) -> Iterator[Mapping[str, Any]]:
    def page(token: str | None) -> tuple[Iterable[Any], str | None]:
        found = reading.client.users.list(include_deleted=True, page_size=100, page_token=token)
        return found["users"], found["next_page_token"]

    return _paged(page)


def _quotas(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent([reading.client.quotas.current(place["siteId"])])


def _quota_history(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    return _sent(reading.client.quotas.history(place["siteId"], "90d")["daily"])


def _logs(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    log = reading.client.logs(place["siteId"]).list(page_size=200)
    return _until_loaded(place["siteId"], _sent(log), "timestamp")


def _audit_log(reading: Reading, place: Place) -> Iterator[Mapping[str, Any]]:
    log = reading.client.audit_log(place["siteId"]).list(page_size=200)
    return _until_loaded(place["siteId"], _sent(log), "recordedAt")


def _until_loaded(
    site_id: str, records: Iterable[Mapping[str, Any]], stamp: str
) -> Iterator[Mapping[str, Any]]:
    """Yield records, newest first, until one is older than what was loaded before.

    Those of the same moment come again, and are merged. The mark moves when all were read.
    """
    marks: dict[str, Any] = dlt.current.resource_state().setdefault("newest", {})
    mark = newest = marks.get(site_id)
    for record in records:
        moment = record.get(stamp)
        if moment is not None:
            if mark is not None and moment < mark:
                break
            newest = moment if newest is None else max(newest, moment)
        yield record
    if newest is not None:
        marks[site_id] = newest


#: All resources. What may be refused for the number of its calls comes first.
#: The way to the rows of each list of the catalogue.
STEPS: Final[Mapping[str, tuple[Step, ...]]] = {
    "processes": (_each_machine_in_budget, _processes),
    "sites": (_sites,),
    "machines": (_each_site, _machines),
    "roosts": (_each_site, _roosts),
    "versions": (_each_site, _each_roost, _list_versions),
    "version_files": (_each_site, _each_roost, _each_new_version, _version_files),
    "deployments": (_each_site, _each_roost, _deployments),
    "installer_deployments": (_each_site, _installer_deployments),
    "webhooks": (_each_site, _webhooks),
    "webhook_deliveries": (_each_site, _each_webhook, _webhook_deliveries),
    "members": (_each_site, _members),
    "users": (_users,),
    "quotas": (_each_site, _quotas),
    "quota_history": (_each_site, _quota_history),
    "logs": (_each_site, _logs),
    "audit_log": (_each_site, _audit_log),
}
