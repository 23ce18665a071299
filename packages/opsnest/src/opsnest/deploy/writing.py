"""Files into their places, and never over something that someone else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from opsnest.errors import ConfigurationError

__all__ = ["printed", "write"]


def printed(files: Mapping[Path, str]) -> str:
    """Return the texts of files, each below its path where there are several."""
    if len(files) == 1:
        return next(iter(files.values()))
    return "\n".join(f"# {path}\n{text}" for path, text in files.items())


def write(files: Mapping[Path, str], *, force: bool = False) -> list[str]:
    """Write files, all of them or none, and return what became of each.

    Args:
        files: their texts, by path.
        force: write over files that say something else.

    Raises:
        ConfigurationError: a file is there already and says something else.
        OSError: a file cannot be written.
    """
    differing = [path for path, text in files.items() if _is_there(path) and _read(path) != text]
    if differing and not force:
        names = "\n".join(f"    {path}" for path in differing)
        message = (
            f"there is something else already in\n{names}\n"
            "  Nothing was written. Compare it with what is printed without --write; "
            "--force replaces it."
        )
        raise ConfigurationError(message)
    return list(_write(files))


def _write(files: Mapping[Path, str]) -> Iterator[str]:
    for path, text in files.items():
        if _is_there(path) and _read(path) == text:
            yield f"unchanged: {path}"
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        yield f"written: {path}"


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _read(path: Path) -> str | None:
    """Return the text of a file; None if it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, IsADirectoryError, FileNotFoundError):
        return None
