"""What is read of functions and classes, in each language that has a query."""

import pytest

from heron.editor.document import Document, Position
from heron.editor.syntax.signatures import Definition, Parameter, find_definition, read_definitions
from heron.editor.syntax.tree import parse

CODE = {
    "python": "@a\nasync def f(self, a, *b: int, c=1, d: str = 'x', **e) -> bool:\n    if a:\n        raise x.E('no')\n"
    "    raise\n    def g(h):\n        raise K\n        return 1\n",
    "javascript": "const f = (a, {b}, c = 1, ...d) => {\n  xs.map((y) => { throw new Q(); });\n  throw new E();\n};\n",
    "typescript": "export abstract class A<T> {\n  @d() f(this: A<T>, a?: number, ...b: T[]): void {}\n}\n",
    "go": "package p\n\nfunc (s *S) F(a, b int, c func(z int), d ...string) (int, error) {\n\treturn 1, nil\n}\n",
    "rust": "impl S {\n    #[x]\n    pub fn f(&self, mut a: &str, (b, c): (u8, u8)) -> Result<u8, E> {\n"
    "        panic!()\n    }\n}\n",
    "java": "class A {\n    /** Doc. */\n    @Override\n    int f(final int a, String... b) throws E, F {\n"
    "        return 1;\n    }\n}\n",
}
NAMES = {
    "python": ["a", "*b", "c", "d", "**e"],
    "javascript": ["a", "c", "...d"],
    "typescript": ["a", "...b"],
    "go": ["a", "b", "c", "...d"],
    "rust": ["a"],
    "java": ["a", "...b"],
}


def function_of(language: str) -> Definition:
    tree = parse(Document("file:///a", 1, language, CODE[language]))
    assert tree is not None
    return next(item for item in read_definitions(tree) if item.name in ("f", "F"))


@pytest.mark.parametrize("language", CODE)
def test_parameters_in_order_without_receiver_and_patterns(language: str) -> None:
    assert [item.star + item.name for item in function_of(language).parameters] == NAMES[language]


def test_types_defaults_and_places() -> None:
    found = function_of("python").parameters
    assert found[2] == Parameter("c", "", "1", "", Position(1, 31))
    assert (found[3].type, found[3].default) == ("str", "'x'")


@pytest.mark.parametrize(
    ("language", "returns"),
    [("python", "bool"), ("typescript", "void"), ("go", "(int, error)"), ("rust", "Result<u8, E>"), ("java", "int")],
)
def test_results_as_written(language: str, returns: str) -> None:
    assert function_of(language).returns == returns


@pytest.mark.parametrize(
    ("language", "raises"), [("python", ("x.E",)), ("javascript", ("E",)), ("java", ("E", "F")), ("go", ())]
)
def test_only_its_own_exceptions(language: str, raises: tuple[str, ...]) -> None:
    assert function_of(language).raises == raises


def test_a_value_returned_within_another_function_is_not_its_own() -> None:
    assert not function_of("python").returns_value
    assert function_of("rust").panics


@pytest.mark.parametrize(
    ("language", "line"), [("python", 0), ("javascript", 0), ("typescript", 1), ("go", 2), ("rust", 1), ("java", 2)]
)
def test_where_documentation_above_would_go(language: str, line: int) -> None:
    assert function_of(language).first_line.start.line == line


def test_documentation_is_found_in_its_own_form_only() -> None:
    assert function_of("java").documentation is not None
    text = "// why\nfunction f() {}\n/** x */\n\nfunction g() {}\n/** y */\nfunction h() {}\n"
    tree = parse(Document("file:///a", 1, "javascript", text))
    assert tree is not None
    assert [item.name for item in read_definitions(tree) if item.documentation] == ["h"]


def test_the_innermost_definition_is_found() -> None:
    tree = parse(Document("file:///a", 1, "python", CODE["python"]))
    assert tree is not None
    assert [getattr(find_definition(tree, Position(line, 4)), "name", None) for line in (0, 3, 6, 9)] == [
        *("f", "f", "g"),
        None,
    ]
