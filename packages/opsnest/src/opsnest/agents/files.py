"""Which files each code assistant has, and what belongs into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from string import Template
from typing import Any, Final

from opsnest.agents.merging import with_block, with_entry, with_items, with_lines, with_toml
from opsnest.catalogue import CATALOGUES

__all__ = ["AGENTS", "Part", "parts_of"]

#: The assistants that there are files for.
AGENTS: Final = ("claude", "cursor", "codex")

#: What is never to be read by an assistant, or given to others.
_IGNORED: Final = (".dlt/secrets.toml", ".dlt/*.secrets.toml", "*.duckdb", "*.duckdb.wal")
#: How an assistant starts the server.
_SERVER: Final[Mapping[str, Any]] = {"command": "opsnest", "args": ["mcp"]}
#: What Claude Code may not do.
_DENIED: Final = tuple(
    f"{verb}(./**/{path})"
    for path in (".dlt/secrets.toml", ".dlt/*.secrets.toml")
    for verb in ("Read", "Edit")
)


@dataclass(frozen=True, slots=True)
class Part:
    """A file, and what we have to say in it.

    Attributes:
        path: where it is, below the project's folder.
        what: what it is for, in a few words.
        merge: returns the text that it should have, of the text that it has and whether what
            differs is to be replaced.
    """

    path: str
    what: str
    merge: Callable[[str, bool], str]


def parts_of(agent: str) -> list[Part]:
    """Return the files of an assistant."""
    ignored = Part(".gitignore", "files that git leaves alone", _lines)
    match agent:
        case "claude":
            return [
                Part("CLAUDE.md", "rules", partial(_block, _rules())),
                Part(
                    ".claude/skills/opsnest-secrets/SKILL.md",
                    "how to handle secrets",
                    partial(_own, _skill()),
                ),
                Part(".claude/settings.json", "files that it may not read", _denied),
                Part(".mcp.json", "the MCP server", _server),
                ignored,
            ]
        case "cursor":
            return [
                Part(
                    ".cursor/rules/opsnest.mdc", "rules", partial(_own, _mdc("Opsnest", _rules()))
                ),
                Part(
                    ".cursor/rules/opsnest-secrets.mdc",
                    "how to handle secrets",
                    partial(_own, _mdc("Secrets", _text("secrets.md"))),
                ),
                Part(".cursorignore", "files that it may not read", _lines),
                Part(".cursor/mcp.json", "the MCP server", _server),
                ignored,
            ]
        case _:
            both = f"{_rules()}\n{_text('secrets.md')}"
            return [
                Part("AGENTS.md", "rules, and how to handle secrets", partial(_block, both)),
                Part(".codex/config.toml", "the MCP server", _toml),
                ignored,
            ]


def _text(name: str) -> str:
    return (files("opsnest.agents") / name).read_text(encoding="utf-8")


def _rules() -> str:
    platforms = ", ".join(f"`{name}`" for name in CATALOGUES)
    return Template(_text("rules.md")).substitute(platforms=platforms)


def _skill() -> str:
    head = (
        "---\nname: opsnest-secrets\n"
        "description: Use whenever credentials, tokens, .dlt/secrets.toml or a missing setting "
        "come up in work with dlt or Opsnest pipelines.\n---\n\n"
    )
    return head + _text("secrets.md")


def _mdc(about: str, text: str) -> str:
    return f"---\ndescription: {about} in this project\nalwaysApply: true\n---\n\n{text}"


def _block(block: str, text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    return with_block(text, block)


def _own(ours: str, text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    """Return a file of ours: somebody else's words in it stay, unless forced."""
    return ours if force or not text.strip() else text


def _lines(text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    return with_lines(text, _IGNORED)


def _server(text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    return with_entry(text, ("mcpServers", "opsnest"), dict(_SERVER), force=force)


def _denied(text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    return with_items(text, ("permissions", "deny"), _DENIED)


def _toml(text: str, force: bool) -> str:  # noqa: FBT001 - as all merges are
    return with_toml(text, ("mcp_servers", "opsnest"), _SERVER, force=force)
