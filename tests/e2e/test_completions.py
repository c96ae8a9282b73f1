"""What a person gets from the real 0.5B, through a real `heron lsp`, over the bundled samples and at odd places."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from heron.commands.client import Cursor, Offer, open_client, open_document
from heron.samples.holes import read_holes, sample_folder
from homes import environment

OBVIOUS = {
    "sum(line.total_cents() for line in self.lines)": "sum(line.total_cents() for line in self.lines)",
    "push({ method, path, handler });": "push({ method, path, handler });",
    "MoveToFront(element)": "MoveToFront(element)",
}
"""By the text cut out: what has to be offered."""


async def complete_all(cursors: list[Cursor]) -> list[Offer]:
    async with open_client(sample_folder()) as client:
        await client.wait_ready(lambda health: None)
        return [await client.complete(cursor) for cursor in cursors]


def cursor_in(path: Path, before: str, after: str) -> Cursor:
    document = open_document(path, before + after)
    return Cursor(document, document.position(len(before)))


@pytest.mark.usefixtures("real_home")
async def test_obvious_holes_of_the_samples_are_filled() -> None:
    holes = [hole for hole in read_holes() if hole.original in OBVIOUS]
    offers = await complete_all([cursor_in(hole.path, hole.before, hole.after) for hole in holes])
    assert [offer.text for offer in offers] == [OBVIOUS[hole.original] for hole in holes]


@pytest.mark.usefixtures("real_home")
async def test_every_sample_gets_an_offer_that_fits() -> None:
    holes = read_holes()
    for hole, offer in zip(
        holes, await complete_all([cursor_in(h.path, h.before, h.after) for h in holes]), strict=True
    ):
        assert offer.text
        assert "<|" not in offer.text
        following = hole.after.strip().partition("\n")[0]
        assert not following or not offer.text.endswith(following)
        assert offer.timings["outcome"] == "shown"


@pytest.mark.usefixtures("real_home")
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("50_megabytes.py", "x = 1\n" * 8_000_000 + "y = ", "\n"),
        ("one_long_line.js", "var x = [" + "1, " * 33_000, "];\n"),
        ("broken.py", "def f(:\n  ]]]) class (\n\x00\x01 = ", "\n}}}"),
        ("no_known_language.xyz", "alpha beta\nalpha ", "\n"),
        ("latin.py", "name = 'M\ufffdller'\nother = ", "\n"),
        ("empty.py", "", ""),
    ],
)
async def test_odd_documents_leave_a_working_server(tmp_path: Path, name: str, before: str, after: str) -> None:
    usual = cursor_in(tmp_path / "usual.py", "def add(a, b):\n    return ", "\n")
    odd, then = await complete_all([cursor_in(tmp_path / name, before, after), usual])
    assert odd.timings["outcome"] != "failed"
    assert then.text == "a + b"


def test_heron_complete_prints_it_with_timings(real_home: Path, tmp_path: Path) -> None:
    source = tmp_path / "add.py"
    source.write_text("def add(a, b):\n    return \n")
    command = [sys.executable, "-m", "heron", "complete", "--json", f"{source}:2:12"]
    done = subprocess.run(command, env=environment(real_home), capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["completion"] == "a + b"
    assert report["times_ms"]["server_start"] > 0
    assert report["server"]["stagesMs"]
