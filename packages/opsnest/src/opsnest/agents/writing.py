"""Looking at a folder, and writing what an assistant needs there: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opsnest.agents.files import AGENTS, Part, parts_of
from opsnest.errors import ConfigurationError

__all__ = ["Change", "changes_for", "write"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a file.

    Attributes:
        file: the file.
        path: the same, below the project's folder.
        what: what it is for.
        does: whether it is made, changed, has all that it needs, or stays though it differs.
        text: what it has afterwards.
    """

    file: Path
    path: str
    what: str
    does: Literal["new", "changed", "same", "kept"]
    text: str


def changes_for(agent: str, folder: Path, *, force: bool = False) -> list[Change]:
    """Return what has to be written into a folder for an assistant; nothing is written yet.

    Args:
        agent: `claude`, `cursor` or `codex`.
        folder: the project's folder.
        force: replace entries and files of ours that were changed.

    Raises:
        ConfigurationError: the assistant is not known, the folder is not there, or a file in it is
            not what it should be.
    """
    if agent not in AGENTS:
        message = f"there are no files for {agent!r}.\n  Known: {', '.join(AGENTS)}."
        raise ConfigurationError(message)
    if not folder.is_dir():
        message = f"{folder} is no folder.\n  Make it, or give another with --folder."
        raise ConfigurationError(message)
    return [_change(part, folder.resolve(), force=force) for part in parts_of(agent)]


def write(changes: Sequence[Change]) -> None:
    """Write the files that are new or changed.

    Raises:
        OSError: one could not be written; those before it are.
    """
    for change in changes:
        if change.does in {"new", "changed"}:
            change.file.parent.mkdir(parents=True, exist_ok=True)
            change.file.write_text(change.text, encoding="utf-8", newline="")


def _change(part: Part, folder: Path, *, force: bool) -> Change:
    file = folder / part.path
    if not file.resolve().is_relative_to(folder):
        message = (
            f"{file} is a link to something outside of {folder}.\n"
            "  Remove the link: nothing is written outside of the folder."
        )
        raise ConfigurationError(message)
    there = file.exists()
    try:
        # line ends stay as they are
        text = file.read_bytes().decode("utf-8") if there else ""
        after = part.merge(text, force)
        wanted = after if force else part.merge(text, True)  # noqa: FBT003
    except UnicodeDecodeError:
        message = f"{file} is not text in UTF-8.\n  Mend it or remove it."
        raise ConfigurationError(message) from None
    except ConfigurationError as fault:
        message = f"{file}: {fault}"
        raise ConfigurationError(message) from None
    if not there:
        return Change(file, part.path, part.what, "new", after)
    if after != text:
        return Change(file, part.path, part.what, "changed", after)
    return Change(file, part.path, part.what, "same" if wanted == text else "kept", after)
