"""The habits of a Control Room that a client has to live with, each one a switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudBotQuirks:
    """Which habits are on. The defaults are what a client of a current Control Room meets."""

    # `page.totalFilter` is 0 although rows match: it cannot be used to tell the end of a list.
    total_filter_zero: bool = False
    # `page.total` of the activity list is 0, too: only its metrics tell how many runs there are.
    activity_total_zero: bool = False
    # The list of device pools is `page.list`, as the published OpenAPI file says, not `list`.
    nested_pool_list: bool = False
    # The list of devices is answered without a `page` object.
    devices_without_page: bool = False
    # The share of devices whose row has the older form: type BOT_RUNNER or BOT_CREATOR, and
    # neither `defaultUsers` nor `updatedOn`.
    old_devices: float = 0.0
    # What `endDateTime` is while a run has not ended: 1970-01-01T00:00:00Z, "", or either.
    epoch_end: Literal["epoch", "empty", "mixed"] = "epoch"
    # `Authorization: Bearer <token>` is accepted beside `X-Authorization: <token>`.
    oauth: bool = False
    # A login without `multipleLogin: true` ends the user's other sessions.
    single_session: bool = True
    # N, if every Nth list request is answered with 503 and `Retry-After: 1`.
    unavailable_every: int | None = None
    # The most rows in one answer of the activity list, whatever length is asked for.
    activity_cap: int = 10_000
    # The most rows in one answer of the audit log, whatever length is asked for.
    audit_cap: int = 400
    # The most rows in one answer of any list, whatever length is asked for.
    page_cap: int | None = None
    # Every deployed run ends with RUN_FAILED, not only those of bots named "...Fails".
    runs_fail: bool = False
    # The paths of dltHub's page on "Cloud bot" (GET /v3/automations and so on), which no
    # Control Room documents, are served beside the published ones.
    seed_page: bool = True
    # The offset that time stamps of rows are written with, such as `+05:00`; 0 is `Z`.
    utc_offset_hours: int = 0
    # What `createdOn`, `modifiedOn`, `updatedOn` and `lastModified` of rows that are added or
    # changed are rounded down to, so that many of them are equal. When runs start and end stays
    # exact.
    stamp_grain_seconds: float = 0.0
    # The number of the first page of bot runs: the documentation counts from 0, its example from 1.
    bot_runs_first_page: Literal[0, 1] = 1
    # The ids of bot runs are numbers, as in the OpenAPI file, and not those of the activity list.
    bot_run_numbers: bool = False
    # `totalRecords` of bot runs counts those in this answer instead of those that match.
    bot_runs_total_of_page: bool = False

    @classmethod
    def strict(cls) -> CloudBotQuirks:
        """Return the quirks with everything that makes a client's life hard switched on."""
        return cls(
            total_filter_zero=True,
            nested_pool_list=True,
            devices_without_page=True,
            old_devices=0.4,
            epoch_end="mixed",
            single_session=True,
            unavailable_every=7,
            page_cap=150,
        )
