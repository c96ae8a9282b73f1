"""What the installed TVM says of devices and of libraries, asked in a child process."""

from pathlib import Path

import pytest

from heron.errors import SystemFault
from heron.host.compiler.mlc_probe import bytecode_version, probe_devices, probe_library
from mlc_models import make_library

METADATA = {"quantization": "q4f16_1", "params": [{"name": "a", "shape": [2, 3], "dtype": "float16"}]}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("library") / "tiny.so", METADATA)


def test_the_cpu_is_a_device() -> None:
    (device,) = [device for device in probe_devices() if device.kind == "cpu"]
    assert device.index == 0
    assert device.describe().startswith("cpu:0")


def test_a_library_tells_what_it_is_for(library: Path) -> None:
    assert probe_library(library) == METADATA | {"device_kind": "cpu"}


def test_a_library_of_another_version_is_refused_with_both(library: Path, tmp_path: Path) -> None:
    content = library.read_bytes()
    version = bytecode_version(content)
    other = tmp_path / "other.so"
    other.write_bytes(content.replace(version.encode(), b"9" * len(version)))
    with pytest.raises(
        SystemFault, match=rf"TVM [\w.]+ cannot do that.*version {'9' * len(version)}, .* runs {version}"
    ):
        probe_library(other)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.so"
    path.write_bytes(b"nothing" * 100)
    with pytest.raises(SystemFault, match=r"TVM [\w.]+ cannot do that: \w+"):
        probe_library(path)
    assert bytecode_version(b"nothing") == "unknown"
