"""The table of rotary position embedding (Su et al. 2021). Plain numbers, no TVM."""

import numpy as np
import numpy.typing as npt


def rotation_table(positions: npt.NDArray[np.int32], frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Cosines then sines, float32 [n, 2 * len(frequencies)], of the angles position * frequency.

    The angles are formed in float64: in float32 they are off by 0.002 radians at position 32,000.
    """
    angles = positions[:, None] * frequencies[None, :]
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
