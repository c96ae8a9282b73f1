"""What a document may mean, and in which order: what can be called first, tests and the unreachable never."""

from collections.abc import Iterable

import pytest

from heron.editor.context.index.index import Index
from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.definitions import find_definitions
from heron.editor.context.sources.fitting import MAX_CHARACTERS
from heron.editor.context.sources.members import find_members
from unit.editor.context.places import view_at, write

SHOP = "package shop\n\nfunc Sell() {}\nfunc hidden() {}\nvar Stock = 1\ntype Till interface {\n\tPay()\n}\n"
IMPORTS = ("example.com/w/shop", "example.com/w/shop/v2", "gopkg.in/shop.v3")


def texts(found: Iterable[Snippet]) -> list[str]:
    return [snippet.text for snippet in found]


@pytest.mark.parametrize("module", IMPORTS)
def test_a_go_package_is_called_without_its_version_and_shows_what_it_exports(index: Index, module: str) -> None:
    folder = module.removeprefix("example.com/w/").removeprefix("gopkg.in/")
    write(index, f"{folder}/shop.go", SHOP)
    write(index, f"{folder}/shop_test.go", "package shop\n\nfunc TestSell() {}\n")
    view = view_at(index, "cmd/main.go", f'package main\n\nimport "{module}"\n\nfunc main() {{\n\tshop.│\n}}\n')
    assert texts(find_members(view)) == ["Sell()", "Stock = 1", "type Till interface"]


def test_other_languages_are_not_meant(index: Index) -> None:
    write(index, "shop/till.ts", "export function only_script() {}\n")
    view = view_at(index, "shop/till.py", "only_script()\nx = │\n")
    assert texts(find_definitions(view)) == []
    assert texts(find_definitions(view_at(index, "shop/pay.jsx", "only_script()\nx = │\n")))


def test_tests_may_use_what_is_in_tests(index: Index) -> None:
    write(index, "shop/test_help.py", "def help_out(): ...\n")
    marked = "from shop.test_help import help_out\n\nx = │\n"
    assert texts(find_definitions(view_at(index, "shop/till.py", marked))) == []
    assert texts(find_definitions(view_at(index, "shop/test_till.py", marked))) == ["def help_out()"]


def test_overloads_are_told_once_and_types_last(index: Index) -> None:
    overloads = "export function pay(a: string): void\nexport function pay(a: number): void\n"
    write(index, "web/src/pay.ts", f"export type Paid = 1\n{overloads}export const left = 1\n")
    view = view_at(index, "web/src/till.ts", 'import * as pays from "./pay";\npays.│\n')
    assert texts(find_members(view)) == ["pay(a: string): void", "left = 1", "export type Paid = 1"]


def test_words_of_the_cursors_line_count_most(index: Index) -> None:
    methods = "".join(f"    def {name}(self): ...\n" for name in ("close_door", "open_shop", "price_stock"))
    write(index, "shop/shop.py", f"class Shop:\n{methods}")
    for before, first in (("stock = ", "price_stock"), ("door = ", "close_door")):
        view = view_at(index, "shop/till.py", f"from shop.shop import Shop\nprice = open\ns = Shop()\n{before}s.│\n")
        assert texts(find_members(view))[0].startswith(f"Shop.{first}")


def test_a_method_is_told_only_where_it_is_called(index: Index) -> None:
    """Of a name alone nobody knows whose method it is."""
    write(index, "shop/tools.py", "class Saw:\n    def weigh(self, fine): ...\n\ndef weigh_all(): ...\n")
    for line, told in (("y = │", ["def weigh_all()"]), ("y.weigh(│", ["def weigh_all()", "def weigh(self, fine)"])):
        view = view_at(index, "shop/till.py", f"from shop.tools import weigh_all\nx.weigh()\n{line}\n")
        assert sorted(texts(find_definitions(view)), reverse=True) == told


def test_long_signatures_are_cut(index: Index) -> None:
    write(index, "shop/long.py", f"def long({', '.join(f'argument_{n}' for n in range(40))}): ...\n")
    (text,) = texts(find_definitions(view_at(index, "shop/till.py", "from shop.long import long\n│\n")))
    assert len(text) == MAX_CHARACTERS + 1
    assert text.startswith("def long(argument_0, argument_1")
