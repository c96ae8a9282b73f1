"""`heron models`, with small files in place of real ones."""

import json
from pathlib import Path

import pytest

from heron.cli import main
from heron.host.models.catalog import CATALOG, find_model
from heron.host.models.store import Store
from mlc_models import make_mlc_folder

SMALL = "smollm2-135m-instruct"


@pytest.fixture
def stored(heron_home: Path) -> Path:
    path = Store(heron_home).path_of(find_model(SMALL))
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(2_000_000))
    return path


def test_list_has_a_line_a_model_and_says_where_they_are(
    stored: Path, heron_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(CATALOG) + 1
    rows = {line.split()[0]: line for line in lines}
    assert rows[SMALL].startswith(f"{SMALL}        2 MB    yes   Apache-2.0")
    assert " - " in rows["qwen2.5-coder-7b"]
    assert lines[-1].startswith(f"Stored in {heron_home / 'models'}, ")


def test_list_works_before_anything_is_stored(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert "yes" not in capsys.readouterr().out


def test_recommend_gives_each_choice_with_its_reason(
    stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("heron.host.models.choose.free_memory_bytes", lambda: 500_000_000)
    assert main(["models", "recommend", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["model", "quantisation", "device", "instructions", "threads", "memory"]
    assert found["model"] == {"choice": SMALL, "reason": "Only 0.5 GB of memory are free; the others need more."}
    assert found["quantisation"] == {"choice": "Q4_1", "reason": "2 MB of weights; on this machine"}
    assert found["device"]["choice"] in ("cpu", "cuda", "metal")
    assert int(found["threads"]["choice"]) > 0
    assert all(choice["reason"] for choice in found.values())


def test_recommend_goes_by_the_settings(
    heron_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "qwen2.5-coder-0.5b-instruct"
    (heron_home / "config.toml").write_text(f'[model]\nname = "{name}"\n[engine]\ndevice = "cpu"\nthreads = 3\n')
    assert main(["models", "recommend"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines["model"].endswith("The settings name it.")
    assert "fetch it with heron models pull" in lines["quantisation"]
    assert "as engine.device says" in lines["device"]
    assert lines["threads"].split()[1] == "3"


def test_path_prints_the_path_alone(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "path", SMALL]) == 0
    assert capsys.readouterr().out == f"{stored}\n"


def test_rm_says_what_it_freed(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "rm", SMALL]) == 0
    assert capsys.readouterr().out == f"{SMALL} deleted, 2 MB freed\n"
    assert not stored.exists()
    assert main(["models", "rm", SMALL]) == 1
    assert capsys.readouterr().err == f"heron: {SMALL} is not on this machine.\n"


def test_a_file_of_the_users_own_is_not_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    assert main(["models", "rm", str(path)]) == 1
    assert "a file of your own" in capsys.readouterr().err
    assert path.exists()


def test_what_is_not_there_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "path", SMALL]) == 1
    assert f"heron models pull {SMALL}" in capsys.readouterr().err


def test_pull_of_a_stored_file_prints_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    assert main(["models", "pull", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"


def test_an_unknown_name_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "smollm-135m"]) == 1
    assert "There is no model named 'smollm-135m'. Did you mean smollm2-135m-instruct" in capsys.readouterr().err


def test_a_folder_of_mlc_is_checked_to_the_last_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_mlc_folder(tmp_path / "tiny")
    assert main(["models", "pull", f"mlc:{folder}"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert main(["models", "path", f"mlc:{folder}"]) == 0
    shard = folder / "params_shard_0.bin"
    shard.write_bytes(bytes(shard.stat().st_size))
    assert main(["models", "pull", f"mlc:{folder}"]) == 1
    assert f"{shard} is damaged: its md5 is" in capsys.readouterr().err
    assert shard.exists()


def test_what_is_no_folder_of_mlc_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", f"mlc:{tmp_path}"]) == 1
    assert "There is no model of MLC-LLM's at" in capsys.readouterr().err
    assert main(["models", "path", "mlc:mlc-ai/none"]) == 1
    assert "heron models pull mlc:mlc-ai/none" in capsys.readouterr().err
