"""The tables of rotary position embedding (Su et al. 2021). Plain numbers, no TVM."""

import numpy as np
import numpy.typing as npt


def rotation_tables(positions: npt.NDArray[np.int32], frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Cosines then sines, float32 [tables, n, 2 * pairs], of the angles position * frequency [tables, pairs].

    The angles are formed in float64: in float32 they are off by 0.002 radians at position 32,000.
    """
    angles = positions[None, :, None] * frequencies[:, None, :]
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=2).astype(np.float32)
