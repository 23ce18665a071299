"""Project distributions: the way in which files went to machines before there were roosts."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from opssim.core.store import JsonObject
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler, Nothing
from opssim.owlette.grammar import new_id
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, conflict, invalid, not_found

_PAGES: Final = Paging(25, 100)
_MOST_TARGETS: Final = 100
_ACTIVE: Final = frozenset({"pending", "downloading", "extracting"})


class NewDistribution(Body, rename=str):
    """A file, and the machines that are to have it."""

    name: Annotated[str, Meta(min_length=1)]
    file_name: Annotated[str, Meta(min_length=1)]
    project_url: str
    machines: Annotated[list[str], Meta(min_length=1)]
    extract_path: str | None = None
    verify_files: list[str] = []  # noqa: RUF012 - msgspec copies it


def show_all(call: Call) -> Answer:
    """List them, newest first."""
    rows = call.world.database.documents(_place(call), newest_first=True)
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["id"])
    return Answer({"items": page, "next_page_token": tokens["next_page_token"]})


def show(call: Call) -> Answer:
    """Return one."""
    return Answer({**_found(call), "siteId": call.site_id})


def create(call: Call) -> Answer:
    """Send a file to machines. Simulated machines leave it pending: they only know roosts."""
    body: NewDistribution = call.body
    if not body.project_url.startswith("https://"):
        raise invalid({"body.project_url": ["must be https"]})
    machines = list(dict.fromkeys(body.machines))
    if len(machines) > _MOST_TARGETS:
        quota = {"max_targets": _MOST_TARGETS, "requested": len(machines)}
        msg = f"at most {_MOST_TARGETS} machines at a time"
        raise Problem(413, "over_quota", msg, quota=quota)
    given = {name: value for name, value in body.given().items() if name != "machines"}
    distribution: JsonObject = {
        "id": new_id("dist_"),
        **given,
        "targets": [{"machineId": each, "status": "pending"} for each in machines],
        "status": "in_progress",
        "createdAt": call.world.stamp(),
        "updatedAt": call.world.stamp(),
        "completedAt": None,
    }
    _save(call, distribution)
    call.audit("distribution_mutated", distribution["id"], verb="create")
    shown = {name: distribution[name] for name in ("status", "targets")}
    answer = {"distributionId": distribution["id"], "siteId": call.site_id, **shown}
    return Answer(answer, 201)


def cancel(call: Call) -> Answer:
    """Stop where it has not ended."""
    distribution = _found(call)
    targets = [each for each in distribution["targets"] if each["status"] in _ACTIVE]
    if not targets:
        raise conflict("there is no target to cancel", "no_cancellable_targets")
    for target in targets:
        target["status"] = "cancelled"
    distribution["status"] = "cancelled"
    distribution["completedAt"] = call.world.stamp()
    _save(call, distribution)
    machines = [each["machineId"] for each in targets]
    answer = {"distributionId": distribution["id"], "siteId": call.site_id}
    counted = {"status": "cancelled", "cancelled": len(machines), "machine_ids": machines}
    return Answer({**answer, **counted})


def remove(call: Call) -> Answer:
    """Forget one that has ended."""
    distribution = _found(call)
    if any(each["status"] in _ACTIVE for each in distribution["targets"]):
        raise conflict("some machines are still at it: cancel it first", "deployment_in_flight")
    call.world.database.delete(_place(call), distribution["id"])
    answer = {"distributionId": distribution["id"], "siteId": call.site_id, "deleted": True}
    return Answer(answer)


def _place(call: Call) -> str:
    return call.place("distributions")


def _found(call: Call) -> JsonObject:
    distribution = call.world.database.get(_place(call), call.path["distId"])
    if distribution is None:
        raise not_found("distribution")
    return distribution


def _save(call: Call, distribution: JsonObject) -> None:
    distribution["updatedAt"] = call.world.stamp()
    call.world.database.put(_place(call), distribution["id"], distribution)


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    writes = method != "GET"
    usual: dict[str, Any] = {
        "site": "path",
        "scope": ("site", "write" if writes else "read"),
        "capability": "DEPLOYMENT_MANAGE" if writes else None,
        "idempotency": "required" if writes else None,
        "refuses": (409,) if writes else (),
    }
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


_BASE: Final = "/api/sites/{siteId}/project-distributions"
_ONE: Final = f"{_BASE}/{{distId}}"

ENDPOINTS: Final = (
    _endpoint("GET", _BASE, show_all, "List project distributions", paging=_PAGES),
    _endpoint("GET", _ONE, show, "Get a project distribution"),
    _endpoint(
        "POST",
        _BASE,
        create,
        "Send a file to machines",
        body=NewDistribution,
        answers=(201,),
        refuses=(413,),
    ),
    _endpoint("POST", f"{_ONE}/cancel", cancel, "Stop where it has not ended", body=Nothing),
    _endpoint("DELETE", _ONE, remove, "Forget a project distribution"),
)
