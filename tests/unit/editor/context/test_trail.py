from heron.editor.context.trail import KEPT, Trail
from heron.editor.document import Document


def document(text: str, name: str = "a") -> Document:
    return Document(f"file:///{name}", 1, "python", text)


def test_near_places_are_one_and_the_newest_is_first() -> None:
    trail = Trail()
    long = document("\n".join(f"line_number_{number} = {number}" for number in range(100)))
    for line in (0, 5, 50, 52, 3):
        trail.note(long, line)
    assert [region.start for region in trail.regions] == [0, 46]


def test_places_that_say_the_same_are_one() -> None:
    trail = Trail()
    trail.note(document("alpha = beta\n", "a"), 0)
    trail.note(document("alpha = beta\n", "b"), 0)
    assert [region.uri for region in trail.regions] == ["file:///b"]


def test_old_ones_are_forgotten_and_blank_ones_never_kept() -> None:
    trail = Trail()
    for number in range(KEPT + 5):
        trail.note(document(f"name_{number} = value_{number}\n", str(number)), 0)
    trail.note(document("\n\n", "blank"), 1)
    assert len(trail.regions) == KEPT
    assert trail.regions[0].uri == f"file:///{KEPT + 4}"
