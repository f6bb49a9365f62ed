"""Synthetic microscopy: crowded cells with dim borders, noise and uneven light."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int32
from scipy import ndimage

from unet_exp.connectivity import label_components
from unet_exp.datasets.sample import SPLITS, Sample, check_split
from unet_exp.images.reading import normalise

MOST_PIXELS = 2**29
"""Largest number of pixels in all images together. With their labels, they take some gigabytes."""


class Synthetic:
    """Images of touching cells, computed from a seed; the same on every machine.

    A dim line of one or two pixels separates touching cells. Debris in the background is as bright
    as cells, light falls off to one side, and cells differ in brightness. So no threshold finds the
    cells or the gaps between them.

    Parameters
    ----------
    seed
        Seed of the random numbers; another seed makes other images.
    train, validation, test
        Numbers of images. Each image depends only on the seed, its split and its index.
    size
        Side of the square images in pixels.
    cells
        Seeds per 256 x 256 pixels from which cells grow.
    noise
        Standard deviation of the noise, as a fraction of a cell's brightness.
    normalization
        See `unet_exp.images.scaling.find_scaling`.
    object_diameter
        Median diameter in pixels that the objects have for the network. Images and labels are
        resized accordingly. If it is not given, the plan decides.
    in_channels, num_classes
        Channels of the images, and classes of the labels, background included.
    """

    name = "synthetic"

    def __init__(
        self,
        seed: int = 0,
        train: int = 16,
        validation: int = 4,
        test: int = 4,
        size: int = 256,
        cells: int = 40,
        noise: float = 0.12,
        normalization: str = "zscore",
        object_diameter: float | None = None,
        in_channels: int = 1,
        num_classes: int = 2,
    ) -> None:
        if min(train, validation) < 1 or size < 32 or cells < 1 or in_channels < 1:
            raise ValueError(
                f"dataset.train={train}, validation={validation}, size={size}, cells={cells} and "
                f"in_channels={in_channels} give no images to learn from. Use at least 1, 1, 32, "
                "1 and 1."
            )
        if (train + validation + test) * size**2 > MOST_PIXELS:
            raise ValueError(
                f"dataset.train={train}, validation={validation}, test={test} and size={size} make "
                f"more than {MOST_PIXELS} pixels, which are kept in memory. Give fewer or smaller "
                "images."
            )
        self.in_channels, self.num_classes = in_channels, num_classes
        self._counts: dict[str, int] = {"train": train, "validation": validation, "test": test}
        self.seed, self.size, self.cells, self.noise = seed, size, cells, noise
        self.normalization = normalization
        self.object_diameter = object_diameter
        self._splits: dict[str, list[Sample]] = {}

    def split(self, name: str) -> Sequence[Sample]:
        """Return "train", "validation" or "test"; images are computed at the first call."""
        check_split(name)
        if name not in self._splits:
            self._splits[name] = [self._sample(name, i) for i in range(self._counts[name])]
        return self._splits[name]

    def _sample(self, split: str, number: int) -> Sample:
        rng = np.random.default_rng([self.seed, SPLITS.index(split), number])
        labels = cells_that_touch(rng, self.size, self.cells)
        scene = light(rng, labels)
        noisy = np.stack(
            [
                scene + self.noise * np.sqrt(scene) * rng.standard_normal(scene.shape)
                for _ in range(self.in_channels)
            ]
        )
        return Sample(f"{split}_{number:03d}", normalise(noisy, self.normalization), labels)


def cells_that_touch(
    rng: np.random.Generator, size: int, cells: int
) -> Int32[np.ndarray, "{size} {size}"]:
    """Draw bent ellipses around random seeds.

    Where ellipses overlap, a pixel belongs to the one with the nearest centre, relative to size.

    >>> labels = cells_that_touch(np.random.default_rng(0), 64, 40)
    >>> labels.shape, int(labels.max()) > 1
    ((64, 64), True)
    """
    radius = 256 * np.sqrt(0.75 / (np.pi * cells))
    y, x = np.mgrid[:size, :size] + 0.28 * radius * smooth_noise(rng, (2, size, size), radius / 2)
    deepest, labels = np.ones((size, size)), np.zeros((size, size), np.int32)
    seeds = np.empty((0, 2))
    for _ in range(round(2 * cells * (size / 256) ** 2) + 1):
        seed = rng.uniform(0, size, 2)
        (long, short), turn = radius * rng.uniform((0.85, 0.65), (1.25, 1.0)), rng.uniform(0, np.pi)
        if len(seeds) and np.hypot(*(seeds - seed).T).min() < 1.1 * radius:
            continue
        seeds = np.vstack([seeds, seed])
        box = tuple(slice(max(0, int(c - 3 * radius)), int(c + 3 * radius) + 1) for c in seed)
        dy, dx = y[box] - seed[0], x[box] - seed[1]
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        depth = np.hypot(along / long, across / short)
        labels[box][depth < deepest[box]] = len(seeds)
        deepest[box] = np.minimum(deepest[box], depth)
    return _largest_pieces(labels, smallest=round(0.15 * radius**2))


def light(rng: np.random.Generator, labels: Int32[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Return the brightness before noise: about 1 in cells, about 0.5 in the background."""
    shape = labels.shape
    brightness = rng.uniform(0.8, 1.15, labels.max() + 1)
    inside = brightness[labels] * (1 + 0.10 * smooth_noise(rng, shape, 2.5))
    seam = ndimage.maximum_filter(labels, 2) != ndimage.minimum_filter(labels, 2)
    touching = seam & (ndimage.minimum_filter(labels, 3) > 0)
    inside[touching] *= 0.45
    background = 0.5 + 0.12 * smooth_noise(rng, shape, 14) + _debris(rng, shape)
    scene = np.where(labels > 0, inside, background)
    y, x = (np.mgrid[: shape[0], : shape[1]].T / max(shape) - 0.5).T
    turn = rng.uniform(0, 2 * np.pi)
    lamp = 1 + 0.8 * (x * np.cos(turn) + y * np.sin(turn)) - 0.5 * (x**2 + y**2)
    return np.maximum(ndimage.gaussian_filter(scene, 0.7) * lamp, 0.02)


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], sigma: float
) -> Float[np.ndarray, "..."]:
    """Return Gaussian noise, blurred over ``sigma`` pixels, of mean 0 and standard deviation 1.

    >>> field = smooth_noise(np.random.default_rng(0), (64, 64), 3.0)
    >>> round(float(field.std()), 6)
    1.0
    """
    blur = (0,) * (len(shape) - 2) + (sigma, sigma)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), blur, mode="wrap")
    return (field - field.mean()) / field.std()


def _debris(rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """Return specks that are as bright as cells, and faint clouds like cells out of focus."""
    area = shape[0] * shape[1] / 256**2
    result = np.zeros(shape)
    for count, sigma, strength in ((40, 1.5, 0.6), (5, 12.0, 0.35)):
        spots = np.zeros(shape)
        places = rng.integers(0, shape, (max(1, round(count * area)), 2))
        spots[tuple(places.T)] = rng.uniform(0.5, 1.0, len(places))
        result += strength * 2 * np.pi * sigma**2 * ndimage.gaussian_filter(spots, sigma)
    return result


def _largest_pieces(labels: Int32[np.ndarray, "h w"], smallest: int) -> Int32[np.ndarray, "h w"]:
    """Keep each label's largest 4-connected piece of at least ``smallest`` pixels, and renumber."""
    result, count = np.zeros_like(labels), 0
    for value, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        pieces = label_components(labels[box] == value)
        sizes = np.bincount(pieces.ravel())[1:]
        if sizes.max() >= smallest:
            count += 1
            result[box][pieces == sizes.argmax() + 1] = count
    return result
