"""Make `roost/sync` of the async groups of methods.

python packages/owlette-sdk/scripts/generate_sync.py          # writes them
python packages/owlette-sdk/scripts/generate_sync.py --check  # fails if they are not up to date
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "roost"
TARGET = SOURCE / "sync"
#: Where names in signatures come from, beside the module of the group itself.
SHARED = (
    "collections.abc",
    "typing",
    "pathlib",
    "roost._constants",
    "roost._streaming",
    "roost.resources._resource",
    "roost.resources.keys",
)
NOTE = "Made by `scripts/generate_sync.py`: do not edit."
FUTURE = "from __future__ import annotations\n\n"
HEAD = f'''"""The client without asyncio. {NOTE}

Each call runs in a loop that belongs to a thread of the client, and returns when it is done.

    with RoostSync(token=os.environ["OWLETTE_TOKEN"]) as client:
        for site in client.sites.list():
            print(site.id, site.name)
"""

{FUTURE}'''


class Group:
    """A group of methods, as it is written."""

    def __init__(self, module: str, node: ast.ClassDef) -> None:
        self.module = module
        self.name = node.name
        self.node = node

    @property
    def methods(self) -> Iterator[ast.AsyncFunctionDef]:
        """The public methods."""
        for each in self.node.body:
            if isinstance(each, ast.AsyncFunctionDef) and not each.name.startswith("_"):
                yield each

    @property
    def members(self) -> Iterator[tuple[str, str]]:
        """The names and classes of the groups inside."""
        for each in ast.walk(self.node):
            yield from _group_in(each)


def _group_in(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Return the name and class of the group that a statement makes an attribute, if it does."""
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Attribute):
        return
    if not node.target.attr.startswith("_") and isinstance(node.value, ast.Call):
        yield node.target.attr, ast.unparse(node.value.func)


def groups() -> list[Group]:
    """Return all groups, those that are in others first."""
    found: list[Group] = []
    for file in sorted((SOURCE / "resources").glob("[a-z]*.py")):
        for node in ast.parse(file.read_text()).body:
            is_group = isinstance(node, ast.ClassDef) and "Resource" in map(ast.unparse, node.bases)
            if isinstance(node, ast.ClassDef) and is_group:
                found.append(Group(f"roost.resources.{file.stem}", node))
    return sorted(found, key=lambda each: bool(list(each.members)))


def written(group: Group, imports: dict[str, set[str]]) -> str:
    """Return the class of a group, and take note of what it needs."""
    doc = (ast.get_docstring(group.node) or "").splitlines()[0]
    imports[group.module].add(group.name)
    lines = [
        f"class {group.name}Sync:",
        f'    """{doc}"""',
        "",
        f"    def __init__(self, group: {group.name}, portal: Portal) -> None:",
        "        self._group = group",
        "        self._portal = portal",
    ]
    for name, kind in group.members:
        lines.append(f"        self.{name}: {kind}Sync = {kind}Sync(group.{name}, portal)")
    for method in group.methods:
        lines += ["", *_method(group, method, imports)]
    return "\n".join(lines)


def _method(
    group: Group, method: ast.AsyncFunctionDef, imports: dict[str, set[str]]
) -> Iterator[str]:
    returns = ast.unparse(method.returns) if method.returns else "None"
    yields = returns.startswith("AsyncGenerator[")
    if yields:
        item = returns.removeprefix("AsyncGenerator[").removesuffix(", None]")
        returns = f"Generator[{item}, None, None]"
        imports["collections.abc"].add("Generator")
    _note_names(group, imports, method, returns)
    arguments = method.args
    passed = [each.arg for each in arguments.args[1:]]
    passed += [f"{each.arg}={each.arg}" for each in arguments.kwonlyargs]
    call = f"self._group.{method.name}({', '.join(passed)})"
    runs = "iterate" if yields else "run"
    doc = (ast.get_docstring(method) or "").splitlines()[0]
    yield f"    def {method.name}({ast.unparse(arguments)}) -> {returns}:"
    more = f"For the rest, see `{group.name}.{method.name}`."
    yield f'        """{doc}\n\n        {more}\n        """'
    yield f"        return self._portal.{runs}({call})"


def _note_names(
    group: Group,
    imports: dict[str, set[str]],
    method: ast.AsyncFunctionDef,
    returns: str,
) -> None:
    own = importlib.import_module(group.module)
    trees = [ast.parse(returns, mode="eval"), method.args]
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in names:
        if name in {"builtins", "os"}:
            imports[name].add("")
        elif name in own.__all__:
            imports[group.module].add(name)
        elif not hasattr(builtins, name):
            where = next(each for each in SHARED if hasattr(importlib.import_module(each), name))
            imports[where].add(name)


