"""What is wrong with a folder of MLC-LLM's, told before anything is loaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import CorruptModel, HeronError, ModelUnavailable
from heron.host.models.catalog import entry_of
from heron.host.models.mlc_check import check_folder, hash_folder
from heron.host.models.mlc_format import MlcConfig, read_mlc_config, read_tensor_cache
from heron.host.models.mlc_library import estimate, find_mismatches
from mlc_models import change_config, make_mlc_folder

Cache = dict[str, Any]
KEYS = ("records", "dataPath", "format", "nbytes", "shape", "name", "dtype")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_mlc_folder(tmp_path / "tiny")


def change_cache(folder: Path, change: Callable[[Cache], object]) -> None:
    path = folder / "tensor-cache.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_a_whole_folder_passes_and_the_former_name_of_its_list_too(folder: Path) -> None:
    assert check_folder(folder).quantization == "q4f16_1"
    hash_folder(folder)
    (folder / "tensor-cache.json").rename(folder / "ndarray-cache.json")
    check_folder(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cache: cache["records"][0].update(nbytes=1), r"params_shard_0.bin has \d+ bytes instead of 1"),
        (lambda cache: cache["records"][0]["records"][0].update(nbytes=1), r"takes \d+ bytes, not 1"),
        (
            lambda cache: cache["records"][0]["records"][0].update(byteOffset=1 << 30),
            "runs past the end of params_shard_0",
        ),
        (lambda cache: cache["records"][0]["records"].append(cache["records"][1]["records"][0]), "twice"),
        (lambda cache: cache["records"][0].update(dataPath="../up.bin"), "'../up.bin' is not the name of a file"),
        (lambda cache: cache["records"][0].update(format="zip"), "the format 'zip' is unknown"),
        (lambda cache: cache["records"][0]["records"][0].update(dtype="int3"), "int3"),
        (lambda cache: cache["records"][0]["records"][0].update(shape=[0, 3]), r"has the shape \(0, 3\)"),
        (lambda cache: cache["records"][0].pop("records"), "KeyError: 'records'"),
        (lambda cache: cache.update(records=[]), "records is not a list of shards"),
    ],
)
def test_what_the_list_of_weights_gets_wrong(folder: Path, change: Callable[[Cache], object], words: str) -> None:
    change_cache(folder, change)
    with pytest.raises(CorruptModel, match=words):
        check_folder(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantization": 4}, "quantization is 4, not a text"),
        ({"vocab_size": "many"}, "vocab_size is 'many', not a whole number"),
        ({"prefill_chunk_size": "all"}, "prefill_chunk_size is 'all', not a whole number"),
    ],
)
def test_what_the_configuration_gets_wrong(folder: Path, changes: dict[str, Any], words: str) -> None:
    change_config(folder, **changes)
    with pytest.raises(CorruptModel, match=words):
        check_folder(folder)


def test_a_chunk_above_the_context_is_no_fault(folder: Path) -> None:
    """MLC-LLM's compiler and its engine both take the smaller of the two."""
    change_config(folder, prefill_chunk_size=4096)
    assert check_folder(folder).longest == 512


def test_every_fault_is_named_at_once(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "params_shard_1.bin").unlink()
    with pytest.raises(
        CorruptModel, match=r"tokenizer\.json is missing; params_shard_1\.bin is missing\. Fetch it again"
    ):
        check_folder(folder)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
        max_leaves=12,
    )
)
def test_any_json_is_refused_by_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, values: object) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("mlc-chat-config.json", "tensor-cache.json"):
        (folder / name).write_text(json.dumps(values))
    for read in (read_mlc_config, read_tensor_cache):
        with pytest.raises(HeronError):
            read(folder)


def test_names_of_models(folder: Path, tmp_path: Path) -> None:
    own = entry_of(f"mlc:{folder}")
    assert (own.id, own.local_path, own.is_mlc) == ("tiny", folder, True)
    remote = entry_of("mlc:mlc-ai/Qwen2.5-Coder-0.5B-Instruct-q4f16_1-MLC")
    assert (remote.id, remote.is_mlc) == ("mlc-ai--Qwen2.5-Coder-0.5B-Instruct-q4f16_1-MLC", True)
    for name in ("mlc:", "mlc:../up", f"mlc:{tmp_path}", "mlc:a/b/c"):
        with pytest.raises(ModelUnavailable, match="no model of MLC-LLM's at"):
            entry_of(name)


def test_the_memory_a_library_tells_of(folder: Path) -> None:
    config, shards = read_mlc_config(folder), read_tensor_cache(folder)
    kv = {"num_hidden_layers": 2, "num_key_value_heads": 3, "head_dim": 4}
    params = [{"name": "a", "shape": [10, 10], "dtype": "float16"}]
    told = {"kv_cache": kv, "params": params, "memory_usage": {"prefill": 70, "decode": 50}}
    need = estimate(told, config, shards, 100)
    assert (need.weights, need.cache, need.work) == (200, 2 * 2 * 3 * 4 * 2 * 100, 70)
    bare = estimate({}, config, shards, 1)
    assert bare.weights == sum(shard.num_bytes for shard in shards)
    assert bare.cache == 2 * 1 * 1 * 64 * 2


def test_a_library_of_any_size_fits(folder: Path) -> None:
    config: MlcConfig = read_mlc_config(folder)
    shards = read_tensor_cache(folder)
    name = shards[0].records[0].name
    told = {"params": [{"name": name, "shape": [-1, 7], "dtype": "uint32"}]}
    assert list(find_mismatches(told, config, shards)) == []
