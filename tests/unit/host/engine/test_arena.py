import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.arena import Arena

a_step = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=7)


@given(steps=st.lists(a_step, max_size=4))
def test_arrays_are_copied_whole_and_aligned(steps: list[list[tuple[int, int]]]) -> None:
    arena = Arena()
    for seed, shapes in enumerate(steps):
        random = np.random.default_rng(seed)
        arrays = [random.random(shape).astype((np.float32, np.int32)[sum(shape) % 2]) for shape in shapes]
        for array, placed in zip(arrays, arena.place(arrays), strict=True):
            np.testing.assert_array_equal(placed, array)
            assert placed.dtype == array.dtype
            assert placed.ctypes.data % 64 == 0 or not placed.size


def test_it_grows_with_a_step_that_is_larger() -> None:
    arena = Arena()
    large = np.arange(1 << 20, dtype=np.int32)
    small, placed = arena.place([np.ones(3, np.int32), large])
    np.testing.assert_array_equal(placed, large)
    np.testing.assert_array_equal(small, [1, 1, 1])
