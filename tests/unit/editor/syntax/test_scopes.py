"""Each language's scopes query, on a snippet of that language: what holds the marked cursor."""

import pytest

from heron.editor.document import Document
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.tree import Tree, parse

# language, snippet with its cursor, first line of the definition around it (None: no such scope)
SCOPES = [
    ("python", "class A:\n    def f(self):\n        return 1│\n", "def f(self):"),
    ("javascript", "const f = (x) => {\n  return x│;\n};\n", "(x) => {"),
    ("typescript", "interface A {\n  b: string;│\n}\n", "interface A {"),
    ("tsx", "function V() {\n  return <p>a│</p>;\n}\n", "function V() {"),
    ("go", "package a\n\nfunc f() int {\n\treturn 1│\n}\n", "func f() int {"),
    ("rust", "impl A {\n    fn f() -> u32 {\n        1│\n    }\n}\n", "fn f() -> u32 {"),
    ("java", "class A {\n  int f() {\n    return 1│;\n  }\n}\n", "int f() {"),
    ("c", "int f(void) {\n  return 1│;\n}\n", "int f(void) {"),
    ("cpp", "namespace a {\nint f() {\n  return 1│;\n}\n}\n", "int f() {"),
    ("csharp", "class A {\n  int F() {\n    return 1│;\n  }\n}\n", "int F() {"),
    ("ruby", "class A\n  def f\n    1│\n  end\nend\n", "def f"),
    ("php", "<?php\nfunction f() {\n  return 1│;\n}\n", "function f() {"),
    ("bash", "f() {\n  echo a│\n}\n", "f() {"),
    ("lua", "local function f()\n  return 1│\nend\n", "local function f()"),
    ("json", '{"a": [1, 2│]}\n', None),
    ("yaml", "a:\n  b: 1│\n", None),
    ("toml", "[a]\nb = [1, 2│]\n", "[a]"),
    ("html", "<ul>\n  <li>a│</li>\n</ul>\n", None),
    ("vue", "<ul>\n  <li>a│</li>\n</ul>\n", None),
    ("svelte", "<ul>\n  <li>a│</li>\n</ul>\n", None),
    ("css", ".a {\n  color: red│;\n}\n", ".a {"),
    ("markdown", "# A\n\n```sh\nls│\n```\n", "# A"),
]
INSIDE = [
    ("python", 'f"a{1}b│"', "string"),
    ("javascript", "`a│`", "string"),
    ("typescript", "// a│", "comment"),
    ("tsx", "const a = 'b│';", "string"),
    ("go", "package a\nvar b = `c│`", "string"),
    ("rust", '/// a│\nfn f() { "b"; }', "comment"),
    ("java", 'class A { String b = "c│"; }', "string"),
    ("c", "/* a│ */ int b;", "comment"),
    ("cpp", 'auto a = R"(b│)";', "string"),
    ("csharp", 'class A { string B = @"c│"; }', "string"),
    ("ruby", "a = 'b│'", "string"),
    ("php", "<?php # a│", "comment"),
    ("bash", "echo 'a│'", "string"),
    ("lua", "--[[ a│ ]]", "comment"),
    ("json", '{"a": "b│"}', "string"),
    ("yaml", "a: 'b│'", "string"),
    ("toml", "a = 1 # b│", "comment"),
    ("html", '<a href="b│">c</a>', "string"),
    ("vue", '<a href="b│">c</a>', "string"),
    ("svelte", "<!-- a│ -->", "comment"),
    ("css", "/* a│ */", "comment"),
    ("markdown", "a│ b", "code"),
]


def at(name: str, marked: str) -> tuple[Tree, int]:
    text = marked.replace("│", "")
    tree = parse(Document("file:///a", 1, load_languages()[name].ids[0], text))
    assert tree is not None
    assert not tree.has_error
    return tree, marked.index("│")


@pytest.mark.parametrize(("name", "marked", "definition"), SCOPES, ids=[case[0] for case in SCOPES])
def test_scopes_around_a_position(name: str, marked: str, definition: str | None) -> None:
    tree, offset = at(name, marked)
    position = tree.document.position(offset)
    scope = tree.definition_at(position)
    start = tree.document.line(scope.start.line)[scope.start.column :] if scope else None
    assert start == definition


@pytest.mark.parametrize(("name", "marked", "kind"), INSIDE, ids=[case[0] for case in INSIDE])
def test_inside_string_or_comment(name: str, marked: str, kind: str) -> None:
    tree, offset = at(name, marked)
    assert tree.inside(tree.document.position(offset)) == kind


def test_every_language_is_tried() -> None:
    assert [case[0] for case in SCOPES] == [case[0] for case in INSIDE] == list(load_languages())
