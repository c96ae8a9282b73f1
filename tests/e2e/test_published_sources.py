"""Every query on a real source file of its language, from a published package, against what was found there before.

After a change: `python tests/e2e/test_published_sources.py` writes `published_sources.json` anew; read the difference
before keeping it. Releases are exact. Where none can be fetched, or a grammar is not the one the findings are of, the
test is left out and says so.
"""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from tree_sitter import QueryCursor

from bench.quality.packages import Package, unpack
from heron.editor.document import Document
from heron.editor.syntax.embedded import find_script, read_parts
from heron.editor.syntax.imports import read_imports
from heron.editor.syntax.languages import Language, load_languages
from heron.editor.syntax.signatures import read_definitions
from heron.editor.syntax.tags import read_calls, read_tags
from heron.editor.syntax.tree import Tree, load_query, parse

FINDINGS = Path(__file__).with_name("published_sources.json")
STORE = Path(__file__).parents[2] / ".heron" / "packages"

PYGMENTS = Package("sdist", "pygments", "2.19.2", "pygments-2.19.2")
EXAMPLES = "tests/examplefiles"
KIT = Package("npm", "@sveltejs/kit", "2.8.0", "package")
MOBX = Package("npm", "mobx", "6.13.5", "package")
NAVIGATION = Package("npm", "@react-navigation/core", "7.3.1", "package")
SONNER = Package("npm", "svelte-sonner", "0.3.28", "package")
THOR = Package("deb", "ruby-thor", "1.2.1-2", "usr/share/rubygems-integration/all/gems/thor-1.2.1/lib/thor")
SMALLVEC = Package("deb", "librust-smallvec-dev", "1.9.0-1", "usr/share/cargo/registry/smallvec-1.9.0")
GIN = Package("deb", "golang-github-gin-gonic-gin-dev", "1.8.1-1", "usr/share/gocode/src/github.com/gin-gonic/gin")

# language, package, file, what stands at the start of a line that defines something (None: nothing that has a name)
SOURCES = [
    ("python", PYGMENTS, "pygments/lexer.py", r"^ *(?:def|class) (\w+)"),
    ("javascript", KIT, "src/runtime/client/client.js", r"^(?:export )?(?:async )?function (\w+)"),
    ("typescript", MOBX, "src/types/observableobject.ts", r"^(?:export )?(?:function|class|interface|type) (\w+)"),
    ("tsx", NAVIGATION, "src/useNavigationBuilder.tsx", r"^(?:export )?(?:function|type) (\w+)"),
    ("go", GIN, "context.go", r"^(?:func (?:\(.*?\) )?|type )(\w+)"),
    ("rust", SMALLVEC, "src/lib.rs", r"^ *(?:pub )?(?:unsafe )?(?:fn|struct|enum|trait) (\w+)"),
    ("java", PYGMENTS, f"{EXAMPLES}/java/test.java", r"^ *(?:public |private |static |final )*class (\w+)"),
    ("c", PYGMENTS, f"{EXAMPLES}/c/example.c", r"^static \w[\w *]*?(\w+)\([^;]*$"),
    ("cpp", PYGMENTS, f"{EXAMPLES}/cpp/example.cpp", r"^class (\w+)[^;]*$"),
    ("csharp", PYGMENTS, f"{EXAMPLES}/csharp/test.cs", r"^ *(?:public |internal |sealed )*class (\w+)"),
    ("ruby", THOR, "base.rb", r"^ *(?:class|module|def) (?:self\.)?(\w+[?!]?)"),
    ("php", PYGMENTS, f"{EXAMPLES}/php/test.php", r"^\s*(?:public |private )?function &?(\w+)"),
    ("bash", PYGMENTS, f"{EXAMPLES}/bash/ltmain.sh", r"^(\w+) \(\)"),
    ("lua", PYGMENTS, f"{EXAMPLES}/lua/example.lua", r"^(?:local )?function (?:\w+[.:])*(\w+)"),
    ("json", KIT, "package.json", None),
    ("yaml", PYGMENTS, f"{EXAMPLES}/yaml/example.yaml", None),
    ("toml", PYGMENTS, f"{EXAMPLES}/toml/example.toml", r"^\[([\w.]+)\]"),
    ("html", PYGMENTS, f"{EXAMPLES}/html/test.html", None),
    ("vue", PYGMENTS, f"{EXAMPLES}/vue/test.vue", None),
    ("svelte", SONNER, "dist/Toaster.svelte", r"^\s*function (\w+)"),
    ("css", PYGMENTS, "doc/_static/demo.css", None),
    ("markdown", MOBX, "README.md", r"^#+ (.+)$"),
]
IDS = [case[0] for case in SOURCES]
NAMING = [(*case[:3], case[3]) for case in SOURCES if case[3] is not None]


