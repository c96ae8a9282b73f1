"""Loading a folder by MLC-LLM: what is looked at before its constructor, which hangs on all of this."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heron.errors import (
    CompileFailed,
    CorruptModel,
    HeronError,
    InvalidSettings,
    ModelUnavailable,
    OutOfMemory,
    SystemFault,
)
from heron.host.compiler.mlc_probe import Device
from heron.host.engine.mlc_engine import MlcEngine
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_load import load_mlc
from heron.host.engine.mlc_survey import MlcOffer
from heron.host.models.progress import Progress
from heron.settings import EngineSettings, MlcSettings, Settings
from mlc_models import change_config, make_mlc_folder
from mlc_package import has_real_package, package

pytestmark = pytest.mark.skipif(has_real_package(), reason="the stand-in's own libraries")
CPU = Device("cpu", 0, "", 0)
OFFER = MlcOffer("0.20.0", (CPU,))


@pytest.fixture(autouse=True)
def mlc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with package(monkeypatch):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_mlc_folder(tmp_path / "tiny")


def read_library(path: Path) -> dict[str, Any]:
    """In the place of TVM, which loads real libraries only."""
    try:
        metadata: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise SystemFault("TVM 0.27 cannot do that: RuntimeError: invalid ELF header") from None
    return metadata


def load(folder: Path, settings: Settings | None = None, offer: MlcOffer = OFFER) -> tuple[MlcEngine, list[str]]:
    """The engine, and all that was said while it was loaded."""
    said: list[str] = []
    job = MlcJob("tiny", folder, settings or Settings(), offer, "Because.", read_library)

    def report(progress: Progress) -> None:
        said.append(f"{progress.state}: {progress.message}")

    return load_mlc(job, report, said.append), said


def with_mlc(**values: Any) -> Settings:
    return Settings(mlc=MlcSettings(**values))


async def test_the_library_is_compiled_once_with_progress(folder: Path) -> None:
    engine, said = load(folder)
    later = ["Looking at the library library.so", "Reading the tokenizer of tiny", "MLC-LLM 0.20.0 loads tiny on cpu:0"]
    assert said == ["compiling: MLC-LLM compiles the model for cpu, once (0 s so far)", *later]
    assert engine.model.place == "The model runs on cpu:0 by MLC-LLM 0.20.0: Because."
    assert engine.model.context_window == 512
    assert engine.model.supports_fim
    assert engine.model.supports_chat
    assert not engine.model.supports_tools
    await engine.close()
    engine, said = load(folder)
    assert said == later
    await engine.close()


@pytest.mark.parametrize(("device", "told"), [("auto", "cuda"), ("cuda:1", "cuda:1")])
def test_a_library_is_compiled_for_the_card_it_will_run_on(tmp_path: Path, device: str, told: str) -> None:
    """Cards of one machine may be of different kinds. The stand-in's constructor knows no card."""
    cards = tuple(Device("cuda", index, name, 8 << 30) for index, name in enumerate(("A100", "L4")))
    folder, seen = make_mlc_folder(tmp_path / "tiny"), list[dict[str, Any]]()

    def read(path: Path) -> dict[str, Any]:
        seen.append(read_library(path))
        raise SystemFault("enough")

    settings = Settings(engine=EngineSettings(device=device))
    with pytest.raises(CorruptModel, match="enough"):
        load_mlc(
            MlcJob("tiny", folder, settings, MlcOffer("0.20.0", cards), "", read), lambda said: None, lambda said: None
        )
    assert seen[0]["device"] == told


async def test_a_named_library_goes_first_and_one_beside_the_weights_next(folder: Path, tmp_path: Path) -> None:
    (folder / "tiny.so").write_text("{}")
    engine, said = load(folder)
    assert said[0] == "Looking at the library tiny.so"
    await engine.close()
    with pytest.raises(ModelUnavailable, match=r"mlc.library is"):
        load(folder, with_mlc(library=str(tmp_path / "none.so")))


@pytest.mark.parametrize("policy", ["READONLY", "OFF"])
def test_where_nothing_may_be_compiled_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    monkeypatch.setenv("MLC_JIT_POLICY", policy)
    with pytest.raises(CompileFailed, match=f"none may be made .MLC_JIT_POLICY={policy}"):
        load(folder)
    monkeypatch.setenv("MLC_JIT_POLICY", "ON")
    with pytest.raises(CompileFailed, match="none may be made"):
        load(folder, with_mlc(compile="off"))


def test_a_failed_compile_is_explained(folder: Path) -> None:
    change_config(folder, model_type="broken")
    with pytest.raises(CompileFailed, match=r"exit status 0.: ValueError: the pass FuseOps met an unknown operator"):
        load(folder)


