"""`heron models list | recommend | pull | rm | path`: the models on this machine and in the catalogue."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heron.commands.recommend import add_recommend, recommend
from heron.commands.sizes import format_size
from heron.commands.table import lay_out
from heron.settings import home_folder, load_settings

if TYPE_CHECKING:
    from heron.host.models.catalog import CatalogEntry
    from heron.host.models.store import Store


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `models` command."""
    parser = subparsers.add_parser("models", help="list, fetch and delete models")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="models of the catalogue, and which are on this machine")
    add_recommend(actions)
    for action, text in (
        ("pull", "fetch a model now"),
        ("rm", "delete a model from this machine"),
        ("path", "print where a model's file is"),
    ):
        actions.add_parser(action, help=text).add_argument(
            "model",
            nargs="?",
            default="",
            help="a name, a GGUF file, or mlc:REPOSITORY or mlc:FOLDER; default: model.name",
        )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run one action; 0, or 1 where there is nothing to act on."""
    from heron.host.models.store import Store

    store = Store(home_folder())
    if arguments.action == "list":
        return _list(store)
    if arguments.action == "recommend":
        return recommend(arguments.json)
    entry = _chosen(arguments.model)
    return {"pull": _pull, "rm": _remove, "path": _path}[arguments.action](entry, store)


def _chosen(name: str) -> "CatalogEntry":
    from heron.host.models.catalog import entry_of
    from heron.host.models.choose import choose_model

    return entry_of(name) if name and name != "auto" else choose_model(load_settings()).entry


def _list(store: "Store") -> int:
    from heron.host.models.catalog import CATALOG

    stored = {model.id: model for model in store.list()}
    rows = [("MODEL", "SIZE", "HERE", "LICENSE", "")]
    known = {entry.id for entry in CATALOG}
    for entry in CATALOG:
        size = stored[entry.id].size_bytes if entry.id in stored else entry.size_bytes
        here = "yes" if entry.id in stored else "-"
        rows.append((entry.id, format_size(size), here, entry.license, entry.summary))
    others = [model for model in stored.values() if model.id not in known]
    rows += [(model.id, format_size(model.size_bytes), "yes", "", "a model of MLC-LLM's") for model in others]
    print("\n".join(lay_out(rows)))
    print(f"Stored in {store.folder}, {format_size(shutil.disk_usage(_existing(store.folder)).free)} free")
    return 0


def _pull(entry: "CatalogEntry", store: "Store") -> int:
    from heron.commands.bars import show_download
    from heron.host.models.fetch import ensure_model
    from heron.host.models.mlc_fetch import verify_mlc

    with show_download() as report:
        path = ensure_model(entry, store, load_settings().model, report)
        if entry.is_mlc and entry.local_path is not None:
            verify_mlc(entry, path, report)  # what is fetched is hashed as it comes
    print(path)
    return 0


def _remove(entry: "CatalogEntry", store: "Store") -> int:
    if entry.local_path is not None:
        return _fail(f"{entry.local_path} is a file of your own; Heron does not delete it.")
    freed = store.remove(entry)
    if not freed:
        return _fail(f"{entry.id} is not on this machine.")
    print(f"{entry.id} deleted, {format_size(freed)} freed")
    return 0


def _path(entry: "CatalogEntry", store: "Store") -> int:
    from heron.host.models.catalog import MLC_PREFIX
    from heron.host.models.mlc_format import is_mlc_folder

    path = store.path_of(entry)
    if not (path.is_file() or is_mlc_folder(path)):
        name = f"{MLC_PREFIX}{entry.mlc_repo}" if entry.mlc_repo else entry.id
        return _fail(f"{entry.id} is not on this machine; fetch it with: heron models pull {name}")
    print(path)
    return 0


def _fail(message: str) -> int:
    print(f"heron: {message}", file=sys.stderr)
    return 1


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
