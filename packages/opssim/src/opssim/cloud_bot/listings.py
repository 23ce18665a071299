"""The lists of the Control Room: where each is served, and what it can be filtered on.

Source: the Control Room's OpenAPI files. `filterable` holds the documented fields where there
are any, and the obvious ones where there are none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from opssim.cloud_bot.filters import Kind, Kinds

_CHANGES: Kinds = {"createdOn": "date", "updatedOn": "date"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list.

    Attributes:
        table: the table that it is a list of.
        paths: where it is served, with POST.
        filterable: the fields that filters may name.
        sortable: the fields that sorts may name as well.
        scope: the path parameter, and field, that narrows the list to the rows of one parent.
        parent: the table in which that parent is.
        refused_above: the longest page that may be asked for; None is any.
    """

    table: str
    paths: tuple[str, ...]
    filterable: Kinds
    sortable: Kinds = field(default_factory=dict[str, Kind])
    scope: str | None = None
    parent: str = ""
    refused_above: int | None = None

    @property
    def kinds(self) -> Kinds:
        """The fields that rows are kept with, and how their values compare."""
        return {**self.filterable, **self.sortable}


_FILES: Kinds = {
    "id": "number",
    "parentId": "number",
    "name": "text",
    "path": "text",
    "folder": "flag",
    "type": "text",
    "createdBy": "number",
    "lastModifiedBy": "number",
    "lastModified": "date",
    "botStatus": "text",
    "size": "number",
}

LISTINGS = (
    Listing(
        table="executions",
        paths=("/v3/activity/list",),
        filterable={
            "automationId": "number",
            "deviceId": "number",
            "status": "text",
            "deploymentId": "text",
            "fileName": "text",
            "startDateTime": "date",
            "endDateTime": "date",
            "createdOn": "date",
            "modifiedOn": "date",
            "userName": "text",
        },
        sortable={"id": "text"},
    ),
    Listing(
        table="automations",
        paths=("/v2/repository/workspaces/public/files/list",),
        filterable=_FILES,
    ),
    Listing(
        table="private_files",
        paths=("/v2/repository/workspaces/private/files/list",),
        filterable=_FILES,
    ),
    Listing(
        table="users",
        paths=("/v2/usermanagement/users/list", "/v1/usermanagement/users/list"),
        filterable={
            "id": "number",
            "username": "text",
            "firstName": "text",
            "lastName": "text",
            "domain": "text",
            "email": "text",
            "disabled": "flag",
            **_CHANGES,
        },
    ),
    Listing(
        table="roles",
        paths=("/v2/usermanagement/roles/list", "/v1/usermanagement/roles/list"),
        filterable={"id": "number", "name": "text", "enabled": "flag", **_CHANGES},
    ),
    Listing(
        table="robots",
        paths=("/v2/devices/list",),
        filterable={"id": "number", "hostName": "text", "userId": "number", "status": "text"},
    ),
    Listing(
        table="device_pools",
        paths=("/v2/devices/pools/list",),
        filterable={"id": "number", "name": "text", "status": "text", "poolType": "text"},
    ),
    Listing(
        table="run_as_users",
        paths=("/v1/devices/runasusers/list",),
        filterable={"id": "number", "username": "text", "device": "text", "deviceId": "number"},
    ),
    Listing(
        table="schedules",
        paths=("/v2/schedule/automations/list", "/v1/schedule/automations/list"),
        filterable={
            "id": "number",
            "activityName": "text",
            "fileId": "number",
            "fileName": "text",
            "status": "text",
            "taskType": "text",
            **_CHANGES,
        },
    ),
    Listing(
        table="wlm_queues",
        paths=("/v3/wlm/queues/list",),
        filterable={"id": "number", "name": "text", "status": "text", **_CHANGES},
    ),
    Listing(
        table="wlm_work_items",
        paths=("/v3/wlm/queues/{queueId}/workitems/list",),
        filterable={"id": "number", "status": "text", "automationId": "number", **_CHANGES},
        sortable={"queueId": "number"},
        scope="queueId",
        parent="wlm_queues",
        refused_above=1000,
    ),
    Listing(
        table="wlm_models",
        paths=("/v3/wlm/workitemmodels/list",),
        filterable={"id": "number", "name": "text", **_CHANGES},
    ),
    Listing(
        table="audit_messages",
        paths=("/v1/audit/messages/list",),
        filterable={
            "id": "text",
            "createdOn": "date",
            "activityType": "text",
            "userName": "text",
            "hostName": "text",
            "status": "text",
            "source": "text",
            "objectName": "text",
            "createdBy": "number",
        },
    ),
    Listing(
        table="license_products",
        paths=("/v2/license/product/list",),
        filterable={"id": "number", "name": "text", "licenseType": "text"},
    ),
)
