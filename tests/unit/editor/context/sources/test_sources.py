"""Each source over the small workspace: what it finds, and what it never shows."""

from collections.abc import Iterable

import pytest

from heron.editor.context.assemble import sources
from heron.editor.context.index.index import Index
from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.changes import find_changes, read_hunks
from heron.editor.context.sources.definitions import find_definitions
from heron.editor.context.sources.diagnostics import find_diagnostics
from heron.editor.context.sources.members import find_members
from heron.editor.context.sources.opened import find_opened
from heron.editor.context.sources.recent import find_recent
from heron.editor.context.sources.sibling import find_sibling
from heron.editor.context.sources.similar import find_similar
from heron.editor.context.trail import Trail
from heron.editor.context.view import Scenery
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Position, Range
from unit.editor.context.places import view_at, write

DIFF = """diff --git a/shop/stock.py b/shop/stock.py
index 1..2 100644
--- a/shop/stock.py
+++ b/shop/stock.py
@@ -1,2 +1,3 @@ def find
 def find(code):
+    check(code)
-    old()
@@ -9,0 +12,2 @@
+def put(code):
+    pass
diff --git a/.env b/.env
--- a/.env
+++ b/.env
@@ -0,0 +1 @@
+SECRET=2
"""


def texts(found: Iterable[Snippet]) -> list[str]:
    return [snippet.text for snippet in found]


IMPORTED = [
    ("shop/till.py", "from shop.prices import sum_prices\n\n\ndef pay():\n    x = │\n", "def sum_prices(prices)"),
    ("shop/till.py", "from .prices import Price as P\nP(│\n", "class Price"),
    ("web/src/till.ts", 'import { render } from "./widget";\nrender(│\n', "render(box: Widget, api: unknown): void"),
    ("go/till.go", "package main\n\nfunc pay() {\n\t│\n\thelper()\n}\n", "func helper()"),
    ("rs/src/till.rs", "use crate::parts::spin;\nfn pay() {\n    │\n}\n", "pub fn spin()"),
    ("java/a/b/Till.java", "package a.b;\nimport a.c.Door;\nclass Till { Door door; │ }\n", "public class Door"),
]


@pytest.mark.parametrize(
    ("name", "marked", "signature"), IMPORTED, ids=[f"{case[0]}-{n}" for n, case in enumerate(IMPORTED)]
)
def test_definitions_are_found_through_imports(index: Index, name: str, marked: str, signature: str) -> None:
    found = list(find_definitions(view_at(index, name, marked)))
    assert any(signature in text for text in texts(found))
    assert all(snippet.path != index.workspace.folders[0] / name for snippet in found)


def test_what_the_code_around_refers_to_is_told_wherever_its_name_stands(index: Index) -> None:
    imports = "from shop.prices import Price as P, parseURLPath, sum_prices\n"
    marked = f"{imports}\n\ndef pay():\n    sum_prices()\n    P(│\n"
    write(index, "till.py", marked.replace("│", ""))
    found = find_definitions(view_at(index, "till.py", marked))
    named = {snippet.text.partition("(")[0]: snippet.name for snippet in found}
    assert named == {"class Price": "", "def sum_prices": "", "def parseURLPath": "parseURLPath"}


STARRED = [
    ("shop/till.py", "from .prices import *\n\n\ndef pay():\n    │\n", ["sum_prices", "parseURLPath"]),
    ("rs/src/till.rs", "use crate::parts::*;\nfn pay() {\n    │\n}\n", ["spin"]),
    ("shop/till.py", "from .prices import *\n\n\ndef pay():\n    x.│\n", []),
]


@pytest.mark.parametrize(("name", "marked", "functions"), STARRED, ids=["python", "rust", "behind a dot"])
def test_what_stars_bring_is_told(index: Index, name: str, marked: str, functions: list[str]) -> None:
    found = find_definitions(view_at(index, name, marked))
    assert [snippet.name for snippet in found if "(" in snippet.text] == functions


def test_what_is_imported_and_not_used_yet_comes_first(index: Index) -> None:
    imports = "from shop.prices import Price\nfrom shop.prices import sum_prices\n"
    marked = f"{imports}\n\ndef pay(p: Price):\n    Price()\n    │\n"
    assert texts(find_definitions(view_at(index, "shop/till.py", marked)))[0] == "def sum_prices(prices)"


def test_a_name_within_another_is_not_its_use(index: Index) -> None:
    head = "from shop.prices import Price, sum_prices\n\nx = Price, "
    for used, first in (("sum_prices_of", "def sum_prices(prices)"), ("sum_prices", "class Price")):
        view = view_at(index, "shop/till.py", f"{head}{used}\n\n│\n")
        assert texts(find_definitions(view))[0] == first


def test_a_class_is_shown_with_its_constructor(index: Index) -> None:
    write(index, "shop/box.py", "class Box:\n    def __init__(self, size: int) -> None: ...\n    def open(self): ...\n")
    marked = "from shop.box import Box\n\nb = │\n"
    assert texts(find_definitions(view_at(index, "shop/till.py", marked))) == [
        "class Box\n    def __init__(self, size: int) -> None"
    ]


MEMBERS = [
    (
        "from shop.basket import Basket\n\n\ndef pay(b: Basket):\n    b.│\n",
        "Basket.put(item: str) -> Price",
    ),
    ("from shop.basket import Basket\n\nmine = Basket()\nmine.│\n", "Basket.put(item: str) -> Price"),
    ("from shop import prices\n\nprices.│\n", "sum_prices(prices)"),
    ("import shop.prices as p\n\np.│\n", "sum_prices(prices)"),
    (
        "from shop.basket import Basket\n\n\nclass Big(Basket):\n    def f(self):\n        self.│\n",
        "Basket.put(item: str) -> Price",
    ),
    ("def pay(basket):\n    basket.│\n", "Basket.put(item: str) -> Price"),
    ("from shop.basket import Basket\n\nx = (\n    Basket()\n    .│\n)\n", "Basket.put(item: str) -> Price"),
]


