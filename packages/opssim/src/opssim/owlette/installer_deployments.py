"""Programs that are installed on machines, and what became of it on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from msgspec import Meta

from opssim.core.clock import parse_iso
from opssim.core.store import JsonObject
from opssim.owlette.credentials import millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Handler, Nothing
from opssim.owlette.paging import Paging, page_of
from opssim.owlette.problems import Problem, conflict, invalid, not_found
from opssim.owlette.world import World

_PAGES: Final = Paging(25, 100)
_MOST_TARGETS: Final = 100
_PATIENCE: Final = timedelta(minutes=15)
_ACTIVE: Final = frozenset({"pending", "closing_processes", "downloading", "installing"})
_ENDED: Final = frozenset({"completed", "failed", "cancelled", "uninstalled"})


class NewDeployment(Body, rename=str):
    """A program, and the machines that are to have it."""

    name: Annotated[str, Meta(min_length=1)]
    installer_name: Annotated[str, Meta(min_length=1)]
    installer_url: str
    silent_flags: str
    machines: Annotated[list[str], Meta(min_length=1)]
    verify_path: str | None = None
    sha256_checksum: str | None = None
    close_processes: list[str] = []  # noqa: RUF012 - msgspec copies it
    suppress_projects: list[str] = []  # noqa: RUF012
    parallel_install: bool = False


_SHOWN: Final = [
    "id",
    "name",
    "installer_name",
    "installer_url",
    "silent_flags",
    "verify_path",
    "sha256_checksum",
    "parallel_install",
    "targets",
    "status",
    "createdAt",
    "completedAt",
    "updatedAt",
]


def deployments_place(site_id: str) -> str:
    """Return where a site's are kept."""
    return f"sites/{site_id}/deployments"


def show_all(call: Call) -> Answer:
    """List them, newest first."""
    documents = call.world.database.documents(deployments_place(call.site_id), newest_first=True)
    rows = [{name: each[name] for name in _SHOWN} for each in documents]
    page, tokens = page_of(rows, call.query, _PAGES, lambda row: row["id"])
    return Answer({"items": page, "next_page_token": tokens["next_page_token"]})


def show(call: Call) -> Answer:
    """Return one."""
    deployment = _found(call)
    return Answer({**{name: deployment[name] for name in _SHOWN}, "siteId": call.site_id})


def create(call: Call) -> Answer:
    """Let machines install a program."""
    body: NewDeployment = call.body
    if not body.installer_url.startswith("https://"):
        raise invalid({"body.installer_url": ["must be https"]})
    machines = list(dict.fromkeys(body.machines))
    if len(machines) > _MOST_TARGETS:
        msg = f"at most {_MOST_TARGETS} machines at a time"
        quota = {"max_targets": _MOST_TARGETS, "requested": len(machines)}
        raise Problem(413, "over_quota", msg, quota=quota)
    now = call.world.stamp()
    number = millis(call.world.now())
    while call.world.database.get(deployments_place(call.site_id), f"deploy-{number}"):
        number += 1
    deployment: JsonObject = {
        "id": f"deploy-{number}",
        "siteId": call.site_id,
        **body.given(),
        "targets": [{"machineId": each, "status": "pending"} for each in machines],
        "status": "in_progress",
        "createdAt": now,
        "updatedAt": now,
        "completedAt": None,
    }
    _save(call.world, deployment)
    _send(call.world, deployment, machines, "install_software")
    call.audit("deployment_mutated", deployment["id"], verb="create")
    shown = {name: deployment[name] for name in ("siteId", "status", "targets")}
    return Answer({"deploymentId": deployment["id"], **shown}, 201)


def _change(
    verb: str,
    counted: str,
    concerns: Callable[[str], bool],
    *,
    code: str,
    becomes: str,
    status: str | None,
    command: str,
) -> Handler:
    """Return what changes the targets that are concerned, and tells how many these are."""

    def change(call: Call) -> Answer:
        deployment = _found(call)
        targets = [each for each in deployment["targets"] if concerns(each["status"])]
        if not targets:
            raise conflict(f"there is no target to {verb}", code)
        for target in targets:
            target["status"] = becomes
            target.pop("error", None)
        machines = [each["machineId"] for each in targets]
        deployment["status"] = status or status_of(deployment["targets"])
        deployment["completedAt"] = None if status else call.world.stamp()
        _save(call.world, deployment)
        _send(call.world, deployment, machines, command)
        call.audit("deployment_mutated", deployment["id"], verb=verb)
        return Answer(
            {
                "deploymentId": deployment["id"],
                "siteId": call.site_id,
                "status": deployment["status"],
                counted: len(machines),
                "machine_ids": machines,
            }
        )

    return change


_uninstall: Final = _change(
    "uninstall",
    "queued",
    lambda status: status == "completed",
    code="no_targets",
    becomes="pending",
    status="uninstalling",
    command="uninstall_software",
)


def uninstall(call: Call) -> Answer:
    """Remove the program where it was installed; both scopes on the site are needed."""
    call.require("site", call.site_id, "write")
    return _uninstall(call)


