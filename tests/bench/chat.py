"""Chat through a real `heron lsp`: does it cite the right code, how soon does it answer, does it keep the prefix.

Two installed packages are copied into workspaces of their own. Prints JSON.
"""

import argparse
import ast
import asyncio
import importlib.metadata
import importlib.util
import json
import os
import shutil
import statistics
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from figures import describe_machine, percentile

from heron.commands.client import Client, open_client
from heron.commands.talk import begin_talk

QUESTIONS = Path(__file__).parent / "chat_questions.toml"
MIN_OVERLAP = 0.5
"""Of the lines of a reference and of the definition together, so many must be in both."""
TIMED_QUESTION = "Explain this."


@dataclass(frozen=True, slots=True)
class Case:
    """A question and the lines, from 0 and the end excluded, that a right answer cites."""

    package: str
    question: str
    path: str
    lines: tuple[int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=1000, help="questions of each package")
    parser.add_argument("--rounds", type=int, default=5, help="times that first token and reuse are measured")
    parser.add_argument("--typing-s", type=float, default=3.0, help="how long a question is typed, the chat told of it")
    parser.add_argument("--max-tokens", type=int, default=48, help="longest answer; references come before it")
    parser.add_argument("--tools", default="auto", help="who chooses what to look at: auto, gather, model")
    parser.add_argument("--answers", action="store_true", help="print the answers too")
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(run(arguments)), indent=2))


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    machine = describe_machine()
    asked: list[dict[str, Any]] = []
    latency: dict[str, Any] = {}
    for package in tomllib.loads(QUESTIONS.read_text()):
        with workspace_of(package) as folder:
            async with open_client(folder) as client:
                await client.wait_ready(lambda health: None)
                settings = {"chat": {"max_tokens": arguments.max_tokens, "tools": arguments.tools}}
                client.peer.notify("workspace/didChangeConfiguration", {"settings": settings})
                cases = list(read_cases(package, folder))[: arguments.limit]
                asked += [await ask(client, case) for case in cases]
                if arguments.rounds and not latency:
                    latency = await measure(client, largest_files(folder), arguments)
    report = {"machine": machine, "packages": versions(), **summarize(asked), "latency": latency}
    return report if arguments.answers else report | {"wrong": [item for item in asked if not item["right"]]}


