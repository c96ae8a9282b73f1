"""What is shown of other files stays while a line is typed, keeps to its limits, and never shows what it may not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from heron.editor.context import gather
from heron.editor.context import graph as graph_module
from heron.editor.context.choose import Allowance
from heron.editor.context.graph import Graph
from heron.editor.context.index.index import Index
from heron.editor.context.surroundings import Surroundings
from heron.editor.context.trail import Trail
from heron.editor.context.view import Scenery, Spot
from heron.editor.document import Document
from heron.editor.syntax.tree import parse
from unit.editor.context.places import spot_at, write

ALLOWANCE = Allowance(200, lambda text: len(text) // 3)
MARKED = "from shop.prices import sum_prices\n\n\ndef pay(basket):\n    x = │\n    return sum_prices(basket)\n"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LIMIT_S", 10.0)
    monkeypatch.setattr("heron.editor.context.surroundings.LIMIT_S", 10.0)


@pytest.fixture
async def surroundings(index: Index) -> AsyncIterator[Surroundings]:
    made = Surroundings(lambda: Scenery(index))
    yield made
    made.close()


async def text_at(surroundings: Surroundings, spot: Spot) -> str:
    await surroundings.find(spot, ALLOWANCE)
    return surroundings.ready(spot, ALLOWANCE).text


def typed(spot: Spot, text: str) -> Spot:
    offset = spot.document.offset(spot.position)
    document = replace(spot.document, text=spot.document.text[:offset] + text + spot.document.text[offset:])
    return Spot(document, document.position(offset + len(text)), parse(document))


async def test_definitions_as_comments_with_their_path(surroundings: Surroundings, index: Index) -> None:
    text = await text_at(surroundings, spot_at(index, "shop/till.py", MARKED))
    assert text.startswith("# shop/prices.py:\n# def sum_prices(prices)\n")


async def test_nothing_changes_while_a_line_is_typed(surroundings: Surroundings, index: Index) -> None:
    spot = spot_at(index, "shop/till.py", MARKED)
    before = await text_at(surroundings, spot)
    for key in "Price + parseURLPath":
        spot = typed(spot, key)
        assert surroundings.ready(spot, ALLOWANCE).text == before
    assert surroundings.ready(typed(spot, "\n"), ALLOWANCE).text == ""
    assert "sum_prices" in await text_at(surroundings, typed(spot, "\n"))


async def test_a_dot_and_a_call_choose_anew(surroundings: Surroundings, index: Index) -> None:
    spot = spot_at(index, "shop/till.py", "from shop.basket import Basket\n\n\ndef pay(b: Basket):\n    │\n")
    assert "Basket.put" not in await text_at(surroundings, spot)
    assert "Basket.put(item: str)" in await text_at(surroundings, typed(spot, "b."))


@pytest.mark.parametrize("name", [".env", "../outside.py", "notes.json"])
async def test_silence_outside_of_what_may_be_shown(surroundings: Surroundings, index: Index, name: str) -> None:
    path = (index.workspace.folders[0] / name).resolve()
    document = Document(path.as_uri(), 1, "json" if name.endswith("json") else "python", MARKED.replace("│", ""))
    assert await text_at(surroundings, Spot(document, document.position(MARKED.index("│")), None)) == ""


async def test_nothing_is_allowed(surroundings: Surroundings, index: Index) -> None:
    spot = spot_at(index, "shop/till.py", MARKED)
    await surroundings.find(spot, Allowance(0, len))
    assert surroundings.ready(spot, Allowance(0, len)).text == ""


async def test_secrets_of_unsaved_text_are_redacted(index: Index) -> None:
    secret = "ghp_" + "k3" * 18
    trail = Trail()
    other = index.workspace.folders[0] / "shop" / "keys.py"
    trail.note(Document(other.as_uri(), 1, "python", f"TOKEN = '{secret}'\nmore = 1\n"), 0)
    made = Surroundings(lambda: Scenery(index, regions=lambda: trail.regions))
    text = await text_at(made, spot_at(index, "shop/till.py", MARKED))
    made.close()
    assert "more = 1" in text
    assert "[redacted]" in text
    assert secret not in text


async def test_the_graph_ranks_what_is_imported(index: Index) -> None:
    from concurrent.futures import ThreadPoolExecutor

    folder = index.workspace.folders[0]
    write(index, "shop/till.py", "from shop.prices import Price, parseURLPath\nfrom shop.basket import Basket\n")
    with ThreadPoolExecutor(1) as executor:
        graph = Graph(index, executor)
        assert graph.ranks(folder / "shop/till.py") == {}
        graph.prepare(folder / "shop/till.py")
        executor.shutdown(wait=True)
    ranks = graph.ranks(folder / "shop/till.py")
    assert ranks[str(folder / "shop/prices.py")] > ranks[str(folder / "other/prices.py")] > 0
    assert ranks.get(str(folder / "rs/src/parts.rs"), 0) < ranks[str(folder / "shop/prices.py")] / 100


async def test_only_files_around_one_are_ranked(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(graph_module, "MAX_NODES", 2)
    path = write(index, "shop/till.py", "from shop.prices import Price, parseURLPath\nfrom shop.basket import Basket\n")
    with ThreadPoolExecutor(1) as executor:
        graph = Graph(index, executor)
        graph.prepare(path)
    ranks = graph.ranks(path)
    assert len(ranks) == 2
    assert str(path) in ranks
