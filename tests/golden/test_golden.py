"""One case a file: a document with its cursor, what a model wrote there, and what must be offered.

Folders are named after the languages of `grammars/languages.toml`; `plain` is a language Heron does not know.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.postprocess.pipeline import finish, is_complete
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.tree import parse

FOLDER = Path(__file__).parent
CASES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.txt"))
DELTA_CHARACTERS = 3


@dataclass(frozen=True)
class Case:
    shape: str
    context: Context
    marked: str
    model: str
    expected: str


def read_case(name: str) -> Case:
    header, document, model, expected = _sections((FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    if fields.get("line ends") == "crlf":
        document, expected = document.replace("\n", "\r\n"), expected.replace("\n", "\r\n")
    return Case(fields["shape"], _context(name, document), document, model, expected)


def _sections(text: str) -> list[str]:
    sections = [""]
    for line in text.splitlines(keepends=True):
        if line.rstrip() in ("--- document", "--- model", "--- expected"):
            sections.append("")
        else:
            sections[-1] += line
    return [section.removesuffix("\n") for section in sections]


def _context(name: str, marked: str) -> Context:
    folder = name.split("/")[0]
    language = folder if folder == "plain" else load_languages()[folder].ids[0]
    assert marked.count("│") == 1
    text = marked.replace("│", "")
    document = Document(f"file:///{name}", 1, language, text)
    position = document.position(marked.index("│"))
    return build_context(document, position, parse(document), Budget(1024, 96, lambda text: len(text) // 3))


def _offer(text: str, case: Case) -> str:
    inserted = finish(text, case.context)
    return "none" if inserted is None else case.marked.replace("│", f"├{inserted}┤")


@pytest.mark.parametrize("name", CASES)
def test_offer_is_as_expected(name: str) -> None:
    case = read_case(name)
    assert (case.context.shape, _offer(case.model, case)) == (case.shape, case.expected), case.context.reason


@pytest.mark.parametrize("name", CASES)
def test_stream_stopped_early_gives_the_same_offer(name: str) -> None:
    case = read_case(name)
    streamed = ""
    while len(streamed) < len(case.model) and not is_complete(streamed, case.context):
        streamed = case.model[: len(streamed) + DELTA_CHARACTERS]
    assert _offer(streamed, case) == case.expected


def test_every_language_has_cases() -> None:
    assert {name.split("/")[0] for name in CASES} == {*load_languages(), "plain"}