class workspace_of:
    """A folder with a copy of an installed package, for as long as the scope lasts."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._folder = Path(tempfile.mkdtemp(prefix="heron-chat-"))

    def __enter__(self) -> Path:
        spec = importlib.util.find_spec(self._package)
        assert spec is not None
        assert spec.origin is not None
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(spec.origin).parent, self._folder / self._package, ignore=ignored)
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)


def read_cases(package: str, folder: Path) -> Iterator[Case]:
    """The questions of a package; the lines are read from its source, so that a new version needs no new figures."""
    for question, path, name in tomllib.loads(QUESTIONS.read_text())[package]["questions"]:
        tree = ast.parse((folder / package / path).read_text(encoding="utf-8"))
        yield Case(package, question, f"{package}/{path}", find_lines(tree, name))


def find_lines(tree: ast.AST, name: str) -> tuple[int, int]:
    """Lines of a definition by its dotted name, decorators included; of overloads the last."""
    head, _, rest = name.partition(".")
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.iter_child_nodes(tree) if isinstance(node, kinds) and node.name == head]
    if not found:
        raise LookupError(name)
    if rest:
        return find_lines(found[-1], rest)
    node = found[-1]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first - 1, node.end_lineno or node.lineno


async def ask(client: Client, case: Case) -> dict[str, Any]:
    talk = await begin_talk(client)
    calls: list[str] = []
    turn = await talk.ask(case.question, lambda value: calls.extend(called(value)))
    hits = [is_right(reference, case) for reference in turn["references"]]
    places = [f"{one['path']}:{one['range']['start']['line'] + 1}" for one in turn["references"]]
    told = {"question": case.question, "expected": f"{case.path}:{case.lines[0] + 1}", "references": places}
    return told | {
        "right": any(hits),
        "first": hits[:1] == [True],
        "answer": turn["answer"],
        "calls": calls,
    }


def called(value: dict[str, Any]) -> list[str]:
    """The tool whose call a progress value tells the start of, if it does."""
    tool = value.get("tool", {})
    return [tool["name"]] if tool.get("state") == "running" else []


def is_right(reference: dict[str, Any], case: Case) -> bool:
    """The right file, and about the right lines."""
    start, end = reference["range"]["start"]["line"], reference["range"]["end"]["line"] + 1
    both = min(end, case.lines[1]) - max(start, case.lines[0])
    either = max(end, case.lines[1]) - min(start, case.lines[0])
    return bool(reference["path"] == case.path and both / either >= MIN_OVERLAP)


def largest_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"), key=lambda path: -path.stat().st_size)


async def measure(client: Client, files: list[Path], arguments: argparse.Namespace) -> dict[str, Any]:
    """First token with about 1,000 tokens of code, asked at once and typed for a while; what a second turn reuses."""
    await (await begin_talk(client)).measure("Hello.")  # a model that left for being idle is loaded again
    rounds = arguments.rounds
    at_once = [await time_turns(client, path, 0.0) for path in files[:rounds]]
    typed = [await time_turns(client, path, arguments.typing_s) for path in files[rounds : 2 * rounds]]
    reuse = [turns.reuse for turns in at_once]
    return {
        "prompt_tokens": [turns.prompt_tokens for turns in at_once + typed],
        "first_token_ms": spread([turns.first_ms for turns in at_once]),
        "first_token_typed_ms": spread([turns.first_ms for turns in typed]),
        "second_turn_first_token_ms": round(statistics.median([turns.second_ms for turns in at_once])),
        "second_turn_reuse": {"p50": round(statistics.median(reuse), 3), "min": round(min(reuse), 3)},
    }


@dataclass(frozen=True, slots=True)
class Turns:
    """Two turns of a conversation; `reuse` is the share of the first, answer included, that the second finds cached."""

    prompt_tokens: int
    first_ms: float
    second_ms: float
    reuse: float


async def time_turns(client: Client, path: Path, typing_s: float) -> Turns:
    """Two turns about an attached file of which nothing is cached; the first is typed for so long, or not at all."""
    talk = await begin_talk(client)
    attachments = [{"kind": "file", "uri": path.as_uri()}]
    if typing_s:
        await talk.warm(attachments=attachments)
        await asyncio.sleep(typing_s)
    first, first_ms, _ = await talk.measure(TIMED_QUESTION, attachments=attachments)
    second, second_ms, _ = await talk.measure("And what is it for?")
    before = first["usage"]["promptTokens"] + first["usage"]["completionTokens"]
    reuse = second["usage"]["cachedTokens"] / before
    return Turns(first["usage"]["promptTokens"], first_ms or 0.0, second_ms or 0.0, reuse)


def spread(values: list[float]) -> dict[str, int]:
    return {"p50": round(statistics.median(values)), "p95": round(percentile(values, 95))}


def summarize(asked: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "questions": len(asked),
        "right": sum(item["right"] for item in asked),
        "share_right": round(sum(item["right"] for item in asked) / max(1, len(asked)), 3),
        "answered": sum(bool(item["answer"].strip()) for item in asked),
        "calls": dict(Counter(name for item in asked for name in item["calls"])),
        "first_reference_right": sum(item["first"] for item in asked),
        "answers_that_name_the_file": sum(
            item["expected"].rpartition("/")[2].split(":")[0] in item["answer"] for item in asked
        ),
    }


def versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in tomllib.loads(QUESTIONS.read_text())}


if __name__ == "__main__":
    os.environ.setdefault("HERON_MODEL", "qwen2.5-coder-0.5b-instruct")
    main()
