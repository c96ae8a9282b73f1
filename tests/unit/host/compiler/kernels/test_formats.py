"""The numbers of the packed formats."""

import pytest

from heron.errors import UnsupportedModel
from heron.host.compiler.kernels.formats import find_format


@pytest.mark.parametrize(
    ("type_name", "block_k", "block_bytes"),
    [
        ("Q4_0", 32, 288),
        ("Q4_1", 32, 320),
        ("Q5_0", 32, 352),
        ("Q5_1", 32, 384),
        ("Q8_0", 32, 544),
        ("Q4_K", 256, 2368),
        ("Q5_K", 256, 2880),
        ("Q6_K", 256, 3360),
        ("F16", 32, 1024),
        ("BF16", 32, 1024),
        ("F32", 32, 2048),
    ],
)
def test_blocks_hold_no_byte_too_many(type_name: str, block_k: int, block_bytes: int) -> None:
    found = find_format(type_name)
    assert (found.block_k, found.block_bytes) == (block_k, block_bytes)
    assert found.packed_shape(33, 512) == (3, 512 // block_k, block_bytes)


def test_an_unknown_type_is_refused_with_what_is_supported() -> None:
    with pytest.raises(UnsupportedModel, match=r"IQ2_XXS is not supported; supported are Q4_0, .*Q6_K"):
        find_format("IQ2_XXS")
