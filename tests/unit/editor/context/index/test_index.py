"""What the index answers, and that it keeps up with the disk, with unsaved text and with damage."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from heron.editor.context.index.index import Index, database_path
from heron.editor.document import Document
from heron.editor.workspace.folders import Workspace, open_workspace
from heron.errors import HeronError


def names(index: Index, query: str, limit: int = 5) -> list[str]:
    return [symbol.name for symbol in index.find_symbols(query, limit)]


def shown(index: Index, path: Path) -> str:
    return str(path.relative_to(index.workspace.folders[0]))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        *(
            ("Basket", "Basket"),
            ("basket", "Basket"),
            ("Bas", "Basket"),
            ("sum_prices", "sum_prices"),
            ("url", "parseURLPath"),
        ),
        *(
            ("path", "parseURLPath"),
            ("pup", "parseURLPath"),
            ("parseUrlPath", "parseURLPath"),
            ("parsPath", "parseURLPath"),
        ),
        *(("Bsket", "Basket"), ("Shop.Basket", "Basket"), ("opening", "Opening hours"), ("sumPrices", "sum_prices")),
    ],
)
def test_symbols_by_name(index: Index, query: str, first: str) -> None:
    assert names(index, query)[0] == first


@pytest.mark.parametrize(
    "query", ["", "  ", "qqqqqqq", '"', "'; DROP TABLE files", "*", "a" * 5000, "\0", "OR", "NEAR("]
)
def test_odd_queries_find_nothing_and_do_no_harm(index: Index, query: str) -> None:
    assert not names(index, query)
    assert not index.find_references(query)
    assert names(index, "Basket") == ["Basket"]


def test_a_symbol_tells_all_about_it(index: Index) -> None:
    (put,) = index.find_symbols("put", 1)
    assert (put.name, put.kind, put.container) == ("put", "method", "Basket")
    assert put.signature == "def put(self, item: str) -> Price"
    assert (put.range.start.line, put.range.end.line) == (8, 9)
    (basket,) = index.find_symbols("Basket", 1)
    assert basket.doc == "What a customer carries."


def test_references(index: Index) -> None:
    found = {shown(index, one.path): (one.count, one.lines) for one in index.find_references("Price")}
    assert found == {
        "shop/basket.py": (2, (0, 8)),
        "shop/prices.py": (1, (0,)),
        "shop/stock.py": (1, (1,)),
        "other/prices.py": (1, (0,)),
    }
    assert [one.count for one in index.find_references("Price", 2)] == [2, 1]


def test_text(index: Index) -> None:
    (passage, *_) = index.search_text("when does the shop open and sell umbrellas?")
    assert (shown(index, passage.path), passage.start) == ("notes.md", 0)
    assert shown(index, index.search_text("putting into baskets")[0].path) == "shop/basket.py"
    assert shown(index, index.search_text("stock")[0].path) == "shop/stock.py"
    assert not index.search_text("?!")


def test_text_in_a_hurry_leaves_out_what_is_everywhere(index: Index) -> None:
    """`price` is in several pieces, `umbrellas` in one."""
    assert len(index.search_text("price umbrellas", most_scored=1_000)) > 1
    (passage,) = index.search_text("price umbrellas", most_scored=2)
    assert shown(index, passage.path) == "notes.md"
    assert not index.search_text("price umbrellas", most_scored=1)


def test_after_enough_definitions_no_others_are_looked_for(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "basket.py"
    wanted = ["total", "Price", "Basket", "find"]
    found = [symbol.name for symbol in index.definitions_of(wanted, path)]
    assert found == ["sum_prices", "Price", "Basket", "find"]
    assert [symbol.name for symbol in index.definitions_of(wanted, path, most=1)] == ["sum_prices", "Price"]


def test_private_files_are_not_in_it(index: Index) -> None:
    assert not index.search_text("SECRET")


@pytest.mark.parametrize(
    ("from_path", "name", "expected"),
    [
        *(("shop/basket.py", "Price", ["shop/prices.py"]), ("shop/basket.py", "total", ["shop/prices.py"])),
        *(("shop/basket.py", "find", ["shop/stock.py"]), ("shop/basket.py", "Basket", ["shop/basket.py"])),
        *(("web/src/app.ts", "render", ["web/src/widget.ts"]), ("web/src/app.ts", "Box", ["web/src/widget.ts"])),
        *(("web/src/app.ts", "api", ["web/src/lib/api.ts"]), ("go/main.go", "Sharpen", ["go/tools/saw.go"])),
        *(("go/main.go", "helper", ["go/helper.go"]), ("rs/src/main.rs", "Wheel", ["rs/src/parts.rs"])),
        *(("rs/src/main.rs", "turn", ["rs/src/parts.rs"]), ("java/a/b/Car.java", "Door", ["java/a/c/Door.java"])),
        *(
            ("java/a/b/Car.java", "Seat", ["java/a/b/Seat.java"]),
            ("shop/stock.py", "Price", ["other/prices.py", "shop/prices.py"]),
        ),
        ("shop/stock.py", "unheard_of", []),
    ],
)
def test_definitions_through_imports(index: Index, from_path: str, name: str, expected: list[str]) -> None:
    found = index.definitions_of([name], index.workspace.folders[0] / from_path)
    assert sorted(shown(index, symbol.path) for symbol in found) == expected


def test_a_saved_file_is_read_anew(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "stock.py"
    path.write_text("def find_all(code):\n    pass\n")
    index.update(path)
    assert [symbol.name for symbol in index.symbols_of(path)] == ["find_all"]
    path.unlink()
    index.update(path)
    assert index.symbols_of(path) == ()
    assert "find_all" not in names(index, "find_all")


def test_files_that_are_not_to_be_indexed_are_forgotten(index: Index) -> None:
    folder = index.workspace.folders[0]
    (folder / ".gitignore").write_text("stock.py\n")
    for path in (folder / "shop" / "stock.py", folder / ".env", folder.parent / "outside.py"):
        index.update(path)
        assert index.symbols_of(path) == ()


def test_unsaved_text_hides_what_is_on_disk(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "stock.py"
    index.show(path, Document(path.as_uri(), 2, "python", "from shop.prices import Price\ndef look_up(): Price()\n"))
    assert [symbol.name for symbol in index.symbols_of(path)] == ["look_up"]
    assert names(index, "look_up") == ["look_up"]
    assert "find" not in names(index, "find")
    assert {one.lines for one in index.find_references("Price") if one.path == path} == {(0, 1)}
    assert [shown(index, one.path) for one in index.definitions_of(["Price"], path)] == ["shop/prices.py"]
    index.show(path, Document(path.as_uri(), 1, "python", "def older(): pass\n"))
    assert [symbol.name for symbol in index.symbols_of(path)] == ["look_up"]
    index.hide(path)
    assert [symbol.name for symbol in index.symbols_of(path)] == ["find"]


def test_private_documents_are_not_shown(index: Index) -> None:
    path = index.workspace.folders[0] / ".env"
    index.show(path, Document(path.as_uri(), 1, "shellscript", "SECRET_NAME=1\n"))
    assert not names(index, "SECRET_NAME")


def test_secrets_in_signatures_are_redacted(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "stock.py"
    secret = "hunter" + "22x"
    index.show(path, Document(path.as_uri(), 2, "python", f"PASSWORD = '{secret}'\n"))
    (symbol,) = index.symbols_of(path)
    assert symbol.signature == "PASSWORD = '[redacted]'"


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_a_damaged_file_is_replaced(workspace: Workspace, tmp_path: Path, content: bytes) -> None:
    path = database_path(tmp_path / "cache", workspace)
    path.parent.mkdir()
    path.write_bytes(content)
    index = Index.open(tmp_path / "cache", workspace)
    assert not index.is_complete
    assert names(index, "Basket") == []
    index.close()


def test_damage_while_it_is_open(index: Index) -> None:
    index.close()
    size = index.path.stat().st_size
    with open(index.path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    again = Index.open(index.path.parent, index.workspace)
    for _ in range(3):
        assert names(again, "Basket") in ([], ["Basket"])
    again.update(index.workspace.folders[0] / "shop" / "basket.py")
    again.update(index.workspace.folders[0] / "shop" / "basket.py")
    assert names(again, "Basket") == ["Basket"]
    again.close()


def test_an_index_of_another_version_is_replaced(index: Index) -> None:
    index.close()
    with sqlite3.connect(index.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    again = Index.open(index.path.parent, index.workspace)
    assert names(again, "Basket") == []
    again.close()


def test_it_is_for_this_user_alone(index: Index) -> None:
    assert index.path.stat().st_mode & 0o077 == 0
    assert index.path.parent.stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_written(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeronError, match="index"):
        Index.open(tmp_path / "file" / "cache", workspace)


def test_each_set_of_folders_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, both = open_workspace([tmp_path / "a"]), open_workspace([tmp_path / "a", tmp_path / "b"])
    assert database_path(tmp_path, one) != database_path(tmp_path, both)
    assert database_path(tmp_path, both) == database_path(tmp_path, open_workspace([tmp_path / "b", tmp_path / "a"]))


def test_threads_may_ask_and_write_at_once(index: Index) -> None:
    path = index.workspace.folders[0] / "shop" / "basket.py"
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for version in range(5):
                index.show(path, Document(path.as_uri(), 10 * number + version, "python", "class Basket: pass\n"))
                index.update(path)
                assert names(index, "Basket") == ["Basket"]
                assert index.definitions_of(["Price"], path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_two_processes_worth_of_connections(index: Index) -> None:
    other = Index(index.path, index.workspace)
    path = index.workspace.folders[0] / "shop" / "stock.py"
    path.write_text("def found_by_other(): pass\n")
    index.update(path)
    assert names(other, "found_by_other") == ["found_by_other"]
    other.close()
