"""The queries on real source files, against another reader: Python's own parser, or what stands at line starts."""

import ast
import re
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from heron.editor.document import Document
from heron.editor.syntax.imports import read_imports
from heron.editor.syntax.tags import read_calls, read_tags
from heron.editor.syntax.tree import Tree, parse

CHECKOUT = Path(__file__).parents[4]
MODULES = (
    *("argparse", "ast", "bdb", "calendar", "codecs", "configparser", "contextlib", "copy", "csv", "dataclasses"),
    *("enum", "fractions", "functools", "gzip", "heapq", "inspect", "ipaddress", "netrc", "numbers", "os", "pickle"),
    *("queue", "random", "sched", "selectors", "shlex", "smtplib", "socket", "ssl", "string", "subprocess", "tempfile"),
    *("textwrap", "threading", "tokenize", "traceback", "types", "uuid", "weakref", "zipapp"),
)
OWN = [
    ("editors/neovim", "*.lua", r"^\s*(?:local )?function (?:[\w.]+[.:])?(\w+)"),
    ("editors/vscode/src", "*.ts", r"^(?:export )?(?:async )?(?:function|class|interface) (\w+)"),
    (".", "*.md", r"^#+ (.+?)\s*$"),
    ("server/heron/editor/lsp", "*.md", r"^#+ (.+?)\s*$"),
]


def read(path: Path) -> Tree | None:
    return parse(Document(path.as_uri(), 1, "", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", MODULES)
def test_python_as_its_own_parser_reads_it(name: str) -> None:
    path = Path(sysconfig.get_path("stdlib"), f"{name}.py")
    tree, nodes = read(path), list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    assert tree is not None
    tags = {
        (tag.name, tag.range.start.line + 1) for tag in read_tags(tree) if tag.kind in ("class", "function", "method")
    }
    assert tags == {(node.name, node.lineno) for node in nodes if isinstance(node, DEFINITIONS)}
    assert Counter(call.name for call in read_calls(tree)) == Counter(called(nodes))
    found = {(one.module, part) for one in read_imports(tree) for part in one.names or ("",)}
    assert found == imported(nodes)


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def called(nodes: list[ast.AST]) -> list[str]:
    """The names that are called, those of decorators too."""
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    decorators = [one for node in nodes if isinstance(node, DEFINITIONS) for one in node.decorator_list]
    plain = [one for one in decorators if not isinstance(one, ast.Call)]
    names = [one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in (*functions, *plain)]
    return [name for name in names if name]


def imported(nodes: list[ast.AST]) -> set[tuple[str, str]]:
    modules = {(name.name, "") for node in nodes if isinstance(node, ast.Import) for name in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return modules | {("." * one.level + (one.module or ""), name.name) for one in froms for name in one.names}


@pytest.mark.parametrize(("folder", "files", "definition"), OWN, ids=[f"{case[0]}/{case[1]}" for case in OWN])
def test_what_stands_at_the_start_of_a_line_is_found(folder: str, files: str, definition: str) -> None:
    paths = (CHECKOUT / folder).rglob(files) if folder != "." else CHECKOUT.glob(files)
    trees = [tree for path in sorted(paths) if path.is_file() and (tree := read(path)) is not None]
    told = 0
    for tree in trees:
        defined = {tag.name for tag in read_tags(tree)}
        wanted = set(re.findall(definition, without_fences(tree.document.text), re.MULTILINE))
        assert wanted <= defined, tree.document.uri
        told += len(wanted)
    assert told


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
