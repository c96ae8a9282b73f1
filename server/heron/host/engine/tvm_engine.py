"""Runs a compiled decoder: maps its weights, owns its KV pages, and turns a `Batch` into logits."""

import importlib
import logging
import mmap
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import OutOfMemory
from heron.host.compiler.kernels.pages import MAX_BATCH_TOKENS, PAGE_SIZE
from heron.host.compiler.kernels.tiles import count_partials, cut_batch
from heron.host.compiler.library import load_library
from heron.host.compiler.manifest import WEIGHTS_FILE, Manifest, read_manifest
from heron.host.compiler.rotation import rotation_tables
from heron.host.compiler.weights import map_weights
from heron.host.engine.arena import Arena
from heron.host.engine.budget import MemoryNeed, wanted_cache_tokens
from heron.host.engine.embedding import Embedding
from heron.host.engine.runner import Batch
from heron.host.engine.threads import ThreadGovernor
from heron.host.models.machine import measure_free_cores
from heron.settings import EngineSettings

_ALL_CORES = 1
"""A mode of TVM's threads: take any core."""

_log = logging.getLogger(__name__)

_ONLY_RUNTIME = "TVM_USE_RUNTIME_LIB"

Float32 = npt.NDArray[np.float32]


def load_runner(artefact: Path, engine: EngineSettings) -> "TvmRunner":
    """The runner of an artefact folder, with `engine.cache_tokens` of KV cache.

    At most as many threads as the artefact was compiled for, fewer while others keep cores busy. CorruptModel for a
    damaged folder, OutOfMemory if the cache does not fit.
    """
    manifest = read_manifest(artefact)
    # Read when TVM starts its pool, on the first run. Unbound threads may leave a core that something else keeps busy.
    os.environ["TVM_NUM_THREADS"] = str(manifest.threads)
    os.environ["TVM_BIND_THREADS"] = "0"
    if manifest.library_kind == "shared-object":  # linked: the compiler, 160 MB of memory, is not needed
        _import_runtime()
    return TvmRunner(artefact, manifest, -(-wanted_cache_tokens(engine) // PAGE_SIZE))


def _import_runtime() -> None:
    """Import TVM without its compiler. A child of this process that compiles a model finds no trace of it."""
    before = os.environ.get(_ONLY_RUNTIME)
    os.environ[_ONLY_RUNTIME] = "1"
    try:
        importlib.import_module("tvm")
    finally:
        if before is None:
            del os.environ[_ONLY_RUNTIME]


def memory_need(artefact: Path) -> MemoryNeed:
    """What an artefact's weights and each page of its KV cache take."""
    manifest = read_manifest(artefact)
    config = manifest.config
    page_bytes = 2 * config.num_layers * config.num_kv_heads * manifest.attention.page_bytes
    return MemoryNeed(manifest.sizes[WEIGHTS_FILE], page_bytes, PAGE_SIZE, config.context_length)


class TvmRunner:
    """A `runner.Runner` on TVM's relax virtual machine. All runs must come from one thread."""

    def __init__(self, artefact: Path, manifest: Manifest, num_pages: int) -> None:
        import tvm
        from tvm.runtime.vm import VirtualMachine

        self._manifest = manifest
        self._num_pages = num_pages
        self._machine = VirtualMachine(load_library(artefact, manifest.library_kind), tvm.cpu(), "pooled")
        self._decode, self._forward = self._machine["decode"], self._machine["forward"]
        parameters = map_weights(artefact / WEIGHTS_FILE, manifest.parameters)
        _read_ahead(parameters)
        # TVM's own array: a list would be turned into one at each step.
        self._parameters = tvm.runtime.convert([tvm.runtime.from_dlpack(parameter) for parameter in parameters])
        self._frequencies = np.array(manifest.rope_frequencies)
        self._pools = _allocate_pools(manifest, num_pages)
        self._pool_tensors = [tvm.runtime.from_dlpack(pool) for pool in self._pools]
        self._partials = tvm.runtime.from_dlpack(_allocate_partials(manifest, num_pages))
        self._arena, self._view = Arena(), tvm.runtime.from_dlpack
        self._hidden = _allocate_rows(manifest.config.hidden)
        self._logits = _allocate_rows(manifest.config.vocab_size)
        self._set_threads = partial(tvm.get_global_func("runtime.config_threadpool"), _ALL_CORES)
        self._governor = ThreadGovernor(manifest.threads, round(measure_free_cores(manifest.threads)))
        self._num_threads = manifest.threads
        self._embedding = Embedding(artefact, manifest)

    @property
    def vocab_size(self) -> int:
        return self._manifest.config.vocab_size

    @property
    def page_size(self) -> int:
        return PAGE_SIZE

    @property
    def num_pages(self) -> int:
        return self._num_pages

    @property
    def max_batch_tokens(self) -> int:
        return MAX_BATCH_TOKENS

    def run(self, batch: Batch) -> Float32:
        """Logits [r, vocab_size], the caller's until the next run."""
        if self._num_threads != self._governor.threads:
            self._num_threads = self._governor.threads
            self._set_threads(self._num_threads)
            _log.info("Steps run on %d threads now", self._num_threads)
        with self._governor.observing():
            return self._run(batch)

    def _run(self, batch: Batch) -> Float32:
        num_tokens, manifest = len(batch.token_ids), self._manifest
        tiles = cut_batch(manifest.attention, batch.query_starts, batch.positions, self._num_threads)
        rotation = rotation_tables(batch.positions, self._frequencies)
        places = [rotation, batch.positions, batch.slots, tiles, batch.page_table]
        hidden, logits = self._hidden[:num_tokens], self._logits[: len(batch.logit_rows)]
        self._embedding.read(batch.token_ids, hidden)
        *placed, rows = map(self._view, self._arena.place([*places, batch.logit_rows]))
        inputs = [self._view(hidden), *placed, self._partials]
        if num_tokens == len(logits) == 1:
            self._decode(*inputs, *self._pool_tensors, self._view(logits), self._parameters)
        else:
            self._forward(*inputs, *self._pool_tensors, self._view(logits), rows, self._parameters)
        return logits

    def copy_page(self, source: int, target: int) -> None:
        """Copy the keys and values of a whole page, all layers."""
        for pool in self._pools:
            pool[:, target] = pool[:, source]

    def close(self) -> None:
        """Free weights and pages. Idempotent."""
        self._machine = self._decode = self._forward = None
        self._pool_tensors, self._parameters = [], []
        self._pools = []
        self._embedding.close()
        self._hidden = self._logits = np.empty((0, 0), np.float32)


def _allocate_pools(manifest: Manifest, num_pages: int) -> list[npt.NDArray[Any]]:
    """Zeroed pools of keys and values; memory is taken as pages are first written."""
    config, shape = manifest.config, manifest.attention
    pool = (config.num_layers, num_pages, config.num_kv_heads, shape.page_items)
    size = config.num_layers * num_pages * config.num_kv_heads * shape.page_bytes
    try:
        return [np.frombuffer(mmap.mmap(-1, size), shape.cache_dtype).reshape(pool) for _ in range(2)]
    except (OSError, OverflowError, ValueError) as error:
        raise OutOfMemory(
            f"A KV cache of {num_pages * PAGE_SIZE} tokens takes {2 * size / 1e6:.0f} MB, which this machine refuses.",
            hint="Lower engine.cache_tokens.",
        ) from error


def _allocate_partials(manifest: Manifest, num_pages: int) -> Float32:
    """Scratch for attention that is cut along the keys; memory is taken as it is first written."""
    shape = manifest.attention
    rows = count_partials(shape, num_pages * PAGE_SIZE, manifest.threads)
    size = shape.num_kv_heads * rows * shape.state_width * 4
    return np.frombuffer(mmap.mmap(-1, size), np.float32).reshape(shape.num_kv_heads, rows, shape.state_width)


def _allocate_rows(width: int) -> Float32:
    """Rows for the largest batch, taken once: blocks of another size each step leave holes that nothing fills again."""
    return np.frombuffer(mmap.mmap(-1, MAX_BATCH_TOKENS * width * 4), np.float32).reshape(-1, width)


def _read_ahead(arrays: Sequence[npt.NDArray[Any]]) -> None:
    """Ask the system to read the mapped weights now, in the background."""
    mapping: Any = arrays[0]
    while isinstance(mapping, np.ndarray):
        mapping = mapping.base
    if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_WILLNEED"):
        mapping.madvise(mmap.MADV_WILLNEED)
