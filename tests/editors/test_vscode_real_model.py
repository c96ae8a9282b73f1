"""VS Code, `heron lsp`, the host it starts and the real model: ghost text appears and is accepted."""

from pathlib import Path

from editors.hosts import write_command
from editors.vscode import CodeServer, needs_vscode
from editors.workbench import open_workbench
from homes import CODER

pytestmark = needs_vscode

_COMPILING_MS = 300_000
"""Where no test before this one had the model compiled, it is now."""

CART = '''class Item:
    def __init__(self, name: str, price: float, quantity: int) -> None:
        self.name = name
        self.price = price
        self.quantity = quantity


def total_price(items: list[Item]) -> float:
    """The sum of price times quantity."""

'''


async def test_ghost_text_of_the_real_model(code_server: CodeServer, model_home: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "cart.py").write_text(CART)
    server = {"path": str(write_command(tmp_path)), "environment": {"HERON_HOME": str(model_home)}}
    settings = {f"heron.server.{key}": value for key, value in server.items()}
    code_server.write_settings({**settings, "heron.model.name": CODER})
    async with open_workbench(code_server, work, "cart.py") as workbench:
        await workbench.wait_status("ready", _COMPILING_MS)
        await workbench.put_cursor(10)
        await workbench.type("    return ")
        shown = await workbench.read_ghost()
        await workbench.shoot("ghost-real-model")
        await workbench.shoot_top("readme-ghost")
        await workbench.press("Tab")
        text = await workbench.save("cart.py")
    assert "price" in shown
    assert f"return {shown}" in text
