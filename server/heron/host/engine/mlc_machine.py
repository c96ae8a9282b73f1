"""Runs a library that MLC-LLM compiled, on TVM alone: its weights, its KV cache, and its functions.

What the functions take is seen in MLC-LLM's `cpp/serve/function_table.cc` and `model.cc`; the KV cache is TVM's own
(`vm.builtin.kv_state_*`), which knows sequences by number and finds their pages itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, OutOfMemory, ResourceError
from heron.host.compiler.mlc_probe import Device
from heron.host.models.mlc_weights import read_weights

PAGE_TOKENS = 16
"""Tokens of a page of the KV cache, which MLC-LLM fixes too."""
_CREATE = "create_tir_paged_kv_cache"
_FUNCTIONS = ("embed", "decode", "batch_prefill", "batch_decode", "batch_verify", _CREATE)

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]
Way = Literal["decode", "batch_prefill", "batch_decode", "batch_verify"]


@dataclass(frozen=True, slots=True)
class MlcSizes:
    """For how much a library was compiled, and the KV cache made of it, in tokens."""

    max_sequences: int
    max_tokens: int
    """of one run"""
    cache_tokens: int
    page_tokens: int = PAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Run:
    """New tokens of some sequences, in order, each with how many are its; logits are wanted of `rows`."""

    token_ids: Int32
    sequences: Sequence[int]
    lengths: Sequence[int]
    rows: Int32


class MlcMachine:
    """A library with its weights on a device. All calls must come from one thread."""

    def __init__(self, library: Path, folder: Path, device: Device, sizes: MlcSizes) -> None:
        import tvm
        from tvm.runtime.vm import VirtualMachine

        self._tvm = tvm
        self.sizes = sizes
        self._device = tvm.device(device.kind, device.index)
        machine = VirtualMachine(tvm.runtime.load_module(str(library)), self._device)
        self._functions = _find_functions(machine, library)
        self._weights: list[Any] = self._upload_weights(machine, folder)
        self._cache = self._create_cache()

    @property
    def num_free_pages(self) -> int:
        return int(self._ask("attention_kv_cache_get_num_available_pages"))

    def add(self, sequence: int) -> None:
        """Begin an empty sequence."""
        self._ask("kv_state_add_sequence", sequence)

    def fork(self, parent: int, child: int, num_tokens: int) -> None:
        """Begin a sequence with the first tokens of another, whose full pages they share."""
        self._ask("kv_state_fork_sequence", parent, child, num_tokens)

    def drop_last(self, sequence: int, num_tokens: int) -> None:
        self._ask("kv_state_popn", sequence, num_tokens)

    def remove(self, sequence: int) -> None:
        self._ask("kv_state_remove_sequence", sequence)

    def clear(self) -> None:
        """Forget all sequences; to be called after a run that failed, for it leaves the cache in between."""
        self._ask("kv_state_clear")

    def run(self, run: Run) -> Float32:
        """Logits [r, vocabulary] of the rows, after the new tokens' keys and values were put into the cache."""
        from tvm_ffi import Shape

        count, way = len(run.token_ids), _choose_way(run, self.sizes.max_sequences)
        self._ask("kv_state_begin_forward", Shape(run.sequences), Shape(run.lengths))
        hidden = self._functions["embed"](self._upload(run.token_ids), self._weights)
        width = hidden.shape[-1]
        shape = Shape((count, 1, width) if way in ("decode", "batch_decode") else (1, count, width))
        inputs = [self._tvm.get_global_func("vm.builtin.reshape")(hidden, shape)]
        if way == "batch_prefill":
            rows = run.rows if len(run.rows) else np.array([count - 1], np.int32)
            inputs.append(self._upload(rows))
        logits = self._functions[way](*inputs, self._cache, self._weights)[0]
        self._ask("kv_state_end_forward")
        return _wanted(logits.numpy().reshape(-1, logits.shape[-1]), run, way)

    def close(self) -> None:
        """Free weights and cache. Idempotent."""
        self._functions, self._weights, self._cache = {}, [], None

    def _ask(self, name: str, *arguments: Any) -> Any:
        if self._cache is None:
            raise ResourceError("The model was unloaded.")
        return self._tvm.get_global_func(f"vm.builtin.{name}")(self._cache, *arguments)

    def _upload(self, values: npt.NDArray[Any]) -> Any:
        return self._tvm.runtime.tensor(values, self._device)

    def _upload_weights(self, machine: Any, folder: Path) -> list[Any]:
        """The weights in the order in which the library takes them."""
        wanted = [param["name"] for param in json.loads(str(machine["_metadata"]()))["params"]]
        found: Mapping[str, Any] = read_weights(folder)
        missing = [name for name in wanted if name not in found]
        if missing:
            raise CorruptModel(f"The library wants weights that {folder} has not: {', '.join(missing[:3])}.")
        return [self._upload(found[name]()) for name in wanted]

    def _create_cache(self) -> Any:
        from tvm_ffi import Shape

        sizes = self.sizes
        numbers = (sizes.max_sequences, sizes.cache_tokens, sizes.max_tokens, sizes.page_tokens, 0)
        try:
            return self._functions[_CREATE](*(Shape((number,)) for number in numbers))
        except RuntimeError as error:
            raise OutOfMemory(
                f"The KV cache of {sizes.cache_tokens} tokens could not be made: {str(error).splitlines()[-1]}",
                hint="Lower engine.cache_tokens.",
            ) from error


def _find_functions(machine: Any, library: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _FUNCTIONS:
        try:
            found[name] = machine[name]
        except AttributeError as error:
            raise CorruptModel(f"The library {library} has no function {name}; it is none of a chat model.") from error
    return found


def _choose_way(run: Run, max_sequences: int) -> Way:
    """The function that gives the wanted logits; a library plans its memory for `max_sequences` rows at most, but where
    it gives those of all tokens."""
    if all(length == 1 for length in run.lengths) and len(run.rows) == len(run.lengths):
        return "decode" if len(run.lengths) == 1 else "batch_decode"
    return "batch_prefill" if len(run.rows) <= max_sequences else "batch_verify"


def _wanted(logits: Float32, run: Run, way: Way) -> Float32:
    return logits[run.rows] if way == "batch_verify" else logits[: len(run.rows)]
