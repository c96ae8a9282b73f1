"""Whatever the words, documentation parses, stands in its place, and changes nothing else."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.features.actions.action import Choice
from heron.editor.features.actions.document_it import propose_documentation
from heron.editor.features.actions.writer import Writer
from heron.editor.syntax.signatures import read_definitions
from heron.editor.syntax.tree import parse
from unit.editor.features.actions.spots import Model, changed, spot_in

PYTHON = "class A:\n    async def f│(self, a, *b: int, c='x', **d): return a\n"
OTHERS = {
    "typescript": "class A {\n  f│(a: number, b = 1): string {\n    throw new E(a);\n  }\n}\n",
    "go": "package p\n\nfunc F│(a int) error {\n\treturn nil\n}\n",
    "rust": "impl A {\n    fn f│(a: u8) -> Result<u8, E> {\n        panic!()\n    }\n}\n",
    "java": "class A {\n    int f│(int a) throws E {\n        return a;\n    }\n}\n",
}
NAMES = ("summary", "a", "b", "c", "d", "returns", "raises E", "errors", "panics")
WORDS = st.text() | st.text(alphabet="\"'\\*/`#\n {}<|>ab.:@", max_size=60)
ANSWERS = st.fixed_dictionaries(dict.fromkeys(NAMES, WORDS))


async def document(language: str, marked: str, answer: dict[str, str]) -> str:
    spot = spot_in(language, marked)
    model = Model(lambda ask: json.dumps(answer))
    return changed(spot, await propose_documentation(Choice(spot), Writer(model)))


@given(ANSWERS)
async def test_python_keeps_its_meaning(answer: dict[str, str]) -> None:
    after = ast.parse(await document("python", PYTHON, answer))
    function = next(node for node in ast.walk(after) if isinstance(node, ast.AsyncFunctionDef))
    assert ast.get_docstring(function)
    function.body.pop(0)
    assert ast.dump(after) == ast.dump(ast.parse(PYTHON.replace("│", "")))


@pytest.mark.parametrize("language", OTHERS)
@given(answer=ANSWERS)
async def test_comments_stay_comments(language: str, answer: dict[str, str]) -> None:
    before = OTHERS[language].replace("│", "")
    text = await document(language, OTHERS[language], answer)
    tree = parse(Document("file:///a", 1, language, text))
    assert tree is not None
    assert not tree.has_error
    (found,) = [item for item in read_definitions(tree) if item.kind == "function"]
    place = found.documentation
    assert place is not None
    first = tree.document.offset(place.start)
    rest = text[:first].rstrip(" \t") + text[tree.document.offset(place.end) + 1 :]
    assert rest == before
