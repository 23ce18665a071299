"""Processes that a machine keeps running: `client.processes(site_id, machine_id)`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from roost._model import Model
from roost._paths import api_path
from roost.client import RoostClient
from roost.resources._resource import Resource, given, inner

__all__ = [
    "ControlVerb",
    "CreatedProcess",
    "DeletedProcess",
    "ProcessCommand",
    "ProcessRecord",
    "Processes",
    "ScheduleBlock",
    "ScheduleMode",
    "ScheduleRange",
    "ScheduledProcess",
]

#: What can be done with a process at once.
ControlVerb = Literal["kill", "start", "stop", "restart"]
#: When a process runs: never, always, or in the blocks of a schedule.
ScheduleMode = Literal["off", "always", "scheduled"]


class ScheduleRange(TypedDict):
    """A part of a day, from `HH:MM` to `HH:MM`."""

    start: str
    stop: str


class _Block(TypedDict):
    days: list[str]
    ranges: list[ScheduleRange]


class ScheduleBlock(_Block, total=False):
    """Days (`mon`, `tue`, ...) with the parts in which the process runs."""

    name: str
    colorIndex: int


@dataclass(slots=True)
class ProcessRecord(Model):
    """A process. Counts and delays are texts, as the server has them."""

    process_id: str
    name: str | None = None
    exe_path: str | None = None
    file_path: str | None = None
    cwd: str | None = None
    priority: str | None = None
    visibility: str | None = None
    time_delay: str | None = None
    time_to_init: str | None = None
    relaunch_attempts: str | None = None
    autolaunch: bool | None = None
    launch_mode: str | None = None
    schedules: list[dict[str, Any]] | None = None
    schedule: Any = None
    schedule_preset_id: str | None = None
    status: str = "unknown"
    pid: int | None = None
    responsive: bool | None = None
    last_updated: Any = None


class CreatedProcess(TypedDict):
    """A process that was made."""

    processId: str


class DeletedProcess(TypedDict):
    """A process that is not there any more."""

    processId: str
    alreadyDeleted: bool


class ProcessCommand(TypedDict):
    """A command to the machine: `client.machines.get_command` tells what came of it."""

    commandId: str
    status: str


class ScheduledProcess(TypedDict):
    """When a process runs from now on."""

    processId: str
    mode: str


class Processes(Resource):
    """Processes of one machine."""

    __slots__ = ("_place",)

    def __init__(self, http: RoostClient, site_id: str, machine_id: str) -> None:
        super().__init__(http)
        self._place = ("sites", site_id, "machines", machine_id, "processes")

    async def list(self) -> builtins.list[ProcessRecord]:
        """Return all processes of the machine."""
        answer = await self._ask(api_path(*self._place))
        return ProcessRecord.list_of(inner(answer.data), "processes", "items")

    async def get(self, process_id: str) -> ProcessRecord:
        """Return one process.

        Raises:
            NotFoundError: it is not there (`process_not_found`).
        """
        answer = await self._ask(api_path(*self._place, process_id))
        return ProcessRecord.from_json(inner(answer.data))

    async def create(
        self,
        *,
        name: str,
        exe_path: str,
        cwd: str | None = None,
        priority: str | None = None,
        visibility: str | None = None,
        launch_mode: ScheduleMode | None = None,
        file_path: str | None = None,
        time_delay: str | None = None,
        time_to_init: str | None = None,
        relaunch_attempts: str | None = None,
        schedules: Sequence[ScheduleBlock] | None = None,
        schedule_preset_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedProcess:
        """Let the machine keep a process running.

        Args:
            name: what it is called; no other of the machine may be.
            exe_path: the program.
            cwd: the folder that it runs in.
            priority: how urgent it is.
            visibility: how its window is shown.
            launch_mode: when it runs; `scheduled` needs `schedules`.
            file_path: a file that it opens.
            time_delay: seconds before it is started, as a text.
            time_to_init: seconds until it is up, as a text.
            relaunch_attempts: how often it is started again, as a text.
            schedules: the blocks of its schedule.
            schedule_preset_id: a schedule that the site has.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            ConflictError: there is one of this name (`duplicate_process_name`).
        """
        body = {
            "name": name,
            "exe_path": exe_path,
            **_fields(
                cwd=cwd,
                priority=priority,
                visibility=visibility,
                launch_mode=launch_mode,
                file_path=file_path,
                time_delay=time_delay,
                time_to_init=time_to_init,
                relaunch_attempts=relaunch_attempts,
                schedules=schedules,
                schedule_preset_id=schedule_preset_id,
            ),
        }
        answer = await self._ask(
            api_path(*self._place), method="POST", body=body, idempotency_key=idempotency_key
        )
        created: CreatedProcess = inner(answer.data)
        return created

    async def update(
        self,
        process_id: str,
        *,
        name: str | None = None,
        exe_path: str | None = None,
        cwd: str | None = None,
        priority: str | None = None,
        visibility: str | None = None,
        launch_mode: ScheduleMode | None = None,
        file_path: str | None = None,
        time_delay: str | None = None,
        time_to_init: str | None = None,
        relaunch_attempts: str | None = None,
        schedules: Sequence[ScheduleBlock] | None = None,
        schedule_preset_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Change what is given, and leave the rest as it is. For arguments, see `create`.

        Raises:
            ValueError: nothing is given.
            NotFoundError: the process is not there.
        """
        body = _fields(
            name=name,
            exe_path=exe_path,
            cwd=cwd,
            priority=priority,
            visibility=visibility,
            launch_mode=launch_mode,
            file_path=file_path,
            time_delay=time_delay,
            time_to_init=time_to_init,
            relaunch_attempts=relaunch_attempts,
            schedules=schedules,
            schedule_preset_id=schedule_preset_id,
        )
        if not body:
            msg = "processes.update requires at least one field to change"
            raise ValueError(msg)
        answer = await self._ask(
            api_path(*self._place, process_id),
            method="PATCH",
            body=body,
            idempotency_key=idempotency_key,
        )
        updated: dict[str, Any] = inner(answer.data)
        return updated

    async def delete(
        self, process_id: str, *, idempotency_key: str | None = None
    ) -> DeletedProcess:
        """Let the machine forget a process. One that is not there is no error."""
        answer = await self._ask(
            api_path(*self._place, process_id),
            method="DELETE",
            idempotency_key=idempotency_key,
        )
        deleted: DeletedProcess = inner(answer.data)
        return deleted

    async def kill(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """End a process at once.

        Raises:
            MachineOfflineError: the machine is not connected.
        """
        return await self._control("kill", process_id, idempotency_key)

    async def start(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Start a process.

        Raises:
            MachineOfflineError: the machine is not connected.
        """
        return await self._control("start", process_id, idempotency_key)

    async def stop(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Stop a process.

        Raises:
            MachineOfflineError: the machine is not connected.
        """
        return await self._control("stop", process_id, idempotency_key)

    async def restart(
        self, process_id: str, *, idempotency_key: str | None = None
    ) -> ProcessCommand:
        """Stop a process and start it again.

        Raises:
            MachineOfflineError: the machine is not connected.
        """
        return await self._control("restart", process_id, idempotency_key)

    async def schedule(
        self,
        process_id: str,
        *,
        mode: ScheduleMode,
        blocks: Sequence[ScheduleBlock | Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledProcess:
        """Set when a process runs.

        Args:
            process_id: the process.
            mode: never, always, or by schedule.
            blocks: the schedule.
            idempotency_key: one of the caller's. The server needs one: it is made if None.

        Raises:
            ValueError: it is to run by schedule, but there are no blocks.
        """
        if mode == "scheduled" and not blocks:
            msg = "the mode 'scheduled' requires blocks"
            raise ValueError(msg)
        answer = await self._ask(
            api_path(*self._place, process_id, "schedule"),
            method="POST",
            body={
                "mode": mode,
                **given(blocks=None if blocks is None else [dict(each) for each in blocks]),
            },
            idempotency_key=idempotency_key,
        )
        scheduled: ScheduledProcess = inner(answer.data)
        return scheduled

    async def set_launch_mode(
        self,
        process_id: str,
        mode: ScheduleMode,
        *,
        schedules: Sequence[ScheduleBlock] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Set when a process runs, as `schedule` does, by the newer route.

        Raises:
            ValueError: it is to run by schedule, but there are no schedules.
        """
        if mode == "scheduled" and not schedules:
            msg = "the mode 'scheduled' requires schedules"
            raise ValueError(msg)
        answer = await self._ask(
            api_path(*self._place, process_id, "launch-mode"),
            method="PATCH",
            body={"mode": mode, **_fields(schedules=schedules)},
            idempotency_key=idempotency_key,
        )
        updated: dict[str, Any] = inner(answer.data)
        return updated

    async def _control(
        self, verb: ControlVerb, process_id: str, idempotency_key: str | None
    ) -> ProcessCommand:
        answer = await self._ask(
            api_path(*self._place, process_id, verb),
            method="POST",
            idempotency_key=idempotency_key,
        )
        command: ProcessCommand = inner(answer.data)
        return command


def _fields(
    *,
    schedules: Sequence[ScheduleBlock] | None = None,
    schedule_preset_id: str | None = None,
    **plain: str | None,
) -> dict[str, Any]:
    blocks = None if schedules is None else [dict(each) for each in schedules]
    return given(**plain, schedules=blocks, schedulePresetId=schedule_preset_id)
