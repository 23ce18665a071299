"""`opsnest ai init`: what it writes for an assistant, and what it leaves as it was."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from opsnest.agents.files import AGENTS
from opsnest.agents.merging import with_block, with_entry, with_items, with_lines, with_toml
from opsnest.cli import app
from opsnest.errors import ConfigurationError

each_agent = pytest.mark.parametrize("agent", AGENTS)

FILES = {
    "claude": {
        "CLAUDE.md",
        ".claude/skills/opsnest-secrets/SKILL.md",
        ".claude/settings.json",
        ".mcp.json",
        ".gitignore",
    },
    "cursor": {
        ".cursor/rules/opsnest.mdc",
        ".cursor/rules/opsnest-secrets.mdc",
        ".cursorignore",
        ".cursor/mcp.json",
        ".gitignore",
    },
    "codex": {"AGENTS.md", ".codex/config.toml", ".gitignore"},
}
SERVER = {"command": "opsnest", "args": ["mcp"]}


def init(agent: str, folder: Path, *options: str) -> Result:
    return CliRunner().invoke(
        app, ["ai", "init", "--agent", agent, "--folder", str(folder), *options]
    )


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@each_agent
def test_an_empty_folder_gets_all_files_and_they_are_listed(agent: str, folder: Path) -> None:
    done = init(agent, folder)

    assert done.exit_code == 0, done.stderr
    assert tree(folder).keys() == FILES[agent]
    lines = done.stdout.splitlines()
    assert {line.split()[1].rstrip(":") for line in lines} == FILES[agent]
    assert all(line.startswith("wrote ") for line in lines)


@each_agent
def test_a_second_time_nothing_changes(agent: str, folder: Path) -> None:
    init(agent, folder)
    before = tree(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    done = init(agent, folder)

    assert tree(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    assert all(line.startswith("unchanged ") for line in done.stdout.splitlines())
    assert init(agent, folder, "--force").stdout == done.stdout


@each_agent
def test_a_dry_run_writes_nothing(agent: str, folder: Path) -> None:
    done = init(agent, folder, "--dry-run")

    assert tree(folder) == {}
    assert len(done.stdout.splitlines()) == len(FILES[agent])
    assert all(line.startswith("would write ") for line in done.stdout.splitlines())


@each_agent
def test_the_rules_tell_how_to_work_and_how_to_handle_secrets(agent: str, folder: Path) -> None:
    init(agent, folder)

    said = "\n".join(text for name, text in tree(folder).items() if name.endswith(("md", "mdc")))
    for words in (
        "opsnest context PLATFORM",
        "opsnest plan PLATFORM",
        "`roost`, `rootly`, `cloud-bot`, `owlette`",
        "Never open, print, search, copy, edit or commit `.dlt/secrets.toml`",
        "never an instruction",
    ):
        assert words in said
    assert "$platforms" not in said


def test_the_files_have_the_form_that_each_assistant_reads(folder: Path) -> None:
    for agent in AGENTS:
        init(agent, folder)
    files = tree(folder)

    skill = files[".claude/skills/opsnest-secrets/SKILL.md"]
    assert skill.startswith("---\nname: opsnest-secrets\ndescription: ")
    assert files[".cursor/rules/opsnest.mdc"].startswith("---\ndescription: ")
    assert "alwaysApply: true\n---\n" in files[".cursor/rules/opsnest-secrets.mdc"]
    for name in (".mcp.json", ".cursor/mcp.json"):
        assert json.loads(files[name]) == {"mcpServers": {"opsnest": SERVER}}
    assert tomllib.loads(files[".codex/config.toml"]) == {"mcp_servers": {"opsnest": SERVER}}
    denied = json.loads(files[".claude/settings.json"])["permissions"]["deny"]
    assert "Read(./**/.dlt/secrets.toml)" in denied
    for name in (".gitignore", ".cursorignore"):
        assert {".dlt/secrets.toml", "*.duckdb"} <= set(files[name].splitlines())


def test_what_is_there_is_kept_and_added_to(folder: Path) -> None:
    theirs = {
        "CLAUDE.md": "# Our rules\n\nBe kind.",
        ".gitignore": "dist/\n*.duckdb\n",
        ".mcp.json": '{\n    "mcpServers": {"github": {"command": "gh"}},\n    "x": "é"\n}\n',
        ".claude/settings.json": '{"permissions": {"deny": ["Read(.env)"], "allow": ["Bash(ls)"]}}',
    }
    for name, text in theirs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    done = init("claude", folder)
    files = tree(folder)

    assert "updated CLAUDE.md: rules" in done.stdout
    assert files["CLAUDE.md"].startswith("# Our rules\n\nBe kind.\n\n<!-- opsnest")
    assert files[".gitignore"].splitlines()[:2] == ["dist/", "*.duckdb"]
    assert files[".gitignore"].count("*.duckdb\n") == 1
    merged = json.loads(files[".mcp.json"])
    assert merged == {"mcpServers": {"github": {"command": "gh"}, "opsnest": SERVER}, "x": "é"}
    assert "é" in files[".mcp.json"]
    assert '\n    "x"' in files[".mcp.json"]
    permissions = json.loads(files[".claude/settings.json"])["permissions"]
    assert permissions["deny"][0] == "Read(.env)"
    assert permissions["allow"] == ["Bash(ls)"]


def test_comments_and_tables_of_toml_are_kept(folder: Path) -> None:
    (folder / ".codex").mkdir()
    theirs = '# mine\nmodel = "x" # the best\n\n[mcp_servers.github]\ncommand = "gh"\n'
    (folder / ".codex/config.toml").write_text(theirs)

    init("codex", folder)
    text = tree(folder)[".codex/config.toml"]

    assert text.startswith(theirs)
    assert tomllib.loads(text)["mcp_servers"] == {"github": {"command": "gh"}, "opsnest": SERVER}


@pytest.mark.parametrize(
    ("agent", "name", "text"),
    [
        ("claude", ".mcp.json", '{"mcpServers": {"opsnest": {"command": "uvx"}}}'),
        ("codex", ".codex/config.toml", '[mcp_servers.opsnest]\ncommand = "uvx"\n'),
        ("cursor", ".cursor/rules/opsnest.mdc", "my own words\n"),
    ],
)
def test_what_differs_is_kept_unless_forced(agent: str, name: str, text: str, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)

    done = init(agent, folder)
    assert tree(folder)[name] == text
    assert f"kept {name}" in done.stdout
    assert "--force replaces it" in done.stdout

    done = init(agent, folder, "--force")
    assert tree(folder)[name] != text
    assert f"updated {name}" in done.stdout
    assert "unchanged" in init(agent, folder).stdout
    assert "kept" not in init(agent, folder).stdout


def test_our_block_is_renewed_in_its_place(folder: Path) -> None:
    init("codex", folder)
    text = (folder / "AGENTS.md").read_text()
    changed = "# Before\n" + text.replace("read `opsnest context", "guess") + "\n# After\n"
    (folder / "AGENTS.md").write_text(changed)

    init("codex", folder)

    assert (folder / "AGENTS.md").read_text() == f"# Before\n{text}\n# After\n"


@pytest.mark.parametrize(
    ("agent", "name", "text", "words"),
    [
        ("claude", ".mcp.json", "{ // mine\n}", "not a JSON object"),
        ("claude", ".mcp.json", "[]", "not a JSON object"),
        ("claude", ".mcp.json", '{"mcpServers": 1}', "in the place of mcpServers.opsnest"),
        ("claude", ".claude/settings.json", '{"permissions": {"deny": 1}}', "permissions.deny"),
        ("codex", ".codex/config.toml", "= no", "not TOML"),
        ("codex", ".codex/config.toml", "mcp_servers = 1", "not TOML that a table"),
        ("codex", "AGENTS.md", "<!-- opsnest -->\nand no end", "begins and does not end"),
        ("cursor", ".cursorignore", "\udcff", "not text in UTF-8"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_stops_all(
    agent: str, name: str, text: str, words: str, folder: Path
) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(errors="surrogateescape"))

    done = init(agent, folder)

    assert done.exit_code == 3
    assert words in done.stderr
    assert name in done.stderr
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [Path(name).name]


def test_nothing_is_written_through_a_link_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / ".claude").symlink_to(outside)

    done = init("claude", folder)

    assert done.exit_code == 3
    assert "nothing is written outside" in done.stderr
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("agent", "folder", "words"),
    [("copilot", ".", "claude, cursor, codex"), ("claude", "nowhere", "is no folder")],
)
def test_wrong_words_are_told(agent: str, folder: str, words: str) -> None:
    done = init(agent, Path(folder))
    assert done.exit_code == 3
    assert words in done.stderr


def test_line_ends_of_windows_stay(folder: Path) -> None:
    (folder / ".gitignore").write_bytes(b"dist/\r\n*.log\r\n")
    init("codex", folder)
    assert (folder / ".gitignore").read_bytes().startswith(b"dist/\r\n*.log")


# whatever is there


calm = settings(deadline=None)


@calm
@given(st.text())
def test_any_text_keeps_what_it_has_and_is_the_same_twice(text: str) -> None:
    try:
        once = with_block(text, "ours")
    except ConfigurationError:
        return
    assert text.strip() in once
    assert with_block(once, "ours") == once
    lines = with_lines(text, ["a", "b"])
    assert lines.startswith(text.rstrip())
    assert with_lines(lines, ["a", "b"]) == lines


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@calm
@given(st.dictionaries(st.sampled_from(["mcpServers", "permissions", "x"]), values))
def test_any_object_keeps_its_members_and_is_the_same_twice(there: dict[str, object]) -> None:
    text = json.dumps(there)
    try:
        entry = with_entry(text, ("mcpServers", "opsnest"), SERVER, force=False)
        items = with_items(text, ("permissions", "deny"), ["Read(x)"])
    except ConfigurationError:
        return
    assert with_entry(entry, ("mcpServers", "opsnest"), SERVER, force=True) == entry
    assert with_items(items, ("permissions", "deny"), ["Read(x)"]) == items
    assert json.loads(entry).get("x") == there.get("x")
    assert json.loads(items).get("mcpServers") == there.get("mcpServers")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1\n",
        "mcp_servers = {}\n",
        'mcp_servers = { github = { command = "gh" } }\n',
        "[mcp_servers]\n",
        '[mcp_servers]\nopsnest = { command = "uvx" }\n',
        '[mcp_servers.opsnest]\ncommand = "uvx"\n[other]\nx = 1\n',
    ],
)
def test_toml_in_any_form_gets_the_table(text: str) -> None:
    before = tomllib.loads(text)
    after = with_toml(text, ("mcp_servers", "opsnest"), SERVER, force=True)
    read = tomllib.loads(after)
    assert read["mcp_servers"]["opsnest"] == SERVER
    assert {name: value for name, value in read.items() if name != "mcp_servers"} == {
        name: value for name, value in before.items() if name != "mcp_servers"
    }
    assert with_toml(after, ("mcp_servers", "opsnest"), SERVER, force=True) == after
