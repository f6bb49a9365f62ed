"""Folds of contiguous images, so that similar neighbours stay together."""

import numpy as np


def fold_indices(count: int, folds: int, fold: int) -> tuple[list[int], list[int]]:
    """Return the indices of training images, and those of the ``fold``-th of ``folds`` blocks.

    Neighbouring slices or frames look alike. With random folds, the network would see nearly every
    validation image in training. Blocks differ in size by at most one.

    >>> fold_indices(7, folds=3, fold=1)
    ([0, 1, 2, 5, 6], [3, 4])
    """
    if not 2 <= folds <= count:
        raise ValueError(
            f"{count} images cannot be cut into {folds} blocks. "
            f"Set dataset.folds to a number from 2 to {count}."
        )
    if not 0 <= fold < folds:
        raise ValueError(
            f"There is no fold {fold} of {folds}. Set dataset.fold from 0 to {folds - 1}."
        )
    validation = np.array_split(np.arange(count), folds)[fold].tolist()
    return [i for i in range(count) if i not in validation], validation
