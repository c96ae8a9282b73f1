"""What is wrong is told in one clear sentence by real processes, and the server works afterwards."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
import httpx
import numpy as np
import pytest

from heron.host.models.catalog import find_model
from heron.host.models.store import Store
from homes import CODER, SMALL, environment


def heron(home: Path, *words: str, **values: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "heron", *words]
    return subprocess.run(command, env=environment(home, **values), capture_output=True, text=True, check=False)


@pytest.fixture
def place(tmp_path: Path) -> str:
    source = tmp_path / "a.py"
    source.write_text("x = ")
    return f"{source}:1:5"


@pytest.fixture
def home(heron_home: Path) -> Iterator[Path]:
    """An empty home whose host, if one was started, is stopped after the test."""
    yield heron_home
    heron(heron_home, "host", "--stop")


def told(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("heron: ")
    return done.stderr


def test_an_unknown_model_is_told_with_the_nearest_names(home: Path, place: str) -> None:
    sentence = told(heron(home, "complete", place, "--model", "qwen2.5-coder-0.5b-instuct"))
    assert CODER in sentence


def test_a_truncated_file_is_refused(home: Path, place: str, stored_models: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with stored_models[SMALL].open("rb") as whole:
        cut.write_bytes(whole.read(20_000_000))
    assert "truncated" in told(heron(home, "complete", place, HERON_MODEL=str(cut)))


def test_a_file_that_is_no_model_is_refused(home: Path, place: str, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04" + bytes(1000))
    assert "GGUF" in told(heron(home, "complete", place, HERON_MODEL=str(other)))


def test_an_unsupported_architecture_is_named_with_the_supported_ones(home: Path, place: str, tmp_path: Path) -> None:
    path = tmp_path / "mamba.gguf"
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), dtype=np.float32))
    for write in (
        writer.write_header_to_file,
        writer.write_kv_data_to_file,
        writer.write_tensors_to_file,
        writer.close,
    ):
        write()
    sentence = told(heron(home, "complete", place, HERON_MODEL=str(path)))
    assert "mamba" in sentence
    assert "qwen2" in sentence


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        sentence = told(heron(home, "host", "--port", port, HERON_ENGINE="scripted"))
    assert f"Port {port} is taken" in sentence


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that nobody may write")
def test_a_home_that_cannot_be_written_is_told(place: str) -> None:
    assert "/proc/heron" in told(heron(Path("/proc/heron"), "complete", place))


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"prompt": "x = 1\n" * 5000}, "25000 tokens long"),
        ({"prompt": "x", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "x", "max_tokens": -5}, "max_tokens"),
        ({"prompt": "x", "temperature": -1}, "temperature"),
        ({"prompt": [10**9]}, "outside the vocabulary"),
    ],
)
def test_a_wrong_request_is_refused_and_the_next_one_answered(
    http: httpx.Client, body: dict[str, object], part: str
) -> None:
    refused = http.post("/v1/completions", json=body)
    assert refused.status_code == 400
    assert part in refused.json()["error"]["message"]
    sensible = {"prompt": "1 2 3 4 5 6", "max_tokens": 2, "temperature": 0}
    answered = http.post("/v1/completions", json=sensible)
    assert answered.json()["choices"][0]["text"] == " 7"


def test_an_altered_stored_model_is_refused_and_fetched_anew(stored_models: dict[str, Path], heron_home: Path) -> None:
    """The store notices by the checksum; that a refused file is fetched again is shown by `test_fetch`."""
    store, entry = Store(heron_home), find_model(SMALL)
    path = store.path_of(entry)
    path.parent.mkdir(parents=True)
    data = bytearray(stored_models[SMALL].read_bytes())
    data[50_000_000] ^= 1
    path.write_bytes(data)
    done = heron(heron_home, "models", "pull", SMALL)
    assert done.returncode == 0
    assert path.read_bytes() == stored_models[SMALL].read_bytes()
