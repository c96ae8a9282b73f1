"""What stands around a test's body: the file's beginning, imports, the test's header and end."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from heron.editor.document import Document
from heron.editor.syntax.signatures import Definition

_ROOTS = frozenset(("src", "server", "lib", "site-packages"))


@dataclass(frozen=True, slots=True)
class Frame:
    """`opening` and `closing` enclose the test in its file, `header` and `footer` the body in the test.

    `statement` is an import the test needs, for a file that is there; a new one has it in its opening.
    """

    opening: str
    header: str
    footer: str
    closing: str = ""
    statement: str = ""

    def around(self, body: str) -> str:
        return f"{self.opening}{self.header}{body}{self.footer}{self.closing}\n"


def find_frame(definition: Definition, uri: str, there: str) -> Frame:
    """The frame for a test of a definition in the file `uri`, which has the text `there`; empty for a new one."""
    match definition.tree.language.name:
        case "python":
            return _python(definition, there)
        case "go":
            return _go(definition, there)
        case "rust":
            return _rust(definition, there)
        case "java":
            return _java(definition, there)
        case _:
            return _javascript(definition, uri, there)


def _python(definition: Definition, there: str) -> Frame:
    owner, name = definition.owner, definition.name
    statement = f"from {module_name(_path(definition.tree.document))} import {owner or name}"
    annotation = " -> None" if definition.returns else ""
    lead = f"    {_snake(owner)} = {owner}(" if owner else f"    assert {name}("
    header = f"def test_{name.strip('_')}(){annotation}:\n{lead}"
    return Frame("\n\n" if there else f"{statement}\n\n\n", header, "", statement=statement)


def _go(definition: Definition, there: str) -> Frame:
    package = re.search(r"^package\s+(\w+)", definition.tree.document.text, re.MULTILINE)
    opening = f'package {package[1] if package else "main"}\n\nimport "testing"\n\n'
    name = definition.name[:1].upper() + definition.name[1:]
    lead = "" if definition.node.type == "method_declaration" else f"if got := {definition.name}("
    return Frame("\n" if there else opening, f"func Test{name}(t *testing.T) {{\n\t{lead}", "\n}")


def _rust(definition: Definition, there: str) -> Frame:
    """Unit tests stand in the file itself, in a module of their own name where `tests` is taken."""
    name = definition.name
    module = f"tests_of_{name}" if re.search(r"\bmod tests\b", there) else "tests"
    opening = f"\n#[cfg(test)]\nmod {module} {{\n    use super::*;\n\n"
    lead = "" if definition.owner else f"assert_eq!({name}("
    return Frame(opening, f"    #[test]\n    fn {name}_works() {{\n        {lead}", "\n    }", "\n}")


def _java(definition: Definition, there: str) -> Frame:
    document, name = definition.tree.document, definition.name
    package = re.search(r"^package\s+[\w.]+;", document.text, re.MULTILINE)
    source = posixpath.basename(_path(document)).removesuffix(".java")
    imports = "import static org.junit.jupiter.api.Assertions.*;\n\nimport org.junit.jupiter.api.Test;\n\n"
    method = name[:1].lower() + name[1:]
    opening = (f"{package[0]}\n\n" if package else "") + imports + f"class {source}Test {{\n"
    more = f"\nclass {source}{name[:1].upper()}{name[1:]}Test {{\n"
    return Frame(more if there else opening, f"    @Test\n    void {method}Works() {{\n        ", "\n    }", "\n}")


def _javascript(definition: Definition, uri: str, there: str) -> Frame:
    folder = posixpath.dirname(unquote(uri))
    source = re.sub(r"\.[cm]?[jt]sx?$", "", posixpath.relpath(unquote(definition.tree.document.uri), folder))
    statement = (
        f'import {{ {definition.owner or definition.name} }} from "{source if source[0] == "." else "./" + source}";'
    )
    lead = "" if definition.owner else f"expect({definition.name}("
    header = f'test("{definition.name}", () => {{\n  {lead}'
    return Frame("\n" if there else f"{statement}\n\n", header, "\n});", statement=statement)


def module_name(path: str) -> str:
    """How a test imports a Python file: from below `src/` or the like, else by its own name."""
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    borders = [n for n, part in enumerate(parts[:-1]) if part in _ROOTS or not part.isidentifier()]
    is_rooted = any(part in _ROOTS for part in parts[:-1])
    return ".".join(parts[borders[-1] + 1 :]) if borders and is_rooted else parts[-1]


def _path(document: Document) -> str:
    return unquote(document.uri.removeprefix("file://"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
