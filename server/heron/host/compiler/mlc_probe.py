"""What the installed TVM offers, asked in a child process: a driver or a damaged library may take that down or hang it.

    python -m heron.host.compiler.mlc_probe devices | metadata LIBRARY

One line of JSON on stdout. TVM here is that of the mlc_llm package where it is installed, else apache-tvm.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heron.errors import SystemFault

DEVICE_KINDS = ("cuda", "rocm", "metal", "vulkan", "cpu")
"""in the order in which MLC-LLM takes them"""
_BYTECODE_MAGIC = (0xD225DE2F4214151E).to_bytes(8, "little")
"""TVM, `relax_vm/executable.cc`"""
_TIMEOUT_S = 60.0
_MOST_DEVICES = 16


@dataclass(frozen=True, slots=True)
class Device:
    """One device that TVM can use; `total_bytes` is 0 where TVM does not tell."""

    kind: str
    index: int
    name: str
    total_bytes: int

    def describe(self) -> str:
        memory = f", {self.total_bytes / 1e9:.1f} GB" if self.total_bytes else ""
        return f"{self.kind}:{self.index} ({self.name}{memory})" if self.name else f"{self.kind}:{self.index}"


def probe_devices() -> tuple[Device, ...]:
    """The devices of this machine that the installed TVM can use. Raises SystemFault if it cannot say."""
    return tuple(Device(**device) for device in _ask("devices")["devices"])


def probe_library(path: Path) -> dict[str, Any]:
    """What a library answers to `_metadata`, and the `device_kind` that it has code for.

    SystemFault tells why it cannot be loaded, and this TVM's version.
    """
    answer: dict[str, Any] = _ask("metadata", str(path))
    return answer


def _ask(*question: str) -> Any:
    command = [sys.executable, "-P", "-m", "heron.host.compiler.mlc_probe", *question]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise SystemFault(f"TVM did not answer within {_TIMEOUT_S:g} s when asked for {question[0]}.") from None
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise SystemFault(f"TVM ended with status {done.returncode} when asked for {question[0]}.") from None
    if "problem" in answer:
        raise SystemFault(answer["problem"])
    return answer


def main(arguments: list[str]) -> None:
    """The child: answer one question."""
    private = os.dup(1)
    os.dup2(2, 1)  # what libraries print goes to stderr
    try:
        answer = _list_devices() if arguments[0] == "devices" else _read_metadata(Path(arguments[1]))
    except Exception as error:  # whatever TVM raises is the answer
        text = str(error).strip().splitlines() or [""]
        answer = {"problem": f"TVM {_version()} cannot do that: {type(error).__name__}: {text[-1].strip()}"}
    os.write(private, (json.dumps(answer) + "\n").encode())
    os._exit(0)


def _list_devices() -> dict[str, Any]:
    import tvm

    found = []
    for kind in DEVICE_KINDS:
        for index in range(1 if kind == "cpu" else _MOST_DEVICES):
            device = _open(tvm, kind, index)
            if device is None:
                break
            found.append(_describe(kind, index, device))
    return {"devices": found}


def _open(tvm: Any, kind: str, index: int) -> Any:
    """The device, or None where there is none, or TVM was built without its kind."""
    try:
        device = tvm.device(kind, index)
        return device if device.exist else None
    except Exception:
        return None


def _describe(kind: str, index: int, device: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": "", "total_bytes": 0}
    for name, key in (("device_name", "name"), ("total_global_memory", "total_bytes")):
        try:
            values[key] = getattr(device, name) or values[key]
        except Exception:  # some kinds of device do not tell
            continue
    return {"kind": kind, "index": index, **values}


def _read_metadata(path: Path) -> dict[str, Any]:
    import tvm
    from tvm.runtime.vm import VirtualMachine

    try:
        module = tvm.runtime.load_module(str(path))
    except Exception as error:
        if wanted := re.search(r'version == "([^"]+)"', str(error)):
            found = bytecode_version(path.read_bytes())
            raise ValueError(f"its bytecode is of version {found}, this TVM runs {wanted[1]}") from error
        raise
    metadata: dict[str, Any] = json.loads(str(VirtualMachine(module, tvm.cpu())["_metadata"]()))
    return metadata | {"device_kind": _find_kind(module)}


def _find_kind(module: Any) -> str:
    """The kind of device that a library has code for; the CPU's where it has none for another."""
    kinds = {module.kind, *(_find_kind(other) for other in module.imports)}
    return next(kind for kind in DEVICE_KINDS if kind in kinds or kind == "cpu")


def bytecode_version(library: bytes) -> str:
    """The version of the VM bytecode in a library's bytes: it follows a magic number and its own length."""
    start = library.find(_BYTECODE_MAGIC) + len(_BYTECODE_MAGIC)
    length = int.from_bytes(library[start : start + 8], "little")
    text = library[start + 8 : start + 8 + min(length, 16)]
    return text.decode("ascii", "replace") if start >= len(_BYTECODE_MAGIC) else "unknown"


def _version() -> str:
    try:
        import tvm

        return str(tvm.__version__)
    except Exception:
        return "(missing)"


if __name__ == "__main__":
    main(sys.argv[1:])
