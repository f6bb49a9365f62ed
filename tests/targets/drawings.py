"""Labels drawn as text."""

import numpy as np


def drawn(text: str) -> np.ndarray:
    """One character a pixel: '.' is 0, '?' is -1, digits are labels."""
    values = {".": 0, "?": -1}
    rows = [[values[c] if c in values else int(c) for c in row] for row in text.split()]
    return np.array(rows, np.int32)
