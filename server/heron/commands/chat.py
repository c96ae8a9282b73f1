"""`heron chat`: a conversation about the code in a folder, in the terminal or one question for scripts."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from heron.commands.chat_loop import run_chat
from heron.commands.client import open_client
from heron.commands.stages import show_stages
from heron.commands.talk import begin_talk
from heron.commands.trial import use_model
from heron.errors import InvalidRequest


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("chat", help="talk about the code in a folder")
    parser.add_argument("-p", "--prompt", metavar="QUESTION", help="ask this one question, print the answer and leave")
    parser.add_argument("--json", action="store_true", help="with -p: print the whole turn as JSON")
    parser.add_argument("--folder", metavar="PATH", type=Path, default=Path(), help="the workspace; default: here")
    parser.add_argument("--file", metavar="PATH", action="append", default=[], help="attach a file to each question")
    parser.add_argument("--resume", metavar="ID", default="", help="go on with a conversation of /list")
    parser.add_argument("--model", metavar="M", default="", help="use this model instead of the one in the settings")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Answer one question, or talk until the user leaves."""
    if not arguments.folder.is_dir():
        raise InvalidRequest(f"{arguments.folder} is not a folder.", param="--folder")
    if arguments.json and arguments.prompt is None:
        raise InvalidRequest("--json goes with -p QUESTION.", param="--json")
    use_model(arguments.model)
    attachments = [{"kind": "file", "uri": Path(name).absolute().as_uri()} for name in arguments.file]
    if arguments.prompt is None:
        return run_chat(arguments, attachments)
    turn = asyncio.run(_ask_once(arguments, attachments))
    if arguments.json:
        print(json.dumps(turn, indent=2))
    return 0


async def _ask_once(arguments: argparse.Namespace, attachments: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer on stdout as it comes, what else is to be said on stderr."""
    console = Console(stderr=True, highlight=False)

    def show(value: dict[str, Any]) -> None:
        if not arguments.json:
            sys.stdout.write(value.get("reply", ""))
            sys.stdout.flush()
        if "notice" in value:
            console.print(f"heron: {value['notice']}", style="dim", markup=False)

    async with open_client(arguments.folder, arguments.verbose > 0) as client:
        with show_stages(console) as stages:
            await client.wait_ready(stages.report)
        talk = await begin_talk(client, arguments.resume)
        turn = await talk.ask(arguments.prompt, show, attachments=attachments)
    if not arguments.json:
        print()
    return turn