def test_what_would_hang_the_constructor_is_found_first(folder: Path) -> None:
    shard = sorted(folder.glob("params_shard_*.bin"))[-1]
    content = shard.read_bytes()
    shard.write_bytes(content[:-2])
    with pytest.raises(CorruptModel, match=f"{shard.name} has {len(content) - 2} bytes instead of {len(content)}"):
        load(folder)
    shard.unlink()
    with pytest.raises(CorruptModel, match=f"{shard.name} is missing"):
        load(folder)


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("no library at all", "cannot be loaded. TVM 0.27 cannot do that: RuntimeError: invalid ELF header"),
        ({"quantization": "q0f16"}, "the library is for quantization 'q0f16', the model is 'q4f16_1'"),
        ({"params": [{"name": "lm_head.q_weight", "shape": [7, 7], "dtype": "uint32"}]}, r"of shape \(7, 7\)"),
        ({"params": [{"name": "other", "shape": [7], "dtype": "float16"}]}, "wants 1 weights the model has not: other"),
    ],
)
def test_a_library_that_does_not_fit_is_refused(folder: Path, library: object, words: str) -> None:
    (folder / "tiny.so").write_text(library if isinstance(library, str) else json.dumps(library))
    with pytest.raises(CorruptModel, match=words):
        load(folder)


@pytest.mark.parametrize(("mode", "told", "places"), [("local", 2, 2), ("local", 128, 4), ("interactive", 128, 1)])
async def test_no_more_run_at_once_than_the_library_was_compiled_for(
    folder: Path, mode: str, told: int, places: int
) -> None:
    (folder / "tiny.so").write_text(json.dumps({"max_batch_size": told}))
    engine, _ = load(folder, with_mlc(mode=mode))
    assert engine._backend.config.max_num_sequence == places
    assert engine._admission._limits.max_running == places
    await engine.close()


async def test_a_library_for_several_cards_wants_them(folder: Path) -> None:
    """As the model's own configuration may have it, with nothing set; its weights are parts of the model's."""
    parts = [{"name": "lm_head.q_weight", "shape": [7, 7], "dtype": "uint32"}]
    (folder / "tiny.so").write_text(json.dumps({"tensor_parallel_shards": 2, "params": parts}))
    with pytest.raises(InvalidSettings, match=r"The library .*tiny.so: 2 is more than the 1 devices of the kind 'cpu'"):
        load(folder)
    engine, _ = load(folder, offer=MlcOffer("0.20.0", (CPU, replace(CPU, index=1))))
    await engine.close()


def test_a_cache_that_does_not_fit_is_refused_with_numbers(folder: Path) -> None:
    card = Device("vulkan", 0, "Small", 5_000_000)
    settings = Settings(engine=EngineSettings(device="vulkan", cache_tokens=100_000))
    with pytest.raises(OutOfMemory, match=r"The model takes .* on vulkan:0 \(Small, 0.0 GB\), and 5 MB are free"):
        load(folder, settings, MlcOffer("0.20.0", (card,)))


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"tensor_parallel_shards": 2}, InvalidSettings, "2 is more than the 1 devices of the kind 'cpu'"),
        ({"draft_model": "/nowhere"}, ModelUnavailable, "it has no mlc-chat-config.json"),
    ],
)
def test_settings_of_several_cards_and_of_drafts_are_checked(
    folder: Path, values: dict[str, Any], kind: type[HeronError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        load(folder, with_mlc(**values))


async def test_a_draft_model_is_passed_on(folder: Path, tmp_path: Path) -> None:
    draft = make_mlc_folder(tmp_path / "draft", "q0f16")
    engine, _ = load(folder, with_mlc(draft_model=str(draft), draft_length=4))
    config = engine._backend.config
    assert (config.speculative_mode, config.spec_draft_length) == ("small_draft", 4)
    ((model, library),) = config.additional_models
    assert model == str(draft)
    assert read_library(Path(library))["quantization"] == "q0f16"
    await engine.close()
    change_config(draft, vocab_size=5)
    with pytest.raises(InvalidSettings, match="a vocabulary of 5 tokens"):
        load(folder, with_mlc(draft_model=str(draft)))


async def test_several_cards_are_passed_on(folder: Path) -> None:
    cards = (CPU, replace(CPU, index=1))
    engine, _ = load(folder, with_mlc(tensor_parallel_shards=2), MlcOffer("0.20.0", cards))
    assert engine._backend.config.tensor_parallel_shards == 2
    await engine.close()
