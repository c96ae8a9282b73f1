"""`heron complete FILE:LINE:COL`: the completion an editor would get there, through a real `heron lsp`."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from heron.commands.client import Cursor, Offer, open_client, open_document
from heron.commands.trial import use_model
from heron.editor.document import Position
from heron.errors import InvalidRequest
from heron.wire import Health


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("complete", help="print the completion a client would get at a place in a file")
    parser.add_argument("place", metavar="FILE:LINE:COL", help="line and column from 1, columns in characters")
    parser.add_argument("--json", action="store_true", help="print timings and token counts too, as JSON")
    parser.add_argument("--model", metavar="M", default="", help="use this model instead of the one in the settings")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the completion; 0 also when the server finds it better to offer nothing, 1 when it failed."""
    cursor = read_cursor(arguments.place)
    use_model(arguments.model)
    folder = Path(arguments.place).absolute().parent
    offer, report = asyncio.run(_complete(folder, cursor, verbose=arguments.verbose > 0))
    if arguments.json:
        print(json.dumps(report, indent=2))
    elif offer.text is not None:
        print(offer.text)
    else:
        sys.stderr.write(f"heron: nothing to offer at {arguments.place} ({_why(offer)}).\n")
    return 1 if offer.timings.get("outcome") == "failed" else 0


def _why(offer: Offer) -> str:
    told = offer.timings.get("reason") or offer.timings.get("outcome") or "no reason given"
    return str(told).rstrip(".")


def read_cursor(place: str) -> Cursor:
    """The document and cursor that FILE:LINE:COL names. Raises InvalidRequest, also for a place outside the file."""
    name, line, column = _split_place(place)
    path = Path(name)
    document = open_document(path, read_text(path))
    if not 1 <= line <= document.num_lines:
        raise InvalidRequest(f"{name} has {document.num_lines} lines; there is no line {line}.", param="LINE")
    columns = len(document.line(line - 1)) + 1
    if not 1 <= column <= columns:
        raise InvalidRequest(f"Line {line} of {name} has columns 1 to {columns}; {column} is not one.", param="COL")
    return Cursor(document, Position(line - 1, column - 1))


def read_text(path: Path) -> str:
    """The text of a file as an editor would open it; bytes that are not UTF-8 become U+FFFD, and that is said."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise InvalidRequest(f"{path} cannot be read: {getattr(error, 'strerror', error)}.", param="FILE") from error
    text = data.decode(errors="replace")
    if "\ufffd" in text and b"\xef\xbf\xbd" not in data:
        sys.stderr.write(f"heron: {path} is not valid UTF-8; what cannot be read is taken as \ufffd.\n")
    return text


def _split_place(place: str) -> tuple[str, int, int]:
    parts = place.rsplit(":", 2)
    if len(parts) != 3 or not parts[0] or not (parts[1].isdecimal() and parts[2].isdecimal()):
        raise InvalidRequest(f"{place!r} is not FILE:LINE:COL, e.g. src/main.py:12:5.", param="FILE:LINE:COL")
    return parts[0], int(parts[1]), int(parts[2])


async def _complete(folder: Path, cursor: Cursor, verbose: bool) -> tuple[Offer, dict[str, Any]]:
    began = time.perf_counter()

    def note(health: Health) -> None:
        if verbose:
            sys.stderr.write(f"heron: {health.state} {health.message}\n")

    async with open_client(folder, verbose) as client:
        model = await client.wait_ready(note)
        ready_ms = (time.perf_counter() - began) * 1000
        offer = await client.complete(cursor)
    times = {"server_start": client.started_ms, "model_ready": ready_ms, "completion": offer.elapsed_ms}
    rounded = {name: round(value, 1) for name, value in times.items()}
    return offer, {"completion": offer.text, "model": model, "times_ms": rounded, "server": offer.timings}
