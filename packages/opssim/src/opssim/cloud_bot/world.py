"""The data of a simulated Control Room: how it is made, added to and changed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from opssim.cloud_bot.activity import OPEN, Activity, Bot, Runner
from opssim.cloud_bot.filters import comparable_fields
from opssim.cloud_bot.fleet import STATUSES, new_device, new_pool, new_run_as_user
from opssim.cloud_bot.listings import LISTINGS
from opssim.cloud_bot.people import new_role, new_user
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.cloud_bot.repository import API_TASK, FOLDERS, Workspace, new_bot, new_folder
from opssim.cloud_bot.stamps import moment_between, stamp, uuid_of
from opssim.cloud_bot.workload import (
    new_audit_message,
    new_model,
    new_product,
    new_queue,
    new_schedule,
    new_work_item,
    some_time,
)
from opssim.core.clock import Clock
from opssim.core.stamps import StampForm
from opssim.core.store import JsonObject, Table

_OPEN_AT_START = 12
_SMALL: Mapping[str, int] = {"schedules": 12, "wlm_queues": 5, "license_products": 6}
_MODELS = 3
_CHANGES = frozenset({"createdOn", "modifiedOn", "updatedOn", "lastModified"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows the Control Room starts with."""

    executions: int
    bots: int
    users: int
    devices: int
    audit_messages: int
    work_items: int = 100

    def __post_init__(self) -> None:
        if min(self.bots, self.users, self.devices) < 1:
            message = "a Control Room needs at least one bot, one user and one device"
            raise ValueError(message)


