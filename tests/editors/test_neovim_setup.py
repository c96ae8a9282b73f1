"""Options of the Neovim plugin are checked and mirror the server's settings."""

from pathlib import Path
from typing import Any

from editors.nvim import Run, each_nvim, needs_nvim, run_nvim
from heron.settings import settings_schema

pytestmark = [needs_nvim, each_nvim]


async def test_setup(nvim: Path, tmp_path: Path) -> None:
    notes = await run_nvim(Run(nvim, "setup", tmp_path), {})
    assert notes["settings"] == {name: _section(schema) for name, schema in settings_schema()["properties"].items()}


def _section(schema: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "table", "fields": {name: _rule(field) for name, field in schema["properties"].items()}}


def _rule(schema: dict[str, Any]) -> dict[str, Any]:
    """A setting's schema as the plugin describes it."""
    if "enum" in schema:
        return {"kind": "choice", "allowed": schema["enum"]}
    kind = "texts" if schema["type"] == "array" else schema["type"]
    return {"kind": kind} | {limit: schema[limit] for limit in ("minimum", "maximum") if limit in schema}
