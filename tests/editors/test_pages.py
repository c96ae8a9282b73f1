"""The pages for editors that no test can run are at least well-formed, and their settings are ones Heron has."""

import json
import re
import tomllib

from editors.pages import EDITORS, blocks
from heron.settings import load_settings


def test_each_page_is_in_the_table() -> None:
    table = (EDITORS / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w/]+\.md)\)", table))
    assert linked == {path.name for path in EDITORS.glob("*.md") if path.name != "README.md"} | {
        "vscode/README.md",
        "neovim/README.md",
    }


def test_settings_of_helix_and_sublime() -> None:
    server = tomllib.loads(blocks("helix.md", "toml")[0])["language-server"]["heron"]
    client = json.loads(blocks("sublime.md", "json")[0])["clients"]["heron"]
    for command, settings in (
        ([server["command"], *server["args"]], server["config"]),
        (client["command"], client["initializationOptions"]),
    ):
        assert command == ["heron", "lsp"]
        assert load_settings(settings).completion.max_tokens == 64


def test_zed_is_sent_to_the_paths_of_the_host() -> None:
    (text,) = blocks("zed.md", "json")
    settings = json.loads(text)
    assert settings["edit_predictions"]["open_ai_compatible_api"]["api_url"].endswith("/v1/completions")
    assert settings["language_models"]["openai_compatible"]["Heron"]["api_url"].endswith("/v1")
