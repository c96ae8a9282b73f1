"""VS Code, `heron lsp`, the host it starts and the real model: ghost text is accepted, an answer's code is applied."""

from pathlib import Path

from editors.accessibility import frame_of
from editors.chat_view import ChatPage, accept_change, open_chat, wait_diff, wait_text
from editors.hosts import write_command
from editors.vscode import CodeServer, needs_vscode
from editors.workbench import DARK, LIGHT, Workbench, open_workbench
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


_ANSWERING_MS = 240_000
_COUNT_STATES = """() => {
  window.heronTexts = new Set();
  const look = () => window.heronTexts.add(document.querySelector("article:last-of-type .answer")?.textContent ?? "");
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


async def test_ghost_text_and_chat_of_the_real_model(code_server: CodeServer, model_home: Path, tmp_path: Path) -> None:
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
        await workbench.shoot_part("readme-ghost", "editor", 270)
        await workbench.press("Tab")
        text = await workbench.save("cart.py")
        assert "price" in shown
        assert f"return {shown}" in text
        code_server.write_settings({**settings, "workbench.colorTheme": DARK})
        chat = await open_chat(workbench)
        await _ask_and_apply(workbench, chat)
        code_server.write_settings({**settings, "workbench.colorTheme": LIGHT})
        await workbench.wait_theme(LIGHT)
        await workbench.shoot("chat-real-light")


async def _ask_and_apply(workbench: Workbench, chat: ChatPage) -> None:
    """The answer comes piece by piece; its code is shown as a diff, then taken."""
    await (await frame_of(chat.question)).evaluate(_COUNT_STATES)
    await chat.ask("Add a docstring to the class Item. Answer with the whole class.")
    await chat.wait_end(_ANSWERING_MS)
    assert await (await frame_of(chat.question)).evaluate("() => window.heronTexts.size") > 2
    await workbench.wait_theme(DARK)
    await workbench.shoot("chat-real-dark")
    await chat.answer.get_by_role("button", name="Apply").first.click()
    await wait_diff(workbench)
    await workbench.shoot("chat-real-diff-dark")
    await workbench.shoot_part("readme-chat", "sidebar", 420)
    code = await chat.answer.locator("figure code").first.inner_text()
    await accept_change(workbench, '"""')
    await wait_text(workbench, code.strip().splitlines()[-1].strip())
    await wait_text(workbench, "self.quantity = quantity")  # where the model left out the body, it stays
