"""One case a file: a document with its cursor, what a model answers, and what becomes of the document.

The header names action and language, a `message` makes a diagnostic. Answers are separated by a line `---`; the last
is given again. Expected is the changed document, or `refused: ` and the sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heron.editor.features.actions.action import Choice
from heron.editor.features.actions.actions import Actions
from heron.editor.features.actions.writer import Writer
from heron.errors import EditRefused
from unit.editor.features.actions.spots import Model, changed, spot_in

FOLDER = Path(__file__).parent
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@dataclass(frozen=True)
class Case:
    action: str
    language: str
    message: str
    document: str
    answers: list[str]
    expected: str


def read_case(name: str) -> Case:
    header, document, model, expected = _sections((FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    return Case(
        fields["action"], fields["language"], fields.get("message", ""), document, model.split("\n---\n"), expected
    )


def _sections(text: str) -> list[str]:
    sections = [""]
    for line in text.splitlines(keepends=True):
        if line.rstrip() in ("--- document", "--- model", "--- expected"):
            sections.append("")
        else:
            sections[-1] += line
    return [section.removesuffix("\n") for section in sections]


async def propose(case: Case) -> str:
    answers: Iterator[str] = iter(case.answers)
    last = case.answers[-1]
    model = Model(lambda ask: next(answers, last), lambda infill: next(answers, last))
    spot = spot_in(case.language, case.document, case.message)
    try:
        return changed(spot, await Actions().propose(case.action, Choice(spot), Writer(model)))
    except EditRefused as error:
        return f"refused: {error}"


@pytest.mark.parametrize("name", CASES)
async def test_document_becomes_as_expected(name: str) -> None:
    case = read_case(name)
    assert await propose(case) == case.expected


@pytest.mark.parametrize("name", CASES)
def test_the_action_is_on_the_menu(name: str) -> None:
    case = read_case(name)
    assert case.action in [
        entry.action for entry in Actions().list(spot_in(case.language, case.document, case.message))
    ]
