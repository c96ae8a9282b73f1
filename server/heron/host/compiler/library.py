"""Saving compiled code and loading it again, with a C compiler at hand or without one."""

import logging
from pathlib import Path
from typing import Any

from heron.host.compiler.manifest import LibraryKind

_SHARED_OBJECT = "library.so"
_BYTECODE, _LLVM_IR = "library.vm", "library.ll"

_log = logging.getLogger(__name__)


def save_library(executable: Any, folder: Path) -> LibraryKind:
    """Write the executable's files: a shared object where a compiler can link it, else bytecode and LLVM's IR.

    TVM makes machine code itself; only linking needs a C compiler. Without one, LLVM's JIT makes it at each load.
    """
    if _link(executable, folder / _SHARED_OBJECT):
        return "shared-object"
    executable.mod.write_to_file(str(folder / _BYTECODE), "relax.VMExecutable")
    executable.mod.imports[0].write_to_file(str(folder / _LLVM_IR), "ll")
    return "llvm-ir"


def load_library(folder: Path, kind: LibraryKind) -> Any:
    """The module of a folder written by `save_library`, for `relax.VirtualMachine`."""
    import tvm

    if kind == "shared-object":
        return tvm.runtime.load_module(str(folder / _SHARED_OBJECT))
    module = tvm.get_global_func("ffi.Module.load_from_file.relax.VMExecutable")(str(folder / _BYTECODE))
    module.import_module(tvm.runtime.load_module(str(folder / _LLVM_IR)))
    return module


def library_files(kind: LibraryKind) -> tuple[str, ...]:
    """Names of the files that `save_library` writes."""
    return (_SHARED_OBJECT,) if kind == "shared-object" else (_BYTECODE, _LLVM_IR)


def _link(executable: Any, path: Path) -> bool:
    from tvm.support import cc

    if cc.get_cc() is None:
        return False
    try:
        executable.export_library(str(path))
    except (OSError, RuntimeError) as error:
        _log.warning("The C compiler cannot link, so the JIT will be used: %s", error)
        path.unlink(missing_ok=True)
        return False
    return True
