"""What is asked of NVIDIA's driver, by a library that stands in for it: the real one is there only with a card."""

import shutil
import subprocess
from pathlib import Path

import pytest

from heron.host.compiler.gpu.cards import Card, Survey, list_cards, newest_cuda

DRIVER = """
#include <stddef.h>
#include <string.h>
static int pushed = 0, retained = 0;
int cuInit(unsigned flags) { return INIT; }
int cuDriverGetVersion(int* version) { *version = 12080; return INIT; }
int cuDeviceGetCount(int* count) { *count = 2; return 0; }
int cuDeviceGet(int* device, int index) { *device = index + 7; return 0; }
int cuDeviceGetName(char* name, int size, int device) { strncpy(name, device == 7 ? "Big" : "Small", size); return 0; }
int cuDeviceGetAttribute(int* value, int key, int device) {
  if (key == 75) *value = device == 7 ? 9 : 7; else if (key == 76) *value = device == 7 ? 0 : 5; else return 1;
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) { *context = (void*)(size_t)device; retained++; return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return --retained || pushed; }
int cuCtxPushCurrent_v2(void* context) { pushed = (int)(size_t)context; return 0; }
int cuCtxPopCurrent_v2(void** context) { *context = (void*)(size_t)pushed; pushed = 0; return 0; }
int cuMemGetInfo_v2(size_t* free, size_t* total) {
  if (MEMORY) return MEMORY;
  *free = pushed * 1000000000ull; *total = 80000000000ull; return 0;
}
int cuGetErrorString(int code, const char** text) { *text = code == 999 ? "unknown error" : 0; return 0; }
"""


def build_driver(folder: Path, init: int = 0, memory: int = 0) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here: the driver's stand-in was not built")
    (folder / "driver.c").write_text(DRIVER)
    library = folder / f"libcuda-{init}-{memory}.so"
    flags = ["-shared", "-fPIC", f"-DINIT={init}", f"-DMEMORY={memory}"]
    subprocess.run([compiler, *flags, "-o", str(library), str(folder / "driver.c")], check=True)
    return str(library)


def test_cards_are_read_with_their_free_memory(tmp_path: Path) -> None:
    found = list_cards(build_driver(tmp_path))
    big = Card(0, "Big", (9, 0), 7_000_000_000, 80_000_000_000)
    assert found == Survey((big, Card(1, "Small", (7, 5), 8_000_000_000, 80_000_000_000)))
    assert big.describe() == "cuda:0 (Big, sm_90, 7.0 of 80.0 GB free)"


def test_the_cuda_that_a_driver_runs(tmp_path: Path) -> None:
    assert newest_cuda(build_driver(tmp_path)) == 12
    assert newest_cuda(build_driver(tmp_path, init=999)) == 0
    assert newest_cuda(str(tmp_path / "libcuda.so.1")) == 0


def test_without_a_driver(tmp_path: Path) -> None:
    found = list_cards(str(tmp_path / "libcuda.so.1"))
    assert found.cards == ()
    assert "no NVIDIA driver was found" in found.problem
    assert "580" in found.remedy


@pytest.mark.parametrize(
    ("init", "memory", "problem"),
    [
        (100, 0, "the NVIDIA driver shows no card"),
        (999, 0, "the NVIDIA driver does not work (cuInit: unknown error (999))"),
        (0, 2, "the NVIDIA driver does not work (cuMemGetInfo_v2: error (2))"),
    ],
)
def test_a_driver_that_does_not_work(tmp_path: Path, init: int, memory: int, problem: str) -> None:
    found = list_cards(build_driver(tmp_path, init, memory))
    assert (found.cards, found.problem) == ((), problem)
    assert "nvidia-smi" in found.remedy


def test_a_library_that_is_no_driver() -> None:
    found = list_cards("libc.so.6")
    assert "the NVIDIA driver does not work" in found.problem
