"""Runs a decoder on a GPU: turns a `Batch` into one replayed recording of kernels, and reads its logits."""

from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import ResourceError
from heron.host.compiler.architectures import read_config, rope_frequencies
from heron.host.compiler.gpu.device import GpuDevice
from heron.host.compiler.gpu.model import load_model, plan_kernels
from heron.host.compiler.gpu.program import Cache, Program, padded_tokens
from heron.host.compiler.gpu.shapes import (
    LOGIT_ROWS,
    MAX_TOKENS,
    PAGE_STARTS,
    PAGES,
    PLACES_PAGES,
    PLACES_SIZE,
    POSITIONS,
    SLOTS,
    TOKEN_IDS,
)
from heron.host.compiler.kernels.pages import PAGE_SIZE
from heron.host.compiler.rotation import rotation_tables
from heron.host.engine.budget import wanted_cache_tokens
from heron.host.engine.runner import Batch
from heron.host.models.gguf import GgufFile
from heron.settings import EngineSettings

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]

_QUICK_ROWS = 8  # rows of logits that go through page-locked memory


def wanted_pages(engine: EngineSettings) -> int:
    """Pages for `engine.cache_tokens`."""
    return -(-wanted_cache_tokens(engine) // PAGE_SIZE)


class GpuRunner:
    """A `runner.Runner` on a GPU; `functions` are kernels by name. Loaded by one thread, it may be run by another."""

    def __init__(self, file: GgufFile, functions: Any, num_pages: int, device: GpuDevice) -> None:
        self._config = read_config(file)
        self._num_pages = num_pages
        self._device = device
        model = load_model(file, self._config, device)
        self.linear_bytes = model.linear_bytes
        plan = plan_kernels(file, self._config, device.limits)
        self._program: Program | None = Program(plan, functions, model, (device, self._allocate_cache(file)))
        self._recordings: dict[tuple[int, int], Any] = {}
        self._places = self._device.lock_memory((PLACES_SIZE,), "int32")
        self._rows = self._device.lock_memory((_QUICK_ROWS, model.output.shape.rows), "float32")

    @property
    def vocab_size(self) -> int:
        return self._config.vocab_size

    @property
    def page_size(self) -> int:
        return PAGE_SIZE

    @property
    def num_pages(self) -> int:
        return self._num_pages

    @property
    def max_batch_tokens(self) -> int:
        return MAX_TOKENS

    def run(self, batch: Batch) -> Float32:
        """Logits [r, vocab_size], owned by the caller."""
        self.launch(batch)
        return self._read_logits(len(batch.logit_rows))

    def launch(self, batch: Batch) -> None:
        """Start a step without waiting for it."""
        program, num_rows = self._opened(), len(batch.logit_rows)
        self._device.adopt_thread()
        size = (padded_tokens(len(batch.token_ids)), padded_tokens(num_rows) if num_rows else 0)
        self._device.synchronize()  # nobody waited for a step without logits: its places may not have been read yet
        end = fill_places(self._places, batch)
        self._device.write(program.buffers.places, self._places[:end])
        if size not in self._recordings:
            program.enqueue(*size)  # once as it is: loading a kernel's code cannot be captured
            self._device.synchronize()
            self._recordings[size] = self._device.capture(lambda: program.enqueue(*size))
        self._device.replay(self._recordings[size])

    def synchronize(self) -> None:
        """Wait for what was launched."""
        self._device.synchronize()

    def copy_page(self, source: int, target: int) -> None:
        """Copy the keys and values of a whole page, all layers."""
        program = self._opened()
        self._device.adopt_thread()
        program.copy_page(source, target)

    def close(self) -> None:
        """Free weights and pages. Idempotent."""
        self._program = None
        self._recordings = {}

    def _opened(self) -> Program:
        if self._program is None:
            raise ResourceError("The model was unloaded.")
        return self._program

    def _read_logits(self, num_rows: int) -> Float32:
        if not num_rows:
            return np.empty((0, self.vocab_size), np.float32)
        width = self._rows.shape[1]
        rows = self._rows[:num_rows] if num_rows <= _QUICK_ROWS else np.empty((num_rows, width), np.float32)
        self._device.read(rows, self._opened().buffers.logits)
        return np.array(rows[:, : self.vocab_size])

    def _allocate_cache(self, file: GgufFile) -> Cache:
        config = self._config
        shape = (config.num_layers, self._num_pages, config.num_kv_heads, PAGE_SIZE, config.head_size)
        positions = np.arange(config.context_length, dtype=np.int32)
        (table,) = rotation_tables(positions, rope_frequencies(file, config))
        keys, values = (self._device.zeros(shape, "float16") for _ in range(2))
        return Cache(self._device.upload(table), keys, values)


def fill_places(places: Int32, batch: Batch) -> int:
    """Write a batch's numbers where the kernels look for them (`shapes`); how many entries of `places` are used."""
    count, num_rows = len(batch.token_ids), len(batch.logit_rows)
    width = batch.page_table.shape[1]
    if batch.page_table.size > PLACES_PAGES:
        raise ResourceError(f"The batch's page tables have {batch.page_table.size} entries; {PLACES_PAGES} fit.")
    sequence = np.repeat(np.arange(len(batch.query_starts) - 1), np.diff(batch.query_starts))
    for first, values, filler in (
        (TOKEN_IDS, batch.token_ids, 0),
        (POSITIONS, batch.positions, -1),
        (SLOTS, batch.slots, -1),
        (PAGE_STARTS, sequence * width, 0),
    ):
        places[first + count : first + padded_tokens(count)] = filler
        places[first : first + count] = values
    places[LOGIT_ROWS : LOGIT_ROWS + MAX_TOKENS] = 0
    places[LOGIT_ROWS : LOGIT_ROWS + num_rows] = batch.logit_rows
    places[PAGES : PAGES + batch.page_table.size] = batch.page_table.reshape(-1)
    return PAGES + batch.page_table.size
