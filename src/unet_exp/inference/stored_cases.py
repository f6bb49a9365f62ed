"""Store probabilities and labels of many images in memory; above a limit, in a temporary file."""

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import overload

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

#: Probabilities (c, h, w) of an image and its true objects (h, w). Sizes may differ.
Case = tuple[Float[Tensor, "_ _ _"], Int[Tensor, "_ _"]]


class StoredCases(Sequence[Case]):
    """A sequence of cases that takes a limited amount of memory; used in a ``with`` statement.

    Parameters
    ----------
    limit
        Bytes of probabilities to keep in memory, in single precision. Further probabilities go to
        a temporary file in half precision. Labels stay in memory.

    >>> labels = torch.ones(1, 1, dtype=torch.int32)
    >>> with StoredCases(limit=8) as cases:
    ...     for value in (0.1, 0.2, 0.3):
    ...         cases.append(torch.full((1, 1, 1), value), labels)
    ...     [round(float(probabilities), 3) for probabilities, _ in cases]
    [0.1, 0.2, 0.3]
    """

    def __init__(self, limit: int = 2**30) -> None:
        self.limit = limit
        self.labels: list[Int[Tensor, "_ _"]] = []
        self.kept: list[Float[Tensor, "_ _ _"] | tuple[int, tuple[int, ...]]] = []
        self.bytes = 0
        self.file = TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> "StoredCases":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def append(self, probabilities: Float[Tensor, "c h w"], labels: Int[Tensor, "h w"]) -> None:
        """Add an image."""
        self.bytes += probabilities.nbytes
        self.labels.append(labels)
        if self.bytes <= self.limit:
            self.kept.append(probabilities)
            return
        start = self.file.seek(0, 2)
        self.file.write(probabilities.half().numpy().tobytes())
        self.kept.append((start, tuple(probabilities.shape)))

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> list[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | list[Case]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        kept = self.kept[index]
        if isinstance(kept, Tensor):
            return kept, self.labels[index]
        start, shape = kept
        self.file.seek(start)
        content = self.file.read(2 * int(np.prod(shape)))
        half = np.frombuffer(content, np.float16).reshape(shape)
        return torch.from_numpy(half.astype(np.float32)), self.labels[index]
