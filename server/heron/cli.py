"""The `heron` command: parse arguments, then run one process or one command.

Only what the chosen command needs is imported, so that `heron lsp` answers its editor at once.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from heron import __version__
from heron.errors import HeronError

_COMMANDS = ("chat", "complete", "context", "demo", "doctor", "models", "mcp", "token", "dashboard", "stats", "trace")
_CHATTY = ("pygls", "httpx", "httpcore", "asyncio")  # their INFO lines carry whole payloads: document text
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 a HeronError told in one sentence, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser(words).parse_args(words)
    _start_logging(arguments)
    try:
        return int(arguments.run(arguments) or 0)
    except HeronError as error:
        sys.stderr.write(f"heron: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output left, e.g. `heron models list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="heron", description="A language server that hosts a local code model.")
    parser.add_argument("--version", action="version", version=f"heron {__version__}")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more to stderr; twice for everything")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_lsp(commands)
    _add_host(commands)
    chosen = next((word for word in words if not word.startswith("-")), "")
    for name in (chosen,) if chosen in _COMMANDS else () if chosen in ("lsp", "host") else _COMMANDS:
        importlib.import_module(f"heron.commands.{name}").add_parser(commands)
    return parser


def _add_lsp(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("lsp", help="run the language server on stdin and stdout (editors start this)")
    parser.add_argument("--stdio", action="store_true", help="accepted for editors that pass it; the default")
    parser.add_argument("--tcp", type=_address, metavar="[ADDRESS:]PORT", help="serve editors on a TCP port instead")
    parser.set_defaults(run=_run_lsp, log_level=logging.INFO)


def _add_host(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("host", help="run the model host (the language server starts it when needed)")
    parser.add_argument("--port", type=_port, metavar="N", help="serve on loopback TCP with a bearer token instead")
    parser.add_argument("--stop", action="store_true", help="ask the running host to leave, and wait until it has")
    parser.set_defaults(run=_run_host, log_level=logging.INFO)


def _run_lsp(arguments: argparse.Namespace) -> int:
    from heron import app

    if arguments.tcp is not None:
        return app.run_lsp_tcp(*arguments.tcp)
    app.run_lsp()


def _run_host(arguments: argparse.Namespace) -> int:
    from heron import app

    return app.stop_host() if arguments.stop else app.run_host(arguments.port)


def _address(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]") or "127.0.0.1", _port(port)


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535; 0 takes a free one)")
    return port


def _start_logging(arguments: argparse.Namespace) -> None:
    quiet = getattr(arguments, "log_level", logging.WARNING)
    level = min(quiet, {0: quiet, 1: logging.INFO}.get(arguments.verbose, logging.DEBUG))
    logging.basicConfig(stream=sys.stderr, level=level, format=_LOG_FORMAT)
    if level > logging.DEBUG:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
