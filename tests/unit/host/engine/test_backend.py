"""Which engine runs a model, and the reason people read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heron.errors import HeronError, InvalidSettings, ResourceError, SystemFault
from heron.host.compiler.mlc_probe import Device
from heron.host.engine.backend import choose_backend, choose_remote
from heron.host.engine.mlc_survey import MlcOffer, choose_device, install_command, survey_mlc
from heron.settings import BackendName, EngineSettings, MlcSettings, Settings
from mlc_models import change_config, make_mlc_folder
from mlc_package import has_real_package, package

CPU, CUDA, METAL = (Device(kind, 0, kind.title(), 8 << 30) for kind in ("cpu", "cuda", "metal"))
VULKAN = Device("vulkan", 1, "Radeon", 0)
MISSING = MlcOffer(problem="the package mlc_llm is not installed", remedy="Install it with: pip")


def here(*devices: Device) -> Callable[[], MlcOffer]:
    return lambda: MlcOffer("0.20.0", devices)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mlc_folder(tmp_path_factory.mktemp("mlc") / "tiny")


@pytest.mark.parametrize(
    ("settings", "offer", "backend", "reason"),
    [
        ({}, here(CPU), "tvm", "Heron's own engine runs this model."),
        ({}, lambda: MISSING, "tvm", "Heron's own engine runs this model."),
        (
            {},
            here(METAL, CPU),
            "mlc",
            "MLC-LLM can use metal:0 (Metal, 8.6 GB), where Heron's own engine has not been measured.",
        ),
        ({"device": "metal"}, lambda: MISSING, "tvm", "Heron's own engine runs this model."),
        ({}, here(CUDA, VULKAN, CPU), "tvm", "Heron's own engine runs this model."),
        ({"device": "cpu"}, here(METAL, CPU), "tvm", "Heron's own engine runs this model."),
        ({"device": "vulkan:1"}, here(VULKAN), "mlc", "engine.device is vulkan:1, where only MLC-LLM runs."),
        ({"backend": "mlc"}, here(CPU), "mlc", "engine.backend says so."),
        ({"backend": "tvm"}, here(METAL, CPU), "tvm", "engine.backend says so."),
    ],
)
def test_models_of_mlc(
    folder: Path, settings: dict[str, Any], offer: Callable[[], MlcOffer], backend: str, reason: str
) -> None:
    choice = choose_backend(Settings(engine=EngineSettings(**settings)), folder, offer)
    assert (choice.backend, choice.reason) == (backend, reason)


def test_what_only_mlc_heeds_is_said_where_our_own_engine_runs(folder: Path) -> None:
    settings = Settings(mlc=MlcSettings(tensor_parallel_shards=2, draft_model="small"))
    reason = choose_backend(settings, folder, here(CPU)).reason
    assert reason.endswith(" Only MLC-LLM heeds mlc.tensor_parallel_shards and mlc.draft_model.")
    assert "heeds" not in choose_backend(settings, folder, here(METAL)).reason


@pytest.mark.parametrize(
    ("settings", "offer", "backend", "reason"),
    [
        ({}, lambda: MISSING, "tvm", "mlc.library names it."),
        ({"backend": "tvm"}, here(CPU), "tvm", "mlc.library names it."),
        ({}, here(CPU), "mlc", "mlc.library names a compiled library."),
        ({"backend": "mlc"}, here(CPU), "mlc", "engine.backend says so."),
    ],
)
def test_a_named_library_is_run_as_it_is_where_the_package_does_not(
    folder: Path, settings: dict[str, Any], offer: Callable[[], MlcOffer], backend: str, reason: str
) -> None:
    named = folder.with_name("named.so")
    named.touch()
    asked = Settings(engine=EngineSettings(**settings), mlc=MlcSettings(library=str(named)))
    choice = choose_backend(asked, folder, offer)
    assert (choice.backend, choice.reason, choice.library) == (backend, reason, named if backend == "tvm" else None)


@pytest.mark.parametrize("backend", ["auto", "tvm"])
def test_a_library_beside_what_our_compiler_does_not_run_is_run(tmp_path: Path, backend: BackendName) -> None:
    folder, asked = make_mlc_folder(tmp_path / "m"), Settings(engine=EngineSettings(backend=backend))
    library = folder / "m.so"
    library.touch()
    assert choose_backend(asked, folder, lambda: MISSING).library is None
    change_config(folder, model_type="olmo")
    choice = choose_backend(asked, folder, lambda: MISSING)
    assert (choice.backend, choice.library) == ("tvm", library)
    assert re.match(r"Heron's own compiler does not run the model .*'olmo'.*, and a compiled library", choice.reason)
    library.unlink()
    if backend == "auto":
        with pytest.raises(ResourceError, match="does not run this model"):
            choose_backend(asked, folder, lambda: MISSING)


def test_what_ours_does_not_run_takes_the_package(tmp_path: Path) -> None:
    folder = make_mlc_folder(tmp_path / "m")
    change_config(folder, model_type="rwkv6")
    assert "'rwkv6'" in choose_backend(Settings(engine=EngineSettings()), folder, here(CPU)).reason
    with pytest.raises(ResourceError, match=r"does not run this model .*'rwkv6'.* is not installed\. Install it with"):
        choose_backend(Settings(engine=EngineSettings()), folder, lambda: MISSING)


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        (
            {"backend": "mlc"},
            ResourceError,
            r"engine.backend is mlc, but the package mlc_llm is not installed\. Install",
        ),
        ({"device": "rocm"}, ResourceError, "engine.device is rocm, which takes MLC-LLM, but the package"),
        ({"device": "vulkan", "backend": "tvm"}, ResourceError, "where Heron's own engine does not run"),
    ],
)
def test_what_cannot_be_is_explained(
    folder: Path, settings: dict[str, Any], kind: type[HeronError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        choose_backend(Settings(engine=EngineSettings(**settings)), folder, lambda: MISSING)


def test_gguf_files(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.touch()
    assert choose_backend(Settings(engine=EngineSettings()), path, here(METAL)).backend == "tvm"
    with pytest.raises(InvalidSettings, match=r"not GGUF files. Fetch one with: heron models pull mlc:"):
        choose_backend(Settings(engine=EngineSettings(backend="mlc")), path, here(CPU))
    with pytest.raises(ResourceError, match=r"engine.device is vulkan, where only MLC-LLM runs"):
        choose_backend(Settings(engine=EngineSettings(device="vulkan")), path, here(VULKAN))


def test_remote_servers() -> None:
    url = "http://localhost:8000"
    assert choose_remote(EngineSettings()) is None
    assert choose_remote(EngineSettings(backend="tvm", remote_url=url)) is None
    for settings in (EngineSettings(backend="remote", remote_url=url), EngineSettings(remote_url=url)):
        choice = choose_remote(settings)
        assert choice is not None
        assert choice.backend == "remote"
    with pytest.raises(InvalidSettings, match=r"engine.remote_url names no server"):
        choose_remote(EngineSettings(backend="remote"))


def test_devices_by_their_names() -> None:
    offer = MlcOffer("0.20.0", (VULKAN, CPU))
    assert choose_device("auto", offer) is VULKAN
    assert choose_device("vulkan:1", offer) is VULKAN
    assert choose_device("cpu", offer) is CPU
    with pytest.raises(
        ResourceError, match=r"vulkan:0, which MLC-LLM 0.20.0 does not find here. Found: vulkan:1 .Radeon"
    ):
        choose_device("vulkan:0", offer)


def test_the_install_command_is_that_of_the_platform() -> None:
    for cuda, build in ((13, "cu130"), (14, "cu130"), (12, "cu128")):
        command = install_command("Linux", lambda cuda=cuda: cuda)
        assert command.endswith(f"-f https://mlc.ai/wheels mlc-llm-nightly-{build} mlc-ai-nightly-{build}")
    for system in ("Darwin", "Windows"):
        assert install_command(system, lambda: 13).endswith("mlc-llm-nightly-cpu mlc-ai-nightly-cpu")


@pytest.mark.parametrize(("installed", "build"), [("6.1.2-1", "rocm61"), ("6.2.0", "rocm62"), ("7.0.1\n", "rocm62")])
def test_the_install_command_is_that_of_the_installed_rocm(tmp_path: Path, installed: str, build: str) -> None:
    (tmp_path / "version").write_text(installed)
    command = install_command("Linux", lambda: 0, tmp_path / "version")
    assert command.endswith(f"mlc-llm-nightly-{build} mlc-ai-nightly-{build}")


@pytest.mark.skipif(has_real_package(), reason="the real package is here")
def test_whether_the_package_is_there_is_told_without_importing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = survey_mlc()
    assert (missing.is_usable, missing.problem) == (False, "the package mlc_llm is not installed")
    assert "python -m pip install" in missing.remedy
    with package(monkeypatch):
        assert survey_mlc(lambda: (CPU,)) == MlcOffer("of unknown version", (CPU,))

        def fail() -> tuple[Device, ...]:
            raise SystemFault("TVM ended with status -11 when asked for devices.")

        broken = survey_mlc(fail)
        assert not broken.is_usable
        assert "status -11" in broken.problem
