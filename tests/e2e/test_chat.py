"""Chat with the real 0.5B through a real `heron lsp`: what it cites, what it says, what it keeps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from heron.commands.client import open_client
from heron.commands.talk import begin_talk
from homes import environment

PRICES = '''\
"""What things cost."""

RATES = {"low": 5, "high": 20}


def find_tax_rate(kind: str) -> int:
    """The tax in percent."""
    return RATES[kind]


def apply_voucher(total_cents: int, voucher: str) -> int:
    """The total after a voucher: WELCOME takes ten percent off."""
    if voucher == "WELCOME":
        return total_cents * 90 // 100
    return total_cents
'''
USE = "from shop.prices import apply_voucher\n\n\ndef pay(total):\n    return apply_voucher(total, 'X')\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A function, and another file that uses it."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "prices.py").write_text(PRICES)
    (tmp_path / "shop" / "checkout.py").write_text(USE)
    return tmp_path


@pytest.mark.usefixtures("real_home")
async def test_a_function_defined_elsewhere_is_cited_with_its_file_and_range(workspace: Path) -> None:
    async with open_client(workspace) as client:
        await client.wait_ready(lambda health: None)
        talk = await begin_talk(client)
        uri = (workspace / "shop" / "checkout.py").as_uri()
        first = await talk.ask("What does apply_voucher do?", lambda value: None, textDocument={"uri": uri})
        (reference, *_) = first["references"]
        assert reference["path"] == "shop/prices.py"
        assert (reference["range"]["start"]["line"], reference["range"]["end"]["line"]) == (10, 14)
        assert "WELCOME" in first["answer"]
        second = await talk.ask("Answer in one word: is it a function?", lambda value: None)
        before = first["usage"]["promptTokens"] + first["usage"]["completionTokens"]
        assert second["usage"]["cachedTokens"] >= 0.9 * before


def test_one_question_from_a_script(real_home: Path, workspace: Path) -> None:
    command = [sys.executable, "-m", "heron", "chat", "--folder", str(workspace), "--json"]
    question = ["-p", "Where is `find_tax_rate` defined?"]
    done = subprocess.run([*command, *question], env=environment(real_home), capture_output=True, text=True, check=True)
    turn = json.loads(done.stdout)
    assert (turn["state"], turn["references"][0]["path"]) == ("complete", "shop/prices.py")
    assert turn["answer"]