@pytest.fixture(scope="module", autouse=True)
def fetched() -> None:
    """All packages at once: each mostly waits for the network. Those that cannot be had are missed by their tests."""
    STORE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as threads:
        list(threads.map(fetch, {case[1] for case in SOURCES}))


@cache
def fetch(package: Package) -> Path | str:
    """The folder of a package, or why there is none."""
    try:
        return unpack(package, STORE)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{package.name} cannot be fetched: {error}"


def read_source(name: str, package: Package, file: str) -> Tree:
    folder = fetch(package)
    if isinstance(folder, str):
        pytest.skip(folder)
    path = folder / file
    tree = parse(Document(path.as_uri(), 1, load_languages()[name].ids[0], path.read_text(encoding="utf-8")))
    assert tree is not None
    return tree


def describe(tree: Tree) -> dict[str, Any]:
    """What the queries find: the names of definitions and imports, how many of all else."""
    code = parse(find_script(tree.document)) or tree  # names are those of a component's script
    tags, calls, definitions = read_tags(code), Counter(call.name for call in read_calls(code)), read_definitions(code)
    kinds = sorted({tag.kind for tag in tags})
    return {
        "grammar": version_of(tree.language),
        "tags": {kind: " ".join(tag.name for tag in tags if tag.kind == kind) for kind in kinds},
        "in_containers": sum(bool(tag.container) for tag in tags),
        "documented": sum(bool(tag.doc) for tag in tags),
        "characters_of_signatures": sum(len(tag.signature) for tag in tags),
        "calls": {"all": calls.total(), "names": len(calls), **dict(calls.most_common(5))},
        "imports": [" ".join(filter(None, (one.module, *one.names, one.alias))) for one in read_imports(code)],
        "parameters": sum(len(one.parameters) for one in definitions),
        "scopes": count_scopes(tree),
        "embeds": dict(Counter(part.language for part in read_parts(tree.document))),
    }


def count_scopes(tree: Tree) -> dict[str, int]:
    """How many strings, comments and definitions the scopes query finds."""
    query = load_query(tree.language, "scopes")
    captures = QueryCursor(query).captures(tree.syntax.root_node) if query is not None else {}
    return {name: len(nodes) for name, nodes in sorted(captures.items())}


def version_of(language: Language) -> str:
    """Which release of its grammar is installed: another may read a few places otherwise."""
    name = language.grammar.partition(":")[0].replace("_", "-")
    return f"{name} {importlib.metadata.version(name)}"


@pytest.mark.parametrize(("name", "package", "file"), [case[:3] for case in SOURCES], ids=IDS)
def test_queries_find_what_they_found(name: str, package: Package, file: str) -> None:
    tree, expected = read_source(name, package, file), json.loads(FINDINGS.read_text(encoding="utf-8"))[name]
    if version_of(tree.language) != expected["grammar"]:
        pytest.skip(f"the findings are of {expected['grammar']}, installed is {version_of(tree.language)}")
    assert describe(tree) == expected


@pytest.mark.parametrize(("name", "package", "file", "definition"), NAMING, ids=[case[0] for case in NAMING])
def test_what_stands_at_the_start_of_a_line_is_found(name: str, package: Package, file: str, definition: str) -> None:
    tree = read_source(name, package, file)
    script = find_script(tree.document)
    wanted = set(re.findall(definition, script.text, re.MULTILINE))
    found = {tag.name for tag in read_tags(parse(script) or tree)}
    assert wanted
    assert wanted <= found


def test_every_language_has_a_source() -> None:
    assert list(load_languages()) == IDS


if __name__ == "__main__":
    found = {name: describe(read_source(name, package, file)) for name, package, file, _ in SOURCES}
    FINDINGS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
