"""`heron context FILE:LINE:COL`: what a completion there would be asked with, and why each piece was taken."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from heron.commands.client import Cursor, open_client
from heron.commands.complete import read_cursor

_QUIET = {"completion": {"enabled": False}}
"""No model is needed to show what it would be asked."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("context", help="show what a completion at a place would be asked with, and why")
    parser.add_argument("place", metavar="FILE:LINE:COL", help="line and column from 1, columns in characters")
    parser.add_argument("--json", action="store_true", help="print the answer of heron/context")
    parser.add_argument("--root", metavar="DIR", default="", help="workspace folder; else that of the repository")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the snippets with source, score and tokens, then the prompt."""
    cursor = read_cursor(arguments.place)
    path = Path(arguments.place.rsplit(":", 2)[0]).absolute()
    answer = asyncio.run(_explain(Path(arguments.root) if arguments.root else _root_of(path), cursor))
    print(json.dumps(answer, indent=2) if arguments.json else render(answer))
    return 0


def render(answer: dict[str, Any]) -> str:
    """The answer for people."""
    tokens = answer["tokens"]
    state = "" if answer["indexed"] else "; the workspace was not looked through yet"
    lines = [f"{answer['shape']}: {answer['reason']}{state}", f"{len(answer['snippets'])} snippets of other files:"]
    for snippet in answer["snippets"]:
        ranks = ", ".join(f"{name} {rank}" for name, rank in snippet["ranks"].items())
        where = f"{snippet['path']}:{snippet['lines'][0] + 1}"
        lines.append(
            f"  {snippet['score']:.4f}  {snippet['tokens']:>4} tokens  {snippet['source']:<12} {where}  ({ranks})"
        )
    sides = [f"--- {side}, about {tokens[side]} tokens\n{answer['prompt'][side]}" for side in ("prefix", "suffix")]
    return "\n".join([*lines, *sides])


async def _explain(root: Path, cursor: Cursor) -> dict[str, Any]:
    async with open_client(root, settings=_QUIET) as client:
        return await client.explain(cursor)


def _root_of(path: Path) -> Path:
    """The repository around a file, else its folder."""
    return next((folder for folder in path.parents if (folder / ".git").exists()), path.parent)
