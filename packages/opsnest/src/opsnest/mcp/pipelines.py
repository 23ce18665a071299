"""The pipelines of a folder, read from dlt's own records there. Nothing is written.

`dlt.attach` would do, but makes folders, writes the state anew, and is the process's pipeline then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opsnest.errors import ConfigurationError

if TYPE_CHECKING:
    from dlt import Schema

__all__ = ["LOADS", "Pipelines", "Record"]

#: The one table of dlt's own that may be read: when loads ended.
LOADS: Final = "_dlt_loads"

_STATE: Final = "state.json"
#: What most files of a state or a schema have, in bytes, many times over.
_LARGEST: Final = 64 << 20


@dataclass(frozen=True)
class Record:
    """What dlt's records say of a pipeline.

    Attributes:
        name: its name, which is that of its folder.
        folder: where dlt keeps its records.
        state: dlt's state.
    """

    name: str
    folder: Path
    state: Mapping[str, Any]

    @property
    def destination(self) -> str:
        """Return the kind of its destination, such as `duckdb`; empty before its first run."""
        return str(self.state.get("destination_type") or "").rpartition(".")[2]

    @property
    def dataset(self) -> str:
        """Return the dataset as the pipeline names it."""
        return str(self.state.get("dataset_name") or "")

    @cached_property
    def schemas(self) -> list[Schema]:
        """Return the schemas of its tables, the default one first."""
        from dlt import Schema  # noqa: PLC0415 - slow to import

        first = self.state.get("default_schema_name")
        names = sorted(self.state.get("schema_names") or (), key=lambda name: name != first)
        found: list[Schema] = []
        for name in names:
            file = self.folder / "schemas" / f"{name}.schema.json"
            if file.is_file():
                found.append(Schema.from_dict(_json(file), bump_version=False))
        return found

    @cached_property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Return its tables with data, by name, without dlt's own."""
        return {
            str(table.get("name")): {**table}
            for schema in self.schemas
            for table in schema.data_tables(seen_data_only=True)
        }

    def table(self, name: str) -> Mapping[str, Any]:
        """Return a table.

        Raises:
            ConfigurationError: it has no such table.
        """
        if name not in self.tables:
            message = (
                f"the pipeline {self.name} has no table {name[:100]!r}.\n"
                f"  Its tables: {', '.join(list(self.tables)[:60])}."
            )
            raise ConfigurationError(message)
        return self.tables[name]


class Pipelines:
    """The pipelines in a folder.

    Args:
        folder: where dlt keeps them; None for dlt's own folder.
        allowed: those that may be seen; empty for all.
    """

    def __init__(self, folder: Path | None = None, allowed: Collection[str] = ()) -> None:
        if folder is None:
            from dlt.common.pipeline import get_dlt_pipelines_dir  # noqa: PLC0415 - slow to import

            folder = Path(get_dlt_pipelines_dir())
        self.folder = folder
        self._allowed = frozenset(allowed)

    def names(self) -> list[str]:
        """Return the names of the pipelines that may be seen."""
        if not self.folder.is_dir():
            return []
        found = sorted(each.parent.name for each in self.folder.glob(f"*/{_STATE}"))
        return [name for name in found if not self._allowed or name in self._allowed]

    def record(self, name: str) -> Record:
        """Return what is known of a pipeline.

        Raises:
            ConfigurationError: there is no such pipeline, or it may not be seen, or its records
                cannot be read.
        """
        names = self.names()
        if name not in names:  # a name that is a path is none of them
            message = (
                f"there is no pipeline {name[:100]!r}.\n"
                f"  Known: {', '.join(names) or 'none; a first load makes one'}."
            )
            raise ConfigurationError(message)
        folder = self.folder / name
        return Record(name=name, folder=folder, state=_json(folder / _STATE))

    def find(self, name: str) -> Record | None:
        """Return what is known of a pipeline, or None where there is none."""
        return self.record(name) if name in self.names() else None

    def may_see(self, name: str) -> bool:
        """Tell whether a pipeline of this name may be seen, be there one or not."""
        return not self._allowed or name in self._allowed


def _json(file: Path) -> dict[str, Any]:
    message = f"dlt's record {file.name} of the pipeline {file.parent.name} cannot be read.\n"
    try:
        if file.stat().st_size > _LARGEST:
            raise ConfigurationError(message + "  It is larger than any that dlt writes.")
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        advice = "  A load that runs may just write it: ask again. Else look at it by hand."
        raise ConfigurationError(message + advice) from None
    if not isinstance(found, dict):
        raise ConfigurationError(message + "  It is no record of dlt.")
    return {str(key): value for key, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
