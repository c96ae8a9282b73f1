"""The trees of documents: one for each language in it, and no second try for one that takes too long."""

import pytest

from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document, Position
from heron.editor.features import contexts as module
from heron.editor.features.ask import Ask
from heron.editor.features.contexts import Contexts
from heron.editor.syntax.tree import Tree, parse
from heron.settings import CompletionSettings

VUE = "<template>\n  <a/>\n</template>\n<script>\nconst a = 1;\n</script>\n"


class Parsing:
    """Parses, and notes from which older trees."""

    def __init__(self, fails: bool = False) -> None:
        self.previous: list[Tree | None] = []
        self._fails = fails

    def __call__(self, document: Document, previous: Tree | None = None) -> Tree | None:
        self.previous.append(previous)
        return None if self._fails else parse(document, previous)


def build(contexts: Contexts, version: int, line: int, text: str = VUE) -> None:
    document = Document("file:///a.vue", version, "vue", text + "\n" * version)
    contexts.build(Ask(document, Position(line, 3), CompletionSettings(), wait_ready))


async def wait_ready() -> bool:
    return True


@pytest.fixture
def contexts() -> Contexts:
    return Contexts(Surroundings(lambda: None))


def test_each_language_of_a_document_keeps_its_tree(contexts: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    parsing = Parsing()
    monkeypatch.setattr(module, "parse", parsing)
    for version, line in enumerate((1, 4, 1, 4)):
        build(contexts, version, line)
    assert [one.language.name if one else "" for one in parsing.previous] == ["", "", "vue", "javascript"]
    contexts.close()


def test_what_took_too_long_is_not_tried_at_each_key(contexts: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    parsing = Parsing(fails=True)
    monkeypatch.setattr(module, "parse", parsing)
    monkeypatch.setattr(module, "LONG_S", -1.0)
    for version in range(3):
        build(contexts, version, 1)
    assert len(parsing.previous) == 1
    contexts.forget("file:///a.vue")
    build(contexts, 4, 1)
    assert len(parsing.previous) == 2
    contexts.close()