def client(imports: dict[str, set[str]]) -> str:
    """Return the class of the client: what `Roost` has, for each group."""
    tree = ast.parse((SOURCE / "_roost.py").read_text())
    roost = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    by_name = {node.name: node for node in roost.body if isinstance(node, ast.FunctionDef)}
    start = by_name["__init__"]
    given = ", ".join(f"{each.arg}={each.arg}" for each in start.args.kwonlyargs)
    lines = [
        "class RoostSync:",
        '    """The Owlette API, for scripts without asyncio. It takes what `Roost` takes."""',
        "",
        f"    def __init__({ast.unparse(start.args)}) -> None:",
        "        self._portal = Portal()",
        f"        self._use(Roost({given}), self._portal)",
        "",
        "    def _use(self, roost: Roost, portal: Portal) -> None:",
        "        self._roost = roost",
    ]
    for node in ast.walk(by_name["_use"]):
        for name, kind in _group_in(node):
            lines.append(f"        self.{name}: {kind}Sync = {kind}Sync(roost.{name}, portal)")
    own = {"__init__", "__repr__", "_use", "with_options"}
    for name, node in by_name.items():
        if name in own:
            continue
        passed = ", ".join(each.arg for each in node.args.args[1:])
        kind = ast.unparse(node.returns) if node.returns else ""
        lines += [
            "",
            f"    def {name}({ast.unparse(node.args)}) -> {kind}Sync:",
            f'        """{ast.get_docstring(node)}"""',
            f"        return {kind}Sync(self._roost.{name}({passed}), self._portal)",
        ]
    options = by_name["with_options"]
    given = ", ".join(f"{each.arg}={each.arg}" for each in options.args.kwonlyargs)
    doc = (ast.get_docstring(options) or "").splitlines()[0]
    lines += [
        "",
        f"    def with_options({ast.unparse(options.args)}) -> RoostSync:",
        f'        """{doc}\n\n        For the rest, see `Roost.with_options`.\n        """',
        "        made = object.__new__(RoostSync)",
        "        made._portal = self._portal",
        f"        made._use(self._roost.with_options({given}), self._portal)",
        "        return made",
        "",
        *CLOSING.splitlines(),
    ]
    imports["roost._roost"].add("Roost")
    imports["roost._portal"].add("Portal")
    imports["types"].add("TracebackType")
    imports["httpx"].add("")
    imports["collections.abc"] |= {"Callable", "Mapping"}
    imports["roost._constants"] |= {"DEFAULT_API_URL", "DEFAULT_ROOST_VERSION", "Environment"}
    imports["roost._hooks"] |= {"RequestDetails", "RetryDetails"}
    imports["roost._retry"].add("RetryPolicy")
    return "\n".join(lines)


CLOSING = '''    def close(self) -> None:
        """Close all connections, and end the thread."""
        self._portal.run(self._roost.close())
        self._portal.close()

    def __enter__(self) -> RoostSync:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()'''


def made() -> dict[Path, str]:
    """Return all files of `roost/sync`, as they have to be."""
    files: dict[Path, str] = {}
    places: dict[str, set[str]] = defaultdict(set)
    by_module: dict[str, list[Group]] = defaultdict(list)
    for group in groups():
        by_module[group.module].append(group)
    for module, every in by_module.items():
        imports: dict[str, set[str]] = defaultdict(set, {"roost._portal": {"Portal"}})
        classes = [written(group, imports) for group in every]
        noun = module.rpartition(".")[2]
        names = [f"{group.name}Sync" for group in every]
        places[f"roost.sync.{noun}"] |= set(names)
        head = f"""\"\"\"`{noun}` without asyncio. {NOTE}\"\"\"\n\n{FUTURE}"""
        files[TARGET / f"{noun}.py"] = _file(head, imports, names, classes)
    text = client(places)
    used = {
        module: {name for name in names if f"{name}(" in text or f" {name}\n" in text}
        for module, names in places.items()
        if module.startswith("roost.sync.")
    }
    files[TARGET / "__init__.py"] = _file(HEAD, {**places, **used}, ["RoostSync"], [text])
    return {file: _tidy(file, text) for file, text in files.items()}


def _file(head: str, imports: dict[str, set[str]], names: list[str], classes: list[str]) -> str:
    lines = [
        f"from {module} import {', '.join(sorted(names))}" if any(names) else f"import {module}"
        for module, names in sorted(imports.items())
        if names
    ]
    public = f"__all__ = [{', '.join(f'{name!r}' for name in sorted(names))}]"
    return head + "\n".join(lines) + f"\n\n{public}\n\n\n" + "\n\n\n".join(classes) + "\n"


def _tidy(file: Path, code: str) -> str:
    """Return the code as ruff writes it."""
    for command in (["check", "--select", "I", "--fix"], ["format"]):
        code = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", file, "-"],
            input=code,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return code


def main() -> int:
    """Write them, or compare."""
    parser = argparse.ArgumentParser(description="Make roost/sync of the async client.")
    parser.add_argument("--check", action="store_true", help="fail if they are not up to date")
    files = made()
    if parser.parse_args().check:
        return int(files != {file: file.read_text() for file in TARGET.glob("*.py")})
    TARGET.mkdir(exist_ok=True)
    for file in TARGET.glob("*.py"):
        file.unlink()
    for file, text in files.items():
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
