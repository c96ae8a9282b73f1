"""Tool calls a real model makes, constrained by Heron's own tools: how many parse and conform to their schemas.

`python tests/bench/tool_calls.py --questions 500` asks the host of HERON_HOME (started if none runs) what needs a
tool, with `tool_choice` required, half of them greedily and half at temperature 0.8, and prints JSON. `--first N`
begins at question N, so that the run can be made in parts.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, percentile
from bench.fresh import require_fresh
from heron.discovery import HostAddress, ensure_host
from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Client
from heron.editor.tools.builtin import make_tools
from heron.editor.tools.tool import Tool
from heron.editor.tools.validation import Check, check_tool
from heron.errors import HeronError, InvalidRequest
from heron.settings import ToolsSettings, home_folder
from heron.wire import Message, ToolCall

MAX_TOKENS = 256
SYSTEM = "You answer questions about a code base. Call a tool."
NAMES = (
    *(
        "parse_settings",
        "Registry",
        "load_config",
        "HttpClient.get",
        "ToolCall",
        "main",
        "UserStore",
        "quantize",
        "render",
    ),
    *("handleRequest", "MAX_SIZE", "Parser::next", "useState", "compute_checksum", "Größe", "open_database", "κλειδί"),
)
PATHS = (
    *(
        "src/main.py",
        "lib/parser.rs",
        "web/app.tsx",
        "README.md",
        "cmd/server/main.go",
        "include/util.h",
        "docs/a b.md",
    ),
    *(
        "tests/test_api.py",
        "core/Füller.java",
        "a/very/deep/folder/with/many/parts/file.cpp",
        'odd"name.txt',
        "C:\\x.cs",
    ),
)
QUESTIONS = (
    "Where is {name} defined?",
    "Show me lines {a} to {b} of {path}.",
    "What is in the folder {path}?",
    "Find all uses of {name}.",
    'Search for the text "{name}(" in files like *.py, ignoring case.',
    "Which lines match the regular expression \\b{name}\\s*= in {path}?",
    "What functions are in {path}?",
    "What did I change in {path}? Only what is staged.",
    "Are there errors in {path}?",
    'In {path}, replace "{name}" by "new_{name}".',
    'Replace line {a} of {path} with a comment that quotes "{name}" and a backslash \\.',
    "Run the tests of {path} with pytest -k {name} | tail -n {a}.",
    "Welche Dateien sind offen?",
    "Read {path} from line {b} on and tell me about {name}.",
    "Create {path} with a function {name} of three lines.",
)


def make_questions() -> Iterator[str]:
    """Questions without end, no two of the first thousands alike."""
    number = 0
    while True:
        form = QUESTIONS[number % len(QUESTIONS)]
        name, path = NAMES[number * 7 % len(NAMES)], PATHS[number * 5 % len(PATHS)]
        yield form.format(name=name, path=path, a=number % 97 + 1, b=number % 97 + 13)
        number += 1


def judge(call: ToolCall, checks: dict[str, Check]) -> str:
    """`good`, or what is wrong."""
    if call.name not in checks:
        return "unknown tool"
    try:
        checks[call.name](call.arguments)
    except InvalidRequest as error:
        return str(error)
    return "good"


async def ask(client: Client, question: str, tools: dict[str, Tool], temperature: float) -> tuple[list[ToolCall], str]:
    """The calls and how the answer ended."""
    messages = (Message("system", SYSTEM), Message("user", question))
    specs = tuple(tool.spec for tool in tools.values())
    asked = ChatAsk(messages, specs, "required", max_tokens=MAX_TOKENS, temperature=temperature)
    calls: list[ToolCall] = []
    ended = ""
    async with aclosing(client.chat(asked)) as deltas:
        async for delta in deltas:
            calls += delta.tool_calls
            ended = delta.finish_reason or ended
    return calls, ended


async def await_model(client: Client) -> None:
    """Wait until the host has fetched, compiled and loaded its model."""
    while (health := await client.health()).state != "ready":
        if health.state == "failed":
            raise SystemExit(health.message)
        await asyncio.sleep(0.5)


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    tools = {tool.spec.name: tool for tool in make_tools(ToolsSettings(run_command=True))}

    async def connect() -> HostAddress:
        address = await asyncio.to_thread(ensure_host, home_folder(), model=arguments.model)
        return await asyncio.to_thread(require_fresh, address)

    client = Client(connect, lambda: arguments.model)
    await await_model(client)
    checks = {name: check_tool(tool) for name, tool in tools.items()}
    verdicts: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    spent: list[float] = []
    questions = make_questions()
    for number in range(arguments.first + arguments.questions):
        question = next(questions)
        if number < arguments.first:
            continue
        start = time.perf_counter()
        try:
            calls, ended = await ask(client, question, tools, 0.8 if number % 2 else 0.0)
            judged = [judge(call, checks) for call in calls] or [f"no call ({ended})"]
        except HeronError as error:
            calls, ended, judged = [], "failed", [str(error)]
        spent.append(time.perf_counter() - start)
        verdicts.update(judged)
        chosen.update(call.name for call in calls)
        if arguments.log:
            told = {"number": number, "question": question, "verdicts": judged, "ended": ended}
            with arguments.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(told | {"calls": [[call.name, call.arguments] for call in calls]}) + "\n")
    await client.close()
    return {
        "machine": describe_machine(),
        "model": arguments.model,
        "questions": arguments.questions,
        "calls": sum(chosen.values()),
        "verdicts": dict(verdicts),
        "chosen": dict(chosen),
        "seconds": {"median": round(percentile(spent, 50), 2), "p95": round(percentile(spent, 95), 2)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--log", type=Path, help="append each answer to this file, a JSON object a line")
    print(json.dumps(asyncio.run(run(parser.parse_args())), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
