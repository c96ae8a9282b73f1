"""A small workspace of several languages, and its index, scanned in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heron.editor.context.index.index import Index
from heron.editor.context.index.scan import carry_out, plan_scan, read_here
from heron.editor.context.index.schema import open_database
from heron.editor.workspace.folders import Workspace, open_workspace

FILES = {
    "shop/__init__.py": "",
    "shop/basket.py": (
        "from shop.prices import Price, sum_prices as total\nfrom . import stock\nimport shop.prices as p\n\n\n"
        'class Basket:\n    """What a customer carries."""\n\n    def put(self, item: str) -> Price:\n'
        "        return total(stock.find(item))\n"
    ),
    "shop/prices.py": (
        "class Price:\n    amount = 0\n\n\n# Adds up.\ndef sum_prices(prices):\n    return sum(prices)\n\n\n"
        "def parseURLPath(text):\n    return text\n"
    ),
    "shop/stock.py": "def find(code):\n    return Price(code)\n",
    "other/prices.py": "class Price:\n    pass\n",
    "web/src/app.ts": (
        'import { render, Widget as Box } from "./widget";\nimport { api } from "@/lib/api";\nrender(new Box(), api);\n'
    ),
    "web/src/widget.ts": "export class Widget {}\nexport function render(box: Widget, api: unknown): void {}\n",
    "web/src/lib/api.ts": "export const api = () => { fetch(); };\n",
    "web/lib/widget.ts": "export class Widget {}\nexport function render() {}\n",
    "go/main.go": (
        'package main\n\nimport "example.com/shop/go/tools"\n\nfunc main() {\n\ttools.Sharpen()\n\thelper()\n}\n'
    ),
    "go/helper.go": "package main\n\nfunc helper() {}\n",
    "go/tools/saw.go": "package tools\n\nfunc Sharpen() {}\n",
    "rs/src/main.rs": "use crate::parts::{Wheel, spin as turn};\nfn main() { Wheel::new(); turn(); }\n",
    "rs/src/parts.rs": "pub struct Wheel;\npub fn spin() {}\n",
    "java/a/b/Car.java": "package a.b;\nimport a.c.Door;\nclass Car { Door door; Seat seat; }\n",
    "java/a/b/Seat.java": "package a.b;\nclass Seat {}\n",
    "java/a/c/Door.java": "package a.c;\npublic class Door {}\n",
    "java/x/Door.java": "package x;\npublic class Door {}\n",
    "notes.md": "# Opening hours\n\nThe shop opens at nine and sells umbrellas.\n",
    ".env": "SECRET=1\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, content in FILES.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return open_workspace([tmp_path / "work"])


@pytest.fixture
def index(workspace: Workspace, tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(tmp_path / "cache", workspace)
    scan_here(opened)
    yield opened
    opened.close()


def scan_here(index: Index) -> None:
    """What the scan's own process does, without the process."""
    connection = open_database(index.path)
    carry_out(connection, index.workspace, plan_scan(connection, index.workspace), read_here, lambda progress: None)
    connection.close()
