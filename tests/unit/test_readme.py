"""README's commands are the real ones, and its settings table is that of the schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from heron.settings import settings_schema

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
MAIN_JOB = "python -m pip install . && heron demo"
TESTS = "python -m pip install '.[dev]' && pytest"


def settings_table() -> str:
    """The table between README's marks, made from the schema."""
    rows = [
        _row(f"{section}.{name}", schema)
        for section, table in settings_schema()["properties"].items()
        for name, schema in table["properties"].items()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def _row(name: str, schema: dict[str, Any]) -> str:
    limits = ", ".join(schema.get("enum", ()))
    if "minimum" in schema:
        limits = f"{schema['minimum']:g} to {schema['maximum']:.7g}"
    meaning = f"{schema['description']} ({limits})" if limits else schema["description"]
    return f"| `{name}` | `{json.dumps(schema['default'])}` | {meaning} |"


def test_the_settings_table_is_up_to_date() -> None:
    begin, end = "tests/unit/test_readme.py -->\n", "<!-- end of settings -->"
    shown = README.partition(begin)[2].partition(end)[0].strip()
    assert shown == settings_table(), f"put this between the marks:\n{settings_table()}"


@pytest.mark.parametrize("command", [MAIN_JOB, TESTS])
def test_the_commands_are_there_verbatim(command: str) -> None:
    assert f"\n```sh\n{command}\n```\n" in README


def test_ci_runs_the_very_test_command_and_the_main_job() -> None:
    lines = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(TESTS) for line in lines)
    assert "heron demo" in lines


def test_every_link_leads_somewhere() -> None:
    targets = [part.partition(")")[0] for part in README.split("](")[1:]]
    missing = [target for target in targets if "://" not in target and not (CHECKOUT / target).exists()]
    assert not missing


def test_no_line_of_setup_is_longer_than_five() -> None:
    editors = README.partition("## In your editor")[2].partition("## Where the weights")[0]
    blocks = [block.strip().splitlines()[1:] for block in editors.split("```")[1::2]]
    assert blocks
    assert all(len(block) <= 5 for block in blocks)
