"""The terminal's chat: a line in, Markdown out, until the user leaves. Ctrl-C stops an answer, Ctrl-D leaves."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from heron.commands.chat_view import AnswerView, show_talks
from heron.commands.client import Client, open_client
from heron.commands.rpc import PeerError
from heron.commands.stages import show_stages
from heron.commands.talk import Talk, begin_talk, list_talks

_HELP = """\
/help    this            /new     a new conversation
/list    earlier ones    /resume ID   go on with one
/quit    leave           Ctrl-C stops an answer
/explain /fix /tests /doc /refactor /commit, then what it is about: `name`, #file:path, #symbol:name"""


@dataclass(slots=True)
class _Loop:
    """What the loop works with; `talk` changes with /new and /resume."""

    console: Console
    client: Client
    talk: Talk
    attachments: list[dict[str, Any]]
    runner: asyncio.Runner

    def take(self, line: str) -> bool:
        """Do what a line says; false to leave."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                return True
            case "/quit" | "/exit":
                return False
            case "/help":
                self.console.print(_HELP, markup=False)
            case "/new":
                self._begin("")
            case "/list":
                show_talks(self.console, self.runner.run(list_talks(self.client)))
            case "/resume":
                self._begin(rest.strip())
                self.console.print(f"{self.talk.title} ({len(self.talk.turns)} turns)", markup=False)
            case _:
                self._ask(line)
        return True

    def _begin(self, conversation_id: str) -> None:
        self.talk = self.runner.run(begin_talk(self.client, conversation_id))
        self.warm()

    def warm(self) -> None:
        """Have the model read what the next question comes with while it is being typed."""
        self.runner.run(self.talk.warm(attachments=self.attachments))

    def _ask(self, line: str) -> None:
        with AnswerView(self.console) as view:
            self.client.peer.answerer = view.answer
            try:
                self.runner.run(self.talk.ask(line, view.report, attachments=self.attachments))
            except KeyboardInterrupt:
                view.note("Stopped.")
        self.warm()


def run_chat(arguments: argparse.Namespace, attachments: list[dict[str, Any]]) -> int:
    """Talk until the user leaves. The event loop runs only while there is an answer to wait for."""
    console = Console(highlight=False)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            client, talk = runner.run(_open(arguments, console, stack))
            loop = _Loop(console, client, talk, attachments, runner)
            loop.warm()
            _read_lines(loop)
        finally:
            runner.run(stack.aclose())
    return 0


def _read_lines(loop: _Loop) -> None:
    while True:
        try:
            line = loop.console.input("[bold]› [/bold]")
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if not loop.take(line):
                return
        except PeerError as error:
            loop.console.print(f"heron: {error}", style="red", markup=False)


async def _open(arguments: argparse.Namespace, console: Console, stack: AsyncExitStack) -> tuple[Client, Talk]:
    """A client whose model is ready, and a conversation; `stack` ends them."""
    client = await stack.enter_async_context(open_client(arguments.folder, arguments.verbose > 0))
    with show_stages(console) as stages:
        model = await client.wait_ready(stages.report)
    talk = await begin_talk(client, arguments.resume)
    console.print(f"[bold]{model}[/bold] about {arguments.folder.absolute().name}. /help tells what there is.")
    return client, talk