class World:
    """The tables, and the ways in which their rows come about and change.

    Args:
        rng: what all choices are made with.
        clock: what stamps rows that are added or changed.
        quirks: the forms that rows have.
        sizes: how much there is at the start.
        account: the name of the user that clients log in as.
    """

    def __init__(
        self,
        rng: random.Random,
        clock: Clock,
        quirks: CloudBotQuirks,
        sizes: Sizes,
        *,
        account: str,
    ) -> None:
        self.tenant = uuid_of(rng)
        self.activity = Activity(rng, self.tenant, quirks.epoch_end)
        self.bots: list[Bot] = []
        self.runners: list[Runner] = []
        form = StampForm(
            changes=_CHANGES,
            offset_hours=quirks.utc_offset_hours,
            grain_seconds=quirks.stamp_grain_seconds,
            start=clock.start,
        )
        self.tables: dict[str, Table] = {
            listing.table: Table(
                listing.table,
                key=lambda row: str(row["id"]),
                fields=comparable_fields(listing.kinds),
                form=form,
            )
            for listing in LISTINGS
        }
        self._rng = rng
        # a chance of their own: the other rows of a seed are as they were without models
        self._model_rng = random.Random(self.tenant)
        self._clock = clock
        self._old_devices = quirks.old_devices
        self._numbers: Counter[str] = Counter()
        self._files: Counter[Workspace] = Counter()
        self._folders: dict[Workspace, list[JsonObject]] = {"PUBLIC": [], "PRIVATE": []}
        self._roles: list[JsonObject] = []
        self._users: list[JsonObject] = []
        self._devices: list[JsonObject] = []
        self._queues: list[JsonObject] = []
        self._referred: Mapping[str, list[JsonObject]] = {
            "roles": self._roles,
            "users": self._users,
            "robots": self._devices,
            "wlm_queues": self._queues,
        }
        self._makers: Mapping[str, Callable[[datetime], JsonObject]] = {
            "executions": self._execution,
            "automations": lambda moment: self._bot("PUBLIC", moment),
            "private_files": lambda moment: self._bot("PRIVATE", moment),
            "users": self._user,
            "roles": self._role,
            "robots": self._device,
            "device_pools": self._pool,
            "run_as_users": self._run_as_user,
            "schedules": self._schedule,
            "wlm_queues": self._queue,
            "wlm_work_items": self._work_item,
            "wlm_models": self._model,
            "audit_messages": self._audit_message,
            "license_products": self._product,
        }
        self._fill(sizes, account)

    def insert(self, table: str, count: int) -> None:
        """Add new rows, stamped with the clock's time; new runs have just started."""
        make = self._makers[table]
        for _ in range(count):
            self.tables[table].insert(make(self._clock.now()))

    def touch(self, table: str, count: int) -> None:
        """Change rows as their users would; nobody changes the audit log."""
        if table == "audit_messages":
            return
        rows, runs = self.tables[table], table == "executions"
        for _ in range(count):
            # runs that are under way go on; when there are none, somebody edits an old one
            running = [row.key for row in rows if row.fields["status"] in OPEN] if runs else []
            if keys := running or rows.keys():
                rows.update(self._rng.choice(keys), lambda row: self._change(table, row))

    def removable(self, table: str) -> list[str]:
        """Return the keys of the rows that may go: no folder, and not the clients' account."""
        kept = {"users": {"1"}}.get(table, set())
        return [
            row.key
            for row in self.tables[table]
            if row.key not in kept and not row.fields.get("folder")
        ]

    def remove(self, table: str, key: str) -> None:
        """Remove a row; new rows refer to others from now on, as long as there are any."""
        self.tables[table].delete(key)
        _drop(self._referred.get(table, []), lambda row: row["id"] == key)
        if table == "wlm_queues":
            items = self.tables["wlm_work_items"]
            for item in [row.key for row in items if str(row.fields["queueId"]) == key]:
                items.delete(item)
        elif table == "automations":
            _drop(self.bots, lambda bot: bot.file_id == key)
        elif table == "users":
            _drop(self.runners, lambda runner: runner.user_id == key)
        elif table == "robots":
            _drop(self.runners, lambda runner: runner.device_id == key)

    def _change(self, table: str, row: JsonObject) -> None:
        moment = self._clock.now()
        if table == "executions":
            self._change_execution(row, moment)
        elif table == "robots":
            row["status"] = self._rng.choice([s for s in STATUSES if s != row["status"]])
        elif table in {"automations", "private_files", "wlm_models"}:
            version = str(int(row["version"]) + 1)
            row |= {name: version for name in ("latestVersion", "version") if name in row}
        elif table == "license_products":
            row["feature"]["purchasedCount"] += 1
            row["feature"]["availableCount"] += 1
        elif table == "device_pools":
            row["automationCount"] = str(int(row["automationCount"]) + 1)
        elif table == "run_as_users":
            self._move(row)
        elif "description" in row:
            row["description"] = f"changed {moment:%Y-%m-%d %H:%M:%S} ✎"
        for name in ("updatedOn", "lastModified"):
            if name in row:
                row[name] = stamp(moment)

    def _change_execution(self, row: JsonObject, moment: datetime) -> None:
        rng = self._rng
        if row["status"] not in OPEN:
            row["botLabel"] = f"checked {moment:%H:%M:%S}"
            row["modifiedOn"] = stamp(moment)
        elif rng.random() < 0.5:
            self.activity.advance(row, min(99, row["progress"] + rng.randrange(1, 30)), moment)
        else:
            failed = rng.random() < 0.2
            self.activity.finish(row, "RUN_FAILED" if failed else "COMPLETED", moment)

    def _move(self, row: JsonObject) -> None:
        """Give a run-as user another default device: the next one, if there are several."""
        ids = [device["id"] for device in self._devices]
        place = ids.index(row["deviceId"]) if row["deviceId"] in ids else -1
        device = self._devices[(place + 1) % len(ids)]
        row["deviceId"], row["device"] = device["id"], device["hostName"]

    def _fill(self, sizes: Sizes, account: str) -> None:
        end, tables = self._clock.start, self.tables
        for _ in range(8):
            tables["roles"].insert(self._role(some_time(self._rng, end)))
        tables["users"].insert(self._user(some_time(self._rng, end), account))
        counts: Mapping[str, int] = {
            "users": sizes.users - 1,
            "robots": sizes.devices,
            "device_pools": max(1, sizes.devices // 5),
        }
        for name, count in counts.items():
            tables[name].extend(self._made(name, count))
        runners = {device["userId"]: device for device in reversed(self._devices)}
        tables["run_as_users"].extend(new_run_as_user(runners[key]) for key in sorted(runners))
        tables["automations"].extend(self._folders_of("PUBLIC"))
        tables["private_files"].extend(self._folders_of("PRIVATE"))
        tables["automations"].extend(self._made("automations", sizes.bots))
        tables["private_files"].extend(self._made("private_files", max(1, sizes.bots // 10)))
        for name, count in _SMALL.items():
            tables[name].extend(self._made(name, count))
        models = (some_time(self._model_rng, end) for _ in range(_MODELS))
        tables["wlm_models"].extend(self._model(moment) for moment in sorted(models))
        tables["wlm_work_items"].extend(self._made("wlm_work_items", sizes.work_items))
        tables["audit_messages"].extend(self._made("audit_messages", sizes.audit_messages))
        tables["executions"].extend(self._history(sizes.executions))

    def _made(self, table: str, count: int) -> Iterator[JsonObject]:
        """Make rows of the two years before the start, in the order of their times."""
        end = self._clock.start - timedelta(minutes=1)
        moments = sorted(some_time(self._rng, end) for _ in range(count))
        return (self._makers[table](moment) for moment in moments)

    def _history(self, count: int) -> Iterator[JsonObject]:
        """Make the runs of two years, the last few of which are still under way."""
        end = self._clock.start
        current = min(_OPEN_AT_START, count // 20)
        hour_ago = end - timedelta(hours=1)
        for moment in sorted(some_time(self._rng, hour_ago) for _ in range(count - current)):
            yield self.activity.past(*self._bot_and_runner(), moment, before=end)
        for moment in sorted(moment_between(self._rng, hour_ago, end) for _ in range(current)):
            yield self.activity.current(*self._bot_and_runner(), moment, now=end)

    def _next(self, kind: str) -> int:
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _bot_and_runner(self) -> tuple[Bot, Runner]:
        return self._rng.choice(self.bots), self._rng.choice(self.runners)

    def _execution(self, moment: datetime) -> JsonObject:
        row = self.activity.queue(*self._bot_and_runner(), moment)
        self.activity.advance(row, 1, moment)
        return row

    def _folders_of(self, workspace: Workspace) -> list[JsonObject]:
        self._folders[workspace] = [
            new_folder(self._rng, 10 + self._next("file"), name, workspace) for name in FOLDERS
        ]
        return self._folders[workspace]

    def _bot(self, workspace: Workspace, moment: datetime) -> JsonObject:
        nth = self._files[workspace]
        self._files[workspace] += 1
        folder = self._folders[workspace][nth % len(FOLDERS)]
        row = new_bot(self._rng, 10 + self._next("file"), folder, nth=nth, updated=moment)
        if workspace == "PUBLIC":
            kind = "API_TASK" if row["type"] == API_TASK else "BOT"
            self.bots.append(Bot(row["id"], row["name"], row["path"], kind))
        return row

    def _user(self, moment: datetime, account: str | None = None) -> JsonObject:
        row = new_user(
            self._rng,
            self._next("user"),
            moment,
            moment_between(self._rng, moment, max(moment, self._clock.start)),
            roles=self._roles,
            username=account,
        )
        self._users.append(row)
        return row

    def _role(self, moment: datetime) -> JsonObject:
        row = new_role(self._rng, self._next("role"), moment)
        self._roles.append(row)
        return row

    def _device(self, moment: datetime, user: JsonObject | None = None) -> JsonObject:
        number = self._next("device")
        # the clients' own account runs no bots, unless it is the only one
        users = self._users[1:] or self._users
        user = user or users[(number - 1) % len(users)]
        older = self._rng.random() < self._old_devices
        row = new_device(self._rng, number, user, older=older, updated=moment)
        self._devices.append(row)
        self.runners.append(Runner(user["id"], user["username"], row["id"], row["hostName"]))
        return row

    def _pool(self, _moment: datetime) -> JsonObject:
        members = self._rng.sample(self._devices, k=min(5, len(self._devices)))
        return new_pool(self._rng, self._next("pool"), members)

    def _run_as_user(self, moment: datetime) -> JsonObject:
        user = self._user(moment)
        device = self._device(moment, user)
        self.tables["users"].insert(user)
        self.tables["robots"].insert(device)
        return new_run_as_user(device)

    def _schedule(self, moment: datetime) -> JsonObject:
        bot, user = self._rng.choice(self.bots), self._rng.choice(self._users)
        return new_schedule(self._rng, self._next("schedule"), bot, user["id"], moment)

    def _queue(self, moment: datetime) -> JsonObject:
        row = new_queue(self._rng, self._next("queue"), moment, self.tenant)
        self._queues.append(row)
        return row

    def _model(self, moment: datetime) -> JsonObject:
        return new_model(self._model_rng, self._next("model"), moment, self.tenant)

    def _work_item(self, moment: datetime) -> JsonObject:
        queue = self._rng.choice(self._queues)
        now = max(moment, self._clock.start)
        return new_work_item(self._rng, self._next("item"), queue, moment, now=now)

    def _audit_message(self, moment: datetime) -> JsonObject:
        return new_audit_message(self._rng, self._rng.choice(self._users), moment)

    def _product(self, _moment: datetime) -> JsonObject:
        return new_product(self._rng, self._next("product"))


def _drop(kept: list[T], gone: Callable[[T], bool]) -> None:
    """Forget what is gone, unless nothing would be left to refer to."""
    kept[:] = [one for one in kept if not gone(one)] or kept