def remove(call: Call) -> Answer:
    """Forget one that has ended."""
    deployment = _found(call)
    if any(each["status"] in _ACTIVE for each in deployment["targets"]):
        raise conflict("some machines are still at it: cancel it first", "deployment_in_flight")
    call.world.database.delete(deployments_place(call.site_id), deployment["id"])
    call.audit("deployment_mutated", deployment["id"], verb="delete")
    answer = {"deploymentId": deployment["id"], "siteId": call.site_id, "deleted": True}
    return Answer(answer)


def status_of(targets: Sequence[JsonObject]) -> str:
    """Return what has become of a deployment, by what has become of its targets."""
    kinds = {each["status"] for each in targets}
    if kinds & _ACTIVE:
        return "in_progress"
    for only, status in (
        ({"completed"}, "completed"),
        ({"cancelled"}, "cancelled"),
        ({"uninstalled"}, "uninstalled"),
        ({"failed"}, "failed"),
    ):
        if kinds == only:
            return status
    return "partial_failed" if "failed" in kinds else "partial"


def report(
    world: World, site_id: str, deployment_id: str, machine: str, status: str, **more: Any
) -> None:
    """Take what a machine says of a deployment."""
    deployment = world.database.get(deployments_place(site_id), deployment_id)
    if deployment is None:
        return
    for target in deployment["targets"]:
        if target["machineId"] == machine and target["status"] != "cancelled":
            target["status"] = status
            target.update(more)
    becomes = status_of(deployment["targets"])
    is_leaving = deployment["status"] == "uninstalling" and becomes == "in_progress"
    deployment["status"] = "uninstalling" if is_leaving else becomes
    if all(each["status"] in _ENDED for each in deployment["targets"]):
        deployment["completedAt"] = deployment["completedAt"] or world.stamp()
    _save(world, deployment)


def sweep(world: World) -> None:
    """Give up on machines that have said nothing for long: pending 15 minutes, at it 30."""
    now = world.now()
    for site in world.database.documents("sites"):
        for deployment in world.database.documents(deployments_place(site["id"])):
            idle = now - parse_iso(deployment["updatedAt"])
            for target in deployment["targets"]:
                patience = _PATIENCE if target["status"] == "pending" else 2 * _PATIENCE
                if target["status"] in _ACTIVE and idle > patience:
                    error = "the machine did not answer in time"
                    machine = target["machineId"]
                    report(world, site["id"], deployment["id"], machine, "failed", error=error)


def _send(world: World, deployment: JsonObject, machines: Sequence[str], kind: str) -> None:
    for machine in machines:
        place = f"sites/{deployment['siteId']}/machines/{machine}/pending"
        command_id = f"{kind}_{deployment['id']}_{millis(world.now())}"
        command: JsonObject = {
            "commandId": command_id,
            "type": kind,
            "status": "pending",
            "createdAt": world.stamp(),
            "updatedAt": world.stamp(),
            "payload": {"deployment_id": deployment["id"], "site_id": deployment["siteId"]},
        }
        world.database.put(place, command_id, command)


def _found(call: Call) -> JsonObject:
    place = deployments_place(call.site_id)
    deployment = call.world.database.get(place, call.path["deploymentId"])
    if deployment is None:
        raise not_found("deployment")
    return deployment


def _save(world: World, deployment: JsonObject) -> None:
    deployment["updatedAt"] = world.stamp()
    world.database.put(deployments_place(deployment["siteId"]), deployment["id"], deployment)


def _endpoint(method: str, path: str, handler: Handler, does: str, **more: Any) -> Endpoint:
    """Return an endpoint as all of these are, but for what is said."""
    writes = method != "GET"
    usual: dict[str, Any] = {
        "site": "path",
        "scope": ("site", "write" if writes else "read"),
        "capability": "DEPLOYMENT_MANAGE",
        "idempotency": "required" if writes else None,
        "refuses": (409,) if writes else (),
    }
    return Endpoint(method=method, path=path, handler=handler, does=does, **{**usual, **more})


_BASE: Final = "/api/sites/{siteId}/deployments"
_ONE: Final = f"{_BASE}/{{deploymentId}}"

ENDPOINTS: Final = (
    _endpoint("GET", _BASE, show_all, "List installer deployments", paging=_PAGES),
    _endpoint("GET", _ONE, show, "Get an installer deployment"),
    _endpoint(
        "POST",
        _BASE,
        create,
        "Let machines install a program",
        body=NewDeployment,
        answers=(201,),
        refuses=(413,),
    ),
    _endpoint(
        "POST",
        f"{_ONE}/retry",
        _change(
            "retry",
            "retried",
            lambda status: status == "failed",
            code="no_failed_targets",
            becomes="pending",
            status="in_progress",
            command="install_software",
        ),
        "Try again where it failed",
        body=Nothing,
    ),
    _endpoint(
        "POST",
        f"{_ONE}/cancel",
        _change(
            "cancel",
            "cancelled",
            lambda status: status in _ACTIVE,
            code="no_cancellable_targets",
            becomes="cancelled",
            status=None,
            command="cancel_installation",
        ),
        "Stop where it has not ended",
        body=Nothing,
    ),
    _endpoint(
        "POST",
        f"{_ONE}/uninstall",
        uninstall,
        "Remove the program where it was installed",
        scope=("site", "admin"),
        body=Nothing,
    ),
    _endpoint("DELETE", _ONE, remove, "Forget an installer deployment", body=Nothing),
)
