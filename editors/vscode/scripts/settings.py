"""Write the server's settings into package.json: `python scripts/settings.py`. A test compares them."""

import json
import re
from pathlib import Path
from typing import Any

from heron.settings import settings_schema

PACKAGE = Path(__file__).parents[1] / "package.json"
TITLES = {"mlc": "MLC"}
OF_THE_USER = ("host.", "tools.", "engine.remote_", "mlc.library")
"""Beginnings of settings that say where code is sent or what may be run: no workspace sets them for its reader."""


def main() -> None:
    package = json.loads(PACKAGE.read_text(encoding="utf-8"))
    configuration = package["contributes"]["configuration"]
    configuration[1:] = make_sections()
    PACKAGE.write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def make_sections() -> list[dict[str, Any]]:
    """The configuration of VS Code's settings editor, a section for each table of config.toml."""
    tables = settings_schema()["properties"]
    return [_section(name, table, order) for order, (name, table) in enumerate(tables.items(), start=2)]


def _section(name: str, table: dict[str, Any], order: int) -> dict[str, Any]:
    properties = {
        f"heron.{name}.{_camel(key)}": _property(f"{name}.{key}", schema) for key, schema in table["properties"].items()
    }
    return {"title": TITLES.get(name, name.capitalize()), "order": order, "properties": properties}


def _property(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A setting's schema with what VS Code adds to JSON schema: enums have a type, and each setting a scope."""
    kind = {"type": "string"} if "enum" in schema else {}
    return kind | schema | {"scope": "machine" if name.startswith(OF_THE_USER) else "window"}


def _camel(key: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), key)


if __name__ == "__main__":
    main()
