"""`processes` without asyncio. Made by `scripts/generate_sync.py`: do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from roost._portal import Portal
from roost.resources.processes import (
    CreatedProcess,
    DeletedProcess,
    ProcessCommand,
    Processes,
    ProcessRecord,
    ScheduleBlock,
    ScheduledProcess,
    ScheduleMode,
)

__all__ = ["ProcessesSync"]


class ProcessesSync:
    """Processes of one machine."""

    def __init__(self, group: Processes, portal: Portal) -> None:
        self._group = group
        self._portal = portal

    def list(self) -> builtins.list[ProcessRecord]:
        """Return all processes of the machine.

        For the rest, see `Processes.list`.
        """
        return self._portal.run(self._group.list())

    def get(self, process_id: str) -> ProcessRecord:
        """Return one process.

        For the rest, see `Processes.get`.
        """
        return self._portal.run(self._group.get(process_id))

    def create(
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

        For the rest, see `Processes.create`.
        """
        return self._portal.run(
            self._group.create(
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
                idempotency_key=idempotency_key,
            )
        )

    def update(
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

        For the rest, see `Processes.update`.
        """
        return self._portal.run(
            self._group.update(
                process_id,
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
                idempotency_key=idempotency_key,
            )
        )

    def delete(self, process_id: str, *, idempotency_key: str | None = None) -> DeletedProcess:
        """Let the machine forget a process. One that is not there is no error.

        For the rest, see `Processes.delete`.
        """
        return self._portal.run(self._group.delete(process_id, idempotency_key=idempotency_key))

    def kill(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """End a process at once.

        For the rest, see `Processes.kill`.
        """
        return self._portal.run(self._group.kill(process_id, idempotency_key=idempotency_key))

    def start(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Start a process.

        For the rest, see `Processes.start`.
        """
        return self._portal.run(self._group.start(process_id, idempotency_key=idempotency_key))

    def stop(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Stop a process.

        For the rest, see `Processes.stop`.
        """
        return self._portal.run(self._group.stop(process_id, idempotency_key=idempotency_key))

    def restart(self, process_id: str, *, idempotency_key: str | None = None) -> ProcessCommand:
        """Stop a process and start it again.

        For the rest, see `Processes.restart`.
        """
        return self._portal.run(self._group.restart(process_id, idempotency_key=idempotency_key))

    def schedule(
        self,
        process_id: str,
        *,
        mode: ScheduleMode,
        blocks: Sequence[ScheduleBlock | Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledProcess:
        """Set when a process runs.

        For the rest, see `Processes.schedule`.
        """
        return self._portal.run(
            self._group.schedule(
                process_id, mode=mode, blocks=blocks, idempotency_key=idempotency_key
            )
        )

    def set_launch_mode(
        self,
        process_id: str,
        mode: ScheduleMode,
        *,
        schedules: Sequence[ScheduleBlock] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Set when a process runs, as `schedule` does, by the newer route.

        For the rest, see `Processes.set_launch_mode`.
        """
        return self._portal.run(
            self._group.set_launch_mode(
                process_id, mode, schedules=schedules, idempotency_key=idempotency_key
            )
        )
