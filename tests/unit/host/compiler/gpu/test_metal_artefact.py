"""The kernels for Metal are built and loaded as a Mac would, up to where Apple's compiler takes their source."""

import platform
from pathlib import Path

import pytest

from heron.errors import ResourceError
from heron.host.compiler.gpu.artefact import LIBRARY_FILE
from heron.host.compiler.gpu.metal_artefact import ensure_metal_artefact
from heron.host.compiler.gpu.metal_device import load_functions
from heron.host.engine.metal_engine import load_metal_runner
from heron.host.models.progress import Progress
from heron.settings import EngineSettings
from mlc_folders import MlcWriter, write_mlc_folder
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder


@pytest.mark.skipif(platform.system() == "Darwin", reason="a Mac may have the GPU that is missing here")
def test_kernels_are_built_for_a_loader_that_only_a_mac_has(tmp_path: Path, heron_home: Path) -> None:
    """Of a folder of MLC-LLM's, whose weights are plain numbers."""
    model, reports = tmp_path / "tiny", list[Progress]()
    write_mlc_folder(write_decoder(tmp_path / "tiny.gguf", TINIEST), model, MlcWriter("q0f16"))
    folder = ensure_metal_artefact(model, reports.append)
    assert folder.parent == heron_home / "artefacts"
    assert "-metal-" in folder.name
    assert [report.message for report in reports] == ["Compiling for Metal with TVM", "Compiled"]
    assert b"__tvm_ffi_attend" in (folder / LIBRARY_FILE).read_bytes()
    with pytest.raises(RuntimeError, match=r"created using \{metal\} but a loader of that name is not registered"):
        load_functions(str(folder / LIBRARY_FILE))
    with pytest.raises(ResourceError, match="TVM sees no GPU by Metal here"):
        load_metal_runner(model, folder, EngineSettings())
