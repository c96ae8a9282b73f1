"""Two real `heron lsp` processes and an HTTP client at once: one set of weights, fair shares, right answers.

python tests/bench/shared.py [--model NAME] [--threads N] [--places 12] [--store HOME]

Each language server completes at the same places of its own documents, while the HTTP client asks for short chats, one
after the other; before that, each does the same alone, in processes and with documents of their own. Prints JSON: what
was answered as alone, milliseconds of a completion, tokens a second of the chats, and the memory of every process.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from inspect import getsource
from pathlib import Path
from typing import Any

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine
from bench.hosts import CHECKOUT, HostOptions, RunningHost, running_host
from homes import environment
from lsp_client import LspClient

CODE = getsource(argparse).splitlines()[60:]
WINDOW_LINES, STEP_LINES = 60, 25
QUESTION = "Explain in a few sentences how a hash table works."


@dataclass(slots=True)
class Work:
    """What one client did."""

    answers: list[str] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0


def complete(home: Path, name: str, places: int) -> Work:
    """Completions of one editor at the ends of lines, each in a document that it opens."""
    work = Work()
    with LspClient(environment=environment(home)) as client:
        client.initialize({"completion": {"ahead": False, "warm": False, "alternatives": 0}})
        client.wait_notification("heron/status", state="ready")
        for number in range(places):
            lines = CODE[STEP_LINES * number : STEP_LINES * number + WINDOW_LINES]
            line = max(index for index, text in enumerate(lines[:-10]) if len(text.strip()) > 20)
            column = len(lines[line]) - len(lines[line].lstrip()) + 4
            lines[line] = lines[line][:column]
            uri = f"file:///w/{name}/place_{number}.py"
            client.open(uri, "\n".join(lines) + "\n")
            began = time.monotonic()
            answer = client.complete(uri, line, column)
            work.times_ms.append(1000 * (time.monotonic() - began))
            result = answer.get("result") or [{"insertText": ""}]
            work.answers.append(str(result[0]["insertText"]))
    return work


def chat(host: RunningHost, done: threading.Event, least: int) -> Work:
    """Chats of an HTTP client, one after the other until the others are done, at least some."""
    work = Work()
    transport = httpx.HTTPTransport(uds=host.socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=120) as http:
        began = time.monotonic()
        while not done.is_set() or len(work.answers) < least:
            number = len(work.answers)
            messages = [{"role": "user", "content": f"{QUESTION} ({number})"}]
            body = {"messages": messages, "max_tokens": 24, "temperature": 0, "user": "http"}
            answer = http.post("/v1/chat/completions", json=body).raise_for_status().json()
            work.answers.append(answer["choices"][0]["message"]["content"])
            work.tokens += answer["usage"]["completion_tokens"]
        work.seconds = time.monotonic() - began
    return work


def run(arguments: argparse.Namespace, host: RunningHost) -> dict[str, Any]:
    home, done = host.home, threading.Event()
    alone = [complete(home, name, arguments.places) for name in ("first", "second")]
    done.set()
    chat_alone = chat(host, done, 6)
    done.clear()
    with ThreadPoolExecutor() as threads:
        chatting = threads.submit(chat, host, done, 6)
        typing = [threads.submit(complete, home, name, arguments.places) for name in ("third", "fourth")]
        memory: dict[str, list[int]] = {}
        while not all(one.done() for one in typing):
            memory = max(memory, _memory(host.pid), key=_fullness)
            time.sleep(0.2)
        done.set()
        together, chat_together = [one.result() for one in typing], chatting.result()
    return _report([*alone, chat_alone], [*together, chat_together]) | {"memory_mb": memory}


def _report(alone: list[Work], together: list[Work]) -> dict[str, Any]:
    names = ("lsp_1", "lsp_2", "http")
    pairs = list(zip(names, alone, together, strict=True))
    same = {
        name: f"{sum(map(str.__eq__, one.answers, other.answers))} of {min(len(one.answers), len(other.answers))}"
        for name, one, other in pairs
    }
    return {
        "answered_as_alone": same,
        "completion_ms_p50": {
            name: [round(statistics.median(work.times_ms)) for work in works]
            for name, *works in pairs
            if works[0].times_ms
        },
        "chat_tokens_a_second": [round(work.tokens / work.seconds, 1) for work in (alone[-1], together[-1])],
    }


def _fullness(memory: dict[str, list[int]]) -> tuple[int, int]:
    """Of samples, the one with most language servers, then with most megabytes, tells most."""
    return len(memory.get("lsp", ())), sum(map(sum, memory.values()))


def _memory(host_pid: int) -> dict[str, list[int]]:
    """Resident megabytes of the host, its workers, and the language servers of this process."""
    found: dict[str, list[int]] = {"host": [], "worker": [], "lsp": []}
    try:
        host = psutil.Process(host_pid)
        found["host"].append(_megabytes(host))
        found["worker"] += [_megabytes(child) for child in host.children() if "worker" in " ".join(child.cmdline())]
        servers = [child for child in psutil.Process().children() if child.cmdline()[-1:] == ["lsp"]]
        found["lsp"] += [_megabytes(child) for child in servers]
    except psutil.Error:
        return {}
    return found


def _megabytes(process: psutil.Process) -> int:
    return round(process.memory_info().rss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--places", type=int, default=12)
    parser.add_argument("--store", type=Path, default=CHECKOUT / ".heron", help="home whose models are used")
    arguments = parser.parse_args()
    with running_host(HostOptions(arguments.model, arguments.threads, store=arguments.store)) as host:
        print(json.dumps(describe_machine() | run(arguments, host), indent=2))


if __name__ == "__main__":
    main()
