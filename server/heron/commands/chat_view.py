"""An answer in the terminal while it comes: Markdown, and the tools and places it is made from."""

from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text

_FRAMES_A_SECOND = 8
_MARKS = {"running": "…", "ok": "✓", "error": "✗", "refused": "✗"}


class AnswerView:
    """Shows one turn. On a terminal it is drawn anew as it grows; elsewhere the text goes out as it comes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._tools: dict[str, str] = {}
        self._places: list[str] = []
        self._notes: list[str] = []
        self._live = Live(console=console, refresh_per_second=_FRAMES_A_SECOND, get_renderable=self._draw)

    def report(self, value: dict[str, Any]) -> None:
        """Take in a value of the turn's progress."""
        self._text += value.get("reply", "")
        if tool := value.get("tool"):
            self._tools[tool["id"]] = f"{_MARKS[tool['state']]} {tool['name']}"
        self._places += [show_place(reference) for reference in value.get("references", ())]
        if notice := value.get("notice"):
            self._notes.append(notice)
        if not self._console.is_terminal:
            self._console.out(value.get("reply", ""), end="", highlight=False)

    def note(self, text: str) -> None:
        self._notes.append(text)

    async def answer(self, method: str, params: Any) -> Any:
        """Put a question of the server to the user; None for what is no question."""
        if method != "window/showMessageRequest" or not self._console.is_terminal:
            return None
        self._live.stop()
        actions = params.get("actions") or []
        offered = "  ".join(f"{number}) {action['title']}" for number, action in enumerate(actions, 1))
        self._console.print(f"{params['message']}\n{offered}", markup=False)
        chosen = self._console.input("number, or Enter for no: ").strip()
        self._live.start()
        known = {str(number): action for number, action in enumerate(actions, 1)}
        return known.get(chosen)

    def __enter__(self) -> "AnswerView":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()
        else:
            self._console.print()
            self._console.print(*self._remarks(), sep="\n", markup=False)

    def _draw(self) -> Group:
        tools = [Text(tool, style="dim") for tool in self._tools.values()]
        remarks = [Text(remark, style="dim") for remark in self._remarks()]
        return Group(*tools, Markdown(self._text), *remarks)

    def _remarks(self) -> list[str]:
        sources = [f"From {', '.join(dict.fromkeys(self._places))}"] if self._places else []
        return [*sources, *self._notes]


def show_talks(console: Console, talks: list[dict[str, Any]]) -> None:
    """One line a conversation."""
    for talk in talks:
        console.print(f"{talk['conversationId']}  {talk['numTurns']:>3} turns  {talk['title']}", markup=False)
    if not talks:
        console.print("There is none yet.")


def show_place(reference: dict[str, Any]) -> str:
    """`path:first-last`, lines from 1."""
    start, end = reference["range"]["start"], reference["range"]["end"]
    last = end["line"] + (1 if end["character"] else 0)
    return f"{reference['path']}:{start['line'] + 1}-{max(last, start['line'] + 1)}"
