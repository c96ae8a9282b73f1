"""The type of what stands before a dot, by way of calls, fields and variables in other files."""

import pytest

from heron.editor.context.index.index import Index
from heron.editor.context.sources import following
from heron.editor.context.sources.following import MAX_QUESTIONS, Follower, read_chain
from heron.editor.context.sources.members import find_members
from heron.editor.context.sources.types import MAX_LINES, lines_naming
from unit.editor.context.places import view_at, write

SHELF = """pub struct Shelf { pub all: Vec<Crate> }
impl Shelf {
    pub fn first(&self) -> Option<&Crate> { None }
}
pub struct Crate {
    weight: u8,
}
impl Crate {
    pub fn new(weight: u8) -> Self { todo!() }
    pub fn lift(&mut self, by: u8) -> bool where u8: Copy { true }
}
"""
DRAWER = """package main

type Drawer struct {
	Coins int
}

func (d *Drawer) Close() error { return nil }

func openDrawer() (*Drawer, error) { return nil, nil }
"""
OF_VALUE = ["Crate.lift(by: u8) -> bool", "Crate.weight: u8"]
CASES = [
    (
        "rs/src/till.rs",
        "use crate::shelf::Shelf;\nfn f(shelf: &Shelf) {\n    let box_ = shelf.first().unwrap();\n    box_.│\n}\n",
        OF_VALUE,
    ),
    (
        "rs/src/till.rs",
        "use crate::shelf::Shelf;\nfn f(shelf: &Shelf) {\n    let box_ = shelf\n        .first();\n    box_.│\n}\n",
        OF_VALUE,
    ),
    (
        "rs/src/till.rs",
        "use crate::shelf::Shelf;\nfn f(shelf: Shelf) {\n    for one in shelf.all.iter() {\n        one.│\n    }\n}\n",
        OF_VALUE,
    ),
    (
        "rs/src/till.rs",
        "use crate::shelf::Crate;\nfn f() {\n    let x = Crate::│\n}\n",
        ["Crate::new(weight: u8) -> Self"],
    ),
    (
        "go/till.go",
        "package main\n\nfunc pay() {\n\tx, err := openDrawer()\n\tx.│\n}\n",
        ["Drawer.Close() error", "Drawer.Coins int"],
    ),
]


@pytest.fixture
def shelves(index: Index) -> Index:
    write(index, "rs/src/shelf.rs", SHELF)
    write(index, "go/drawer.go", DRAWER)
    return index


@pytest.mark.parametrize(("name", "marked", "told"), CASES, ids=range(len(CASES)))
def test_what_calls_and_fields_give_is_followed(shelves: Index, name: str, marked: str, told: list[str]) -> None:
    assert [snippet.text for snippet in find_members(view_at(shelves, name, marked))] == told


def test_a_follower_asks_no_more_than_someone_waits_for(shelves: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    name, marked, _ = CASES[0]
    view, chain = view_at(shelves, name, marked), read_chain("box_")
    assert [symbol.name for symbol in Follower(view).follow(chain)] == ["Crate"]
    monkeypatch.setattr(following, "MAX_QUESTIONS", 2)
    assert MAX_QUESTIONS > 2
    assert Follower(view).follow(chain) == []


def test_a_variable_made_of_itself_ends(shelves: Index) -> None:
    marked = "fn f() {\n    let a = b.next();\n    let b = a.next();\n    a.│\n}\n"
    assert Follower(view_at(shelves, "rs/src/till.rs", marked)).follow(read_chain("a")) == []


def test_lines_that_name_something_come_last_first() -> None:
    text = "a = 1\nb = a\nc = 2\na a"
    assert [text[start:end] for start, end in lines_naming(text, "a")] == ["a a", "b = a", "a = 1"]
    assert len([*lines_naming("a\n" * 2 * MAX_LINES, "a")]) == MAX_LINES
