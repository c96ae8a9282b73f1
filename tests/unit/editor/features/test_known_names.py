import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.features.known_names import complete_name

WORKSPACE = ("shipping_costs", "shipping_label", "send_parcel", "Total")


def complete(marked: str) -> str:
    """What is offered at the mark of a document."""
    before, after = marked.split("│")
    document = Document("file:///a.py", 1, "python", before + after)
    return complete_name(
        document, document.position(len(before)), lambda begin: [name for name in WORKSPACE if begin[0] == name[0]]
    )


@pytest.mark.parametrize(
    ("marked", "offered"),
    [
        ("def add_prices(): ...\n\nadd│", "_prices"),
        ("add_prices = 1\nadd_taxes = 2\nadd│", "_taxes"),
        ("add│\nadd_prices = 1", "_prices"),
        ("add_one = 1\nadd_two = 2\nadd_three = 3\nadd_four = 4\nadd│", "_"),
        ("add = 1\nadd│", ""),
        ("ad│\nadd_prices = 1", ""),
        ("add│itive\nadd_prices = 1", ""),
        ("x = add│)\nadd_prices = 1", "_prices"),
        ("send│", "_parcel"),
        ("shipping│", "_"),
        ("12345│", ""),
        ("größe = 1\ngrö│", "ße"),
        ("│", ""),
        ("unknown│", ""),
    ],
)
def test_the_rest_of_a_name_that_is_known(marked: str, offered: str) -> None:
    assert complete(marked) == offered


@given(st.text(alphabet="ab_1 .\n", max_size=60), st.data())
def test_what_is_offered_ends_a_name_or_what_names_have_in_common(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    document = Document("file:///a.py", 1, "python", text)
    offered = complete_name(document, document.position(offset), lambda begin: [])
    assert not offered or (offered.isidentifier() or offered.isalnum() or "_" in offered)
    begin = text[:offset].split("\n")[-1].replace(".", " ").split(" ")[-1]
    assert not offered or begin + offered in text
