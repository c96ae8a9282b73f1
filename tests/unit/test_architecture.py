"""The house's rules, read from the source with `ast`: who may import whom, fences, sizes, prints, re-exports."""

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "server" / "heron"
SHARED = {"heron", "wire", "errors", "settings", "discovery", "logs"}

# What each area may import besides itself and the shared files.
EDITOR: dict[str, set[str]] = {
    "editor.document": set(),
    "editor.diagnostic": {"editor.document"},
    "editor.workspace": {"editor.document"},
    "editor.syntax": {"editor.document"},
    "editor.client": set(),
    "editor.database": set(),
    "editor.stats": {"editor.database", "editor.document"},
    "editor.context": {"editor.workspace", "editor.syntax", "editor.diagnostic", "editor.document"},
    "editor.prompt": {"editor.context", "editor.syntax", "editor.diagnostic", "editor.document"},
    "editor.postprocess": {"editor.syntax", "editor.document"},
    "editor.tools": {"editor.context", "editor.workspace", "editor.syntax", "editor.diagnostic", "editor.document"},
}
EDITOR["editor.features"] = {*EDITOR}
EDITOR["editor.lsp"] = {*EDITOR}
HOST: dict[str, set[str]] = {
    "host.models": set(),
    "host.compiler": {"host.models"},
    "host.engine": {"host.models", "host.compiler"},
    "host.recovery": {"host.engine"},
    "host.workers": {"host.recovery", "host.engine"},
    "host.replay": set(),
    "host.pooled_engine": {"host.replay", "host.engine"},
    "host.pool": {"host.pooled_engine", "host.workers", "host.recovery", "host.engine"},
    "host.fleet": {"host.pool", "host.workers", "host.engine", "host.models"},
    "host.tokens": set(),
    "host.api": {"host.pool", "host.engine", "host.tokens"},
    "host.deploy": {"host.api", "host.fleet", "host.engine"},
}
TOP: dict[str, set[str]] = {
    "cli": {"app", "commands"},
    "__main__": {"cli"},
    "samples": set(),
    "app": {"editor.lsp", *(area for area in HOST if area not in ("host.compiler", "host.replay"))},
    # A command may use the files of one wing; which one is checked file by file.
    "commands": {"samples", *EDITOR, *HOST} - {"editor.lsp", "editor.features", "host.api"},
}
ALLOWED: dict[str, set[str]] = {**{name: set() for name in SHARED}, **EDITOR, **HOST, **TOP}

# A third-party package may be imported only below these places.
FENCES = {
    "pygls": ("editor.lsp",),
    "lsprotocol": ("editor.lsp",),
    "tree_sitter": ("editor.syntax",),
    "fastapi": ("host.api", "host.deploy"),
    "starlette": ("host.api", "host.deploy"),
    "uvicorn": ("host.api", "host.deploy"),
    "tvm": ("host.compiler", "host.engine.tvm_engine", "host.engine.mlc_machine"),
    "tvm_ffi": ("host.compiler", "host.engine.tvm_engine", "host.engine.mlc_machine"),
    "mlc_llm": ("host.engine.mlc_engine",),
    "ray": ("host.deploy",),
    "rich": ("commands",),
    "mcp": ("editor.tools.mcp",),
    "mcp_types": ("editor.tools.mcp",),
    "jsonschema": ("editor.tools.validation",),
}
# TVM hands a model's inputs over flat.
FLAT_INPUTS = {"host.compiler.decoder.decode", "host.compiler.decoder.forward"}
NO_IO = ("editor.document", "editor.syntax.tree", "editor.context.budget", "editor.prompt", "editor.postprocess")
IO_MODULES = {"io", "os", "pathlib", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "httpx", "urllib"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    name: str
    """Dotted, without the leading `heron.`; the package itself is `heron`."""
    path: Path
    source: str
    tree: ast.Module

    @property
    def area(self) -> str:
        parts = self.name.split(".")
        return ".".join(parts[:2]) if parts[0] in ("editor", "host") and len(parts) > 1 else parts[0]


@cache
def modules() -> tuple[Module, ...]:
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if "samples" not in path.parts[:-1] or path.stem == "holes"]
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> Module:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "heron"
    source = path.read_text(encoding="utf-8")
    return Module(name, path, source, ast.parse(source))


