from heron.editor.document import Document, Position
from heron.editor.features.place import Place, find_place
from heron.editor.features.silence import KEPT_S, Silence


def place(text: str) -> Place:
    return find_place(Document("file:///a.py", 1, "python", text), Position(0, len(text)))


def test_silence_holds_at_its_very_place_for_a_while() -> None:
    now = [0.0]
    silence = Silence(lambda: now[0])
    silence.note("a", place("x = "))
    assert silence.is_at("a", place("x = "))
    assert not silence.is_at("a", place("x = y"))
    assert not silence.is_at("b", place("x = "))
    now[0] = KEPT_S
    assert not silence.is_at("a", place("x = "))


def test_a_closed_document_is_forgotten() -> None:
    silence = Silence()
    silence.note("a", place("x = "))
    silence.forget("a")
    assert not silence.is_at("a", place("x = "))
