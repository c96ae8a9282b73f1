import pytest

from heron.editor.context.cursor import judge_cursor
from heron.editor.document import Document
from heron.editor.syntax.gap import Gap
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import parse


def judge(marked: str, language: str) -> tuple[str, str]:
    document = Document("file:///a", 1, language, marked.replace("│", ""))
    position = document.position(marked.index("│"))
    judgement = judge_cursor(Gap(document, position, find_language(language), parse(document), "none"))
    return judgement.shape, judgement.reason


@pytest.mark.parametrize(
    ("language", "marked", "shape"),
    [
        ("python", "na│me", "none"),
        ("python", "│name", "none"),
        ("python", "x = │'a'", "none"),
        ("python", "│(a)", "none"),
        ("python", "f│(a)", "line"),
        ("python", "f(│)", "line"),
        ("python", "f(│, a)", "line"),
        ("python", "x = │ + 1", "line"),
        ("python", "x = 1│", "line"),
        ("python", "x = f(│", "line"),
        ("python", "def f():│", "block"),
        ("python", "def f(a: │", "line"),
        ("python", "│", "block"),
        ("python", "def f():\n    │\n", "block"),
        ("python", "'a │ b'", "line"),
        ("python", "# a │", "line"),
        ("python", "# a│b", "none"),
        ("javascript", "if (a) {│", "block"),
        ("javascript", "if (a) {│}", "line"),
        ("javascript", "const a = {│", "block"),
        ("ruby", "def f│\nend\n", "block"),
        ("lua", "if a then│\nend\n", "block"),
        ("shellscript", "for a in b; do│\ndone\n", "block"),
        ("json", '{\n  │\n}', "line"),
        ("yaml", "a:│", "line"),
        ("markdown", "", "line"),
        ("cobol", "MOVE │", "line"),
        ("cobol", "MO│VE", "none"),
        ("cobol", "", "line"),
    ],
)  # fmt: skip
def test_shape(language: str, marked: str, shape: str) -> None:
    assert judge(marked or "│", language)[0] == shape


def test_reason_is_told() -> None:
    assert judge("na│me", "python")[1] == "inside a word"
    assert judge("# a│", "python")[1] == "inside a comment"
