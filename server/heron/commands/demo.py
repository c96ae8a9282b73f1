"""`heron demo`: real completions over a bundled sample workspace, with the time of every stage."""

import argparse
import asyncio
import re
import statistics
import time
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from heron.commands.chat_view import show_place
from heron.commands.client import Client, Cursor, Offer, open_client, open_document
from heron.commands.demo_action import show_action
from heron.commands.render import draw_ghost, mark_ghost, show_completion
from heron.commands.stages import show_stages
from heron.commands.talk import begin_talk
from heron.commands.trial import use_model
from heron.samples.holes import Hole, read_holes, sample_folder

_WIDTH = 100
_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_QUESTION = "What does `Cart.total_cents` do?"
_NEXT = """\
What to do next
  in an editor   run `heron lsp` as a language server; README.md has the lines for yours
  in one place   heron complete FILE:LINE:COL
  to ask         heron chat, in the folder of your code
  in trouble     heron doctor
The model stays loaded for a while, so that the next start is quick.
Nothing you type leaves this machine."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("demo", help="complete a sample workspace in three languages and show it in colour")
    parser.add_argument("--model", metavar="M", default="", help="use this model instead of the one in the settings")
    parser.add_argument("--svg", metavar="PATH", type=Path, help="also save what was shown as a picture")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show each sample with its completion; 1 if the model offered nothing at all."""
    use_model(arguments.model)
    picture: Path | None = arguments.svg
    console = Console(highlight=False)
    if picture:
        console = Console(highlight=False, record=True, force_terminal=True, color_system="truecolor", width=_WIDTH)
    offers = asyncio.run(_show(console, verbose=arguments.verbose > 0))
    if picture:
        svg = console.export_svg(title="heron demo")
        picture.write_text(_WEB_FONT.sub("", svg), encoding="utf-8")  # a picture that asks nobody for its letters
    return 0 if any(offer.text for offer in offers) else 1


async def _show(console: Console, verbose: bool) -> list[Offer]:
    began = time.perf_counter()
    async with open_client(sample_folder(), verbose) as client:
        with show_stages(console) as stages:
            model = await client.wait_ready(stages.report)
        console.print(f"[bold]{model}[/bold] completes the bundled samples. What it offers is marked.")
        offers = [await _show_hole(console, client, hole) for hole in read_holes()]
        await show_action(console, client)
        await _show_answer(console, client)
    seconds = {"start the server": client.started_ms / 1000, **stages.seconds}
    console.print(_times(seconds, offers, time.perf_counter() - began))
    console.print(_NEXT, markup=False)
    return offers


async def _show_hole(console: Console, client: Client, hole: Hole) -> Offer:
    document = open_document(hole.path, hole.before + hole.after)
    offer = await client.complete(Cursor(document, document.position(len(hole.before))))
    caption = f"{offer.elapsed_ms:.0f} ms" if offer.text else f"nothing offered, {offer.elapsed_ms:.0f} ms"
    title = f"{hole.path.parent.name}/{hole.path.name}"
    show_completion(console, title, _draw(console, hole, offer, document.language), caption)
    return offer


async def _show_answer(console: Console, client: Client) -> None:
    """A question about the samples, the answer, and the places it is made from."""
    talk = await begin_talk(client)
    turn, first_ms, total_ms = await talk.measure(_QUESTION)
    places = ", ".join(map(show_place, turn["references"])) or "no place"
    caption = f"from {places}; first words after {first_ms or 0:.0f} ms, all after {total_ms:.0f} ms"
    if console.is_terminal:
        console.print(Panel(Markdown(turn["answer"]), title=_QUESTION, title_align="left", subtitle=caption))
    else:
        console.print(f"\n--- {_QUESTION} ({caption})\n{turn['answer']}", markup=False, soft_wrap=True)


def _draw(console: Console, hole: Hole, offer: Offer, language: str) -> Text:
    if console.is_terminal:
        return draw_ghost(hole.before, offer.text, hole.after, language)
    return mark_ghost(hole.before, offer.text, hole.after)


def _times(seconds: dict[str, float], offers: list[Offer], total_s: float) -> Table:
    table = Table(title="Where the time went", title_justify="left", show_header=False, box=None)
    for name, value in seconds.items():
        table.add_row(name, f"{value:.2f} s")
    latencies = [offer.elapsed_ms for offer in offers]
    table.add_row("first completion", f"{latencies[0] / 1000:.2f} s")
    table.add_row("median completion", f"{statistics.median(latencies) / 1000:.2f} s")
    table.add_row("all together", f"{total_s:.2f} s")
    return table