@pytest.mark.parametrize(("marked", "text"), MEMBERS, ids=range(len(MEMBERS)))
def test_members_of_what_stands_before_the_dot(index: Index, marked: str, text: str) -> None:
    assert text in texts(find_members(view_at(index, "shop/till.py", marked)))


def test_no_members_without_a_dot(index: Index) -> None:
    assert list(find_members(view_at(index, "shop/till.py", "from shop.basket import Basket\nb = │\n"))) == []


def test_no_members_in_a_comment(index: Index) -> None:
    marked = "from shop.basket import Basket\n\nmine = Basket()\n# We fill mine.│\n"
    assert list(find_members(view_at(index, "shop/till.py", marked))) == []


def test_behind_a_dot_no_types_are_told(index: Index) -> None:
    marked = "from shop.prices import Price, sum_prices\n\nx.│\n"
    assert texts(find_definitions(view_at(index, "shop/till.py", marked))) == ["def sum_prices(prices)"]


def test_inherited_members_through_two_files(index: Index) -> None:
    write(index, "shop/low.py", "class Low:\n    def deep(self): ...\n")
    write(index, "shop/high.py", "from shop.low import Low\n\nclass High(Low):\n    pass\n")
    marked = "from shop.high import High\n\n\nclass Top(High):\n    def f(self):\n        self.│\n"
    assert "Low.deep()" in texts(find_members(view_at(index, "shop/till.py", marked)))


def test_siblings_both_ways(index: Index) -> None:
    write(index, "tests/test_prices.py", "def test_sum(): ...\n")
    marked = "│\n"
    assert "def sum_prices(prices)" in texts(find_sibling(view_at(index, "tests/test_prices.py", marked)))
    assert texts(find_sibling(view_at(index, "shop/prices.py", marked))) == ["def test_sum()"]


def test_recent_places_newest_first_and_none_outside(index: Index) -> None:
    folder, trail = index.workspace.folders[0], Trail()
    for name, text in (("a.py", "one = 1\n"), ("b.py", "two = 2\n"), (".env", "SECRET=3\n"), ("../c.py", "four = 4\n")):
        trail.note(Document((folder / name).resolve().as_uri(), 1, "python", text), 0)
    scenery = Scenery(index, regions=lambda: trail.regions)
    assert texts(find_recent(view_at(index, "shop/till.py", "│\n", scenery))) == ["two = 2", "one = 1"]


def test_open_documents_show_what_is_most_alike(index: Index) -> None:
    folder = index.workspace.folders[0]
    other = Document((folder / "o.py").as_uri(), 1, "python", "nothing = 0\n" * 20 + "price = find_price(basket)\n")
    secret = Document((folder / ".env").as_uri(), 1, "", "find_price basket\n")
    scenery = Scenery(index, opened=lambda: (other, secret))
    (text,) = texts(find_opened(view_at(index, "shop/till.py", "basket = 1\nfind_price\n│\n", scenery)))
    assert "find_price(basket)" in text


def test_similar_code_is_not_of_the_document_itself(index: Index) -> None:
    marked = "def sum_prices(prices):\n    │\n    parseURLPath\n"
    found = list(find_similar(view_at(index, "shop/till.py", marked)))
    assert any("def sum_prices(prices):" in text for text in texts(found))
    own = index.workspace.folders[0] / "shop" / "prices.py"
    assert own not in {one.path for one in find_similar(view_at(index, "shop/prices.py", marked))}


def test_diagnostics_of_the_line_and_its_neighbours(index: Index) -> None:
    def at(line: int) -> Diagnostic:
        return Diagnostic(Range(Position(line, 0), Position(line, 1)), f"wrong\n on {line}")

    scenery = Scenery(index, diagnostics=lambda uri: (at(0), at(4), at(3)))
    found = find_diagnostics(view_at(index, "shop/till.py", "\n\n\n│\n", scenery))
    assert texts(found) == ["line 4: error: wrong on 3", "line 5: error: wrong on 4"]


def test_changes_of_other_files(index: Index) -> None:
    folder = index.workspace.folders[0]
    assert [(one.path, one.start, one.text) for one in read_hunks(DIFF, folder)] == [
        (folder / "shop" / "stock.py", 0, "check(code)"),
        (folder / "shop" / "stock.py", 11, "def put(code):\n    pass"),
        (folder / ".env", 0, "SECRET=2"),
    ]
    scenery = Scenery(index, changes=lambda: DIFF)
    shown = texts(find_changes(view_at(index, "shop/till.py", "def put(code):\n    │\n", scenery)))
    assert shown == ["def put(code):\n    pass", "check(code)"]
    assert list(find_changes(view_at(index, "shop/stock.py", "│\n", scenery))) == []


@pytest.mark.parametrize("name", list(sources()))
def test_every_source_bears_an_empty_and_a_broken_document(index: Index, name: str) -> None:
    source = sources()[name]
    for marked in ("│", "│\n", "class (\n  def self.│", "import \nfrom . import (\nx.y.z.│", "\ud800│.\n"):
        for path in ("shop/till.py", "web/a.ts", "go/b.go", "rs/c.rs", "java/D.java"):
            assert list(source(view_at(index, path, marked))) is not None


def test_nothing_of_a_missing_file(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "prices.py"
    path.unlink()
    marked = "def sum_prices(prices):\n    │\n    parseURLPath\n"
    assert path not in {one.path for one in find_similar(view_at(index, "shop/till.py", marked))}
