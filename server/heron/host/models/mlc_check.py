"""Is a folder of MLC-LLM's whole? Looked at before its engine is, whose constructor hangs on what is wrong here."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from heron.errors import CorruptModel
from heron.host.models.mlc_format import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    MlcConfig,
    Shard,
    cache_path,
    read_mlc_config,
    read_tensor_cache,
)

_BLOCK_BYTES = 4 << 20

Report = Callable[[int], None]


def check_folder(folder: Path) -> MlcConfig:
    """Its configuration, if all its files are there and of the right size; a second at most, for nothing is hashed.

    Raises CorruptModel or ModelUnavailable that names every fault.
    """
    config = read_mlc_config(folder)
    faults = [*_find_missing(folder), *_find_faults(folder, read_tensor_cache(folder)), *_find_odd_values(config)]
    if faults:
        raise CorruptModel(f"The model in {folder} is not whole: {'; '.join(faults)}.", hint="Fetch it again.")
    return config


def hash_folder(folder: Path, report: Report = lambda done: None) -> None:
    """Compare each shard with its md5; `report` is told the bytes read so far. Raises CorruptModel."""
    for path, reason in find_damaged(folder, report):
        raise CorruptModel(f"{path} is damaged: {reason}.", hint="Fetch it again.")


def find_damaged(folder: Path, report: Report = lambda done: None) -> Iterator[tuple[Path, str]]:
    """The shards whose md5 is another than the folder says, each with both."""
    done = 0
    for shard in read_tensor_cache(folder):
        digest = hashlib.md5(usedforsecurity=False)
        with (folder / shard.file_name).open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                done += len(block)
                report(done)
        if shard.md5 and digest.hexdigest() != shard.md5:
            yield folder / shard.file_name, f"its md5 is {digest.hexdigest()}, not {shard.md5}"


def folder_size(shards: tuple[Shard, ...]) -> int:
    """Bytes of all shards."""
    return sum(shard.num_bytes for shard in shards)


def _find_missing(folder: Path) -> Iterator[str]:
    if not (folder / TOKENIZER_FILE).is_file():
        yield f"{TOKENIZER_FILE} is missing"


def _find_odd_values(config: MlcConfig) -> Iterator[str]:
    if config.vocab_size < 1:
        yield f"{CONFIG_FILE} says vocab_size {config.vocab_size}"


def _find_faults(folder: Path, shards: tuple[Shard, ...]) -> Iterator[str]:
    names: set[str] = set()
    for shard in shards:
        yield from _find_shard_faults(folder, shard)
        for record in shard.records:
            if record.name in names:
                yield f"{cache_path(folder).name} lists {record.name} twice"
            names.add(record.name)


def _find_shard_faults(folder: Path, shard: Shard) -> Iterator[str]:
    try:
        size = (folder / shard.file_name).stat().st_size
    except OSError:
        yield f"{shard.file_name} is missing"
        return
    if size != shard.num_bytes:
        yield f"{shard.file_name} has {size} bytes instead of {shard.num_bytes}"
    for record in shard.records:
        if record.num_bytes != record.wanted_bytes:
            yield f"{record.name} of shape {record.shape} takes {record.wanted_bytes} bytes, not {record.num_bytes}"
        elif record.offset + record.num_bytes > shard.num_bytes:
            yield f"{record.name} runs past the end of {shard.file_name}"
