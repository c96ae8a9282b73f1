"""`heron models recommend`: what `auto` takes on this machine, and why."""

import argparse
import json

from heron.commands.checks import find_device
from heron.commands.sizes import format_size
from heron.commands.table import lay_out
from heron.errors import HeronError
from heron.settings import home_folder, load_settings


def add_recommend(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to those of `heron models`."""
    parser = actions.add_parser("recommend", help="what model, quantisation, device and threads suit this machine")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def recommend(as_json: bool) -> int:
    """Print each choice with its reason."""
    choices = choose()
    if as_json:
        print(json.dumps({name: {"choice": choice, "reason": reason} for name, choice, reason in choices}, indent=2))
    else:
        print("\n".join(lay_out([("", "CHOICE", "WHY"), *choices])))
    return 0


def choose() -> list[tuple[str, str, str]]:
    """What is chosen, what it is, and why: as an engine that started now would."""
    from heron.host.compiler.target import choose_target, choose_threads
    from heron.host.models.choose import choose_model
    from heron.host.models.machine import free_memory_bytes, usable_cores
    from heron.host.models.store import Store

    settings = load_settings()
    choice = choose_model(settings)
    entry, engine = choice.entry, settings.engine
    path = Store(home_folder()).path_of(entry)
    here = "on this machine" if path.exists() else f"fetch it with heron models pull {entry.id}"
    threads = "engine.threads says so" if engine.threads else f"this process may use {usable_cores()} physical cores"
    free = f"{format_size(free_memory_bytes())} are free"
    size = f"{format_size(path.stat().st_size if path.is_file() else entry.size_bytes)} of weights; {here}"
    return [
        ("model", entry.id, choice.reason),
        ("quantisation", entry.quantisation or "as in the file", size),
        ("device", *_choose_device()),
        ("instructions", choose_target(engine).instruction_set, "what this processor has, as far as Heron uses it"),
        ("threads", str(choose_threads(engine)), threads),
        ("memory", f"{engine.memory_budget_mb} MB" if engine.memory_budget_mb else "half of what is free", free),
    ]


def _choose_device() -> tuple[str, str]:
    """Where the model would run, and why; whether it fits a card is only known of one that is here."""
    try:
        place = find_device(load_settings())
    except HeronError as error:
        return "none", error.message
    return place.kind, place.reason