@cache
def names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def imports(module: Module) -> Iterator[str]:
    """Dotted names of everything a module imports, at its top or inside functions; ours without `heron.`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}:{node.lineno}: relative import"
            yield from (_target(node.module or "", alias.name) for alias in node.names)


def _target(source: str, name: str) -> str:
    inner = f"{source}.{name}".removeprefix("heron.")
    return f"heron.{inner}" if source.startswith("heron") and inner in names() else source


def ours(module: Module) -> set[str]:
    found = {name for name in imports(module) if name == "heron" or name.startswith("heron.")}
    return {name.removeprefix("heron.") for name in found}


def area_of(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] in ("editor", "host") else parts[0]


def functions() -> Iterator[tuple[Module, Function]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                yield module, node


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_below(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def test_imports_go_only_in_the_allowed_directions() -> None:
    breaches = [
        f"{module.name} imports {target}"
        for module in modules()
        for target in ours(module)
        if area_of(target) not in ALLOWED.get(module.area, set()) | SHARED | {module.area}
    ]
    assert not breaches, "\n".join(breaches)


def test_every_area_is_in_the_plan() -> None:
    assert {module.area for module in modules()} - {"editor", "host"} <= set(ALLOWED)


def test_wings_meet_only_in_app() -> None:
    both = [
        module.name
        for module in modules()
        if module.name != "app" and {"editor", "host"} <= {name.split(".")[0] for name in ours(module)}
    ]
    assert not both
    assert not [m.name for m in modules() if m.name.startswith("editor") and any(n.startswith("host") for n in ours(m))]
    assert not [m.name for m in modules() if m.name.startswith("host") and any(n.startswith("editor") for n in ours(m))]


def test_third_party_packages_stay_behind_their_fences() -> None:
    breaches = [
        f"{module.name} imports {target}"
        for module in modules()
        for target in imports(module)
        if (places := FENCES.get(target.split(".")[0])) and not is_below(module.name, places)
    ]
    assert not breaches, "\n".join(breaches)


def test_pure_places_do_no_io() -> None:
    breaches = [
        f"{module.name} imports {target}"
        for module in modules()
        if is_below(module.name, NO_IO)
        for target in imports(module)
        if target.split(".")[0] in IO_MODULES
    ]
    assert not breaches, "\n".join(breaches)


def test_no_import_cycles() -> None:
    graph = {module.name: ours(module) & names() for module in modules()}
    cycle = _find_cycle(graph)
    assert not cycle, " -> ".join(cycle)


def _find_cycle(graph: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph[name]):
            if target != name and (cycle := visit(target, [*trail, name])):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in graph if (cycle := visit(name, []))), [])


def test_cycles_are_seen() -> None:
    assert _find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]


def test_files_are_at_most_400_lines() -> None:
    assert not {module.name: n for module in modules() if (n := module.source.count("\n")) > 400}


def test_functions_are_short() -> None:
    assert not {f"{module.name}.{node.name}": length(node) for module, node in functions() if length(node) > 50}
    lengths = sorted(length(node) for _, node in functions())
    assert statistics.median(lengths) <= 10
    assert lengths[len(lengths) * 9 // 10] <= 25


def test_functions_take_at_most_five_parameters() -> None:
    def count(node: Function) -> int:
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        return len([argument for argument in given if argument.arg not in ("self", "cls")])

    crowded = {f"{module.name}.{node.name}": n for module, node in functions() if (n := count(node)) > 5}
    assert set(crowded) <= FLAT_INPUTS, crowded


def test_only_commands_print() -> None:
    breaches = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if module.area != "commands"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not breaches


def test_packages_export_nothing() -> None:
    inits = [module for module in modules() if module.path.name == "__init__.py"]
    assert not [module.name for module in inits if any(imports(module))]


def test_nothing_is_kept_in_globals() -> None:
    assert not [module.name for module in modules() if any(isinstance(n, ast.Global) for n in ast.walk(module.tree))]


@pytest.mark.parametrize(
    "heavy", ["tvm", "fastapi", "pydantic", "httpx", "tokenizers", "gguf", "rich", "jsonschema", "mcp"]
)
def test_language_server_starts_without(heavy: str) -> None:
    assert heavy not in _modules_of_lsp()


@cache
def _modules_of_lsp() -> frozenset[str]:
    code = "import heron.cli, heron.app, heron.editor.lsp.server, sys; print(*{n.split('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())
