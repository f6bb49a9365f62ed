"""Plan settings from a fingerprint, each with its reason."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch

from unet_exp.models.unet import UNet
from unet_exp.planning.fingerprint import Fingerprint

UNPLANNED: dict[str, int | float] = {
    "inference.scale": 1.0,
    "model.depth": 4,
    "loader.max_tile": 256,
    "loader.batch_size": 2,
    "weight_map.sigma": 5.0,
    "postprocessing.min_size": 0,
    "trainer.max_steps": 500,
}
"""The values of ``plan=none``. These settings are planned if the configuration has null there."""

PER_STEP = 2 * 256**2
"""Pixels of a step. With more, a step of the small network takes over a second on two cores."""
MOST_TILES = 16
"""Largest number of tiles in a step. More tiles of small images do not improve the gradient."""
TILES = (128, 512)
"""Smallest and largest side of a tile. Many small tiles show more images in a step than few large
ones. For nuclei in three stains, 8 tiles of 128 pixels missed 5 % of the objects, and 2 tiles of
256 pixels 16 %. For HeLa cells, 4 tiles of 176 pixels gave a mean AP of 0.59, and 2 of 256 pixels
0.56
(700 steps, one seed). The largest tile has four times the pixels of a tile of 256 pixels."""
CLASS_TILE = 256
"""Side of a tile if labels are classes, because then there are no sizes of objects."""
WHOLE = 1.1
"""Side of a tile, divided by the diameter of a large object. So a tile shows a whole object."""
DEPTHS = (1, 4, 6)
"""Smallest, usual and largest number of poolings. 4 is the article's. Small images have fewer, so
that two pixels remain after the poolings. Large objects have up to 6; the small network then has 30
million weights."""
BOTTOM = 8
"""Smallest side after the last pooling; with fewer pixels, most of them would be padding."""
SIGMA_PER_DIAMETER = 1 / 20
"""The article's sigma of 5 pixels is about 1/20 of the diameter of its HeLa cells. The extra weight
in gaps must not extend as far as small objects do: with a sigma of 4, nuclei of 20 pixels lost
parts to the background (AP 0.576 and, with another seed, 0.580; without extra weight 0.594 and
0.583). Synthetic cells of 33 pixels had an AP of 0.852 with a sigma of 4, and of 0.872 with 1.6.
HeLa cells
need the weight: their AP was 0.60 with it, and 0.54 without (700 steps)."""
SIGMAS = (1.0, 5.0)
"""Smallest and largest sigma. With 1, the gap of 2 pixels between separated objects has almost no
extra weight. Above the article's 5, the weight would only extend beyond that gap."""
APART = 0.05
"""If fewer objects touch than this fraction, the labels have gaps of their own, as in the article's
EM slices, and the article's sigma fits them."""
SPECK = 1 / 4
"""A region is too small to be an object if it has fewer pixels than this fraction of a small true
object."""
STEPS, STEPS_PIXELS = 500, 2**20
"""500 steps are enough for 2**20 pixels, such as 16 images of 256 x 256 pixels. Four times the data
need twice the steps, because images of a data set are similar."""
MOST_STEPS = 5000
"""Largest number of steps. With more, the scores did not rise on any data set that was tried."""
ROUND = 100
"""Steps are rounded to the usual distance between two validations."""
SMALL, SMALL_SHOWN, MOST_SCALE = 8.0, 16.0, 4.0
"""If the median diameter of objects is below the first number, images are enlarged until it is the
second, but at most by the third. With fewer pixels, the gap between two objects would take most of
their area."""
SMOOTHED = 1 / 8
"""Largest smoothing of the evidence, as a fraction of an object's diameter. With more, small
objects would merge with their neighbours."""
POINT = 1.2
"""Diameter of an object of a single pixel, rounded up."""


class PlanError(ValueError):
    """No plan can be made for the data."""


class Choice(NamedTuple):
    """A value and the reason for it."""

    value: int | float
    reason: str


def plan(
    found: Fingerprint,
    tile: int | None = None,
    scale: float | None = None,
    object_diameter: float | None = None,
) -> dict[str, Choice]:
    """Return the planned value of each key of ``UNPLANNED``.

    Parameters
    ----------
    tile
        The side of a tile, if it is given.
    scale
        The factor by which images are enlarged for the network, if it is given.
    object_diameter
        The median diameter of objects as the network sees them, if it is given.

    Raises PlanError if there is nothing to learn in the labels, or if the objects are too large for
    any network.

    >>> cells = Fingerprint(
    ...     images=84, channels=1, sides=(512, 512), pixels=84 * 512**2, objects=988,
    ...     diameters=(78.5, 120.3, 163.2), smallest=2581, touching=0.6, foreground=0.5,
    ... )
    >>> {key: choice.value for key, choice in plan(cells).items()}
    {'inference.scale': 1.0, 'model.depth': 4, 'loader.max_tile': 192, 'loader.batch_size': 4,
     'weight_map.sigma': 5.0, 'postprocessing.min_size': 1210, 'trainer.max_steps': 2300}
    """
    require_objects(found)
    shown = Choice(scale, "given") if scale else magnification(found, object_diameter)
    seen = found.resized(shown.value)
    side = max_tile(seen)
    return {
        "inference.scale": shown,
        "model.depth": depth(seen),
        "loader.max_tile": side,
        "loader.batch_size": batch_size(tile or min(int(side.value), seen.sides[0])),
        "weight_map.sigma": sigma(seen),
        "postprocessing.min_size": min_size(found),
        "trainer.max_steps": max_steps(seen),
    }


def require_objects(found: Fingerprint) -> None:
    """Refuse labels from which no network can learn objects.

    Raises PlanError with the remedy.
    """
    anyway = "To train on them nevertheless, give plan=none."
    images = f"the {found.images} labelled training images"
    if not found.objects:
        raise PlanError(
            f"None of {images} holds an object. Check how the labels are read (dataset.labels), or "
            f"choose another dataset.fold. {anyway}"
        )
    if found.foreground >= 1:
        raise PlanError(
            f"Every known pixel of {images} belongs to an object, so there is no background to "
            f"tell objects from. Check how the labels are read (dataset.labels). {anyway}"
        )
    if found.diameters[2] < POINT and not found.by_class:
        raise PlanError(
            f"The objects of {images} are single pixels. They look like points, and a network "
            f"learns outlines: draw each object, or a disc around each point. {anyway}"
        )


def magnification(found: Fingerprint, object_diameter: float | None = None) -> Choice:
    """Return the factor by which images are enlarged, so that a network can see their objects.

    Raises PlanError if an ``object_diameter`` is given for labels that are classes.

    >>> cells = Fingerprint(2, 1, (512, 512), 2 * 512**2, 99, (20.0, 30.0, 40.0), 200, 0.5, 0.5)
    >>> magnification(cells, object_diameter=15)
    Choice(value=0.5, reason='shows objects of 30 pixels with 15')
    """
    _, median, large = found.diameters
    if object_diameter is not None:
        if found.by_class:
            raise PlanError(
                f"dataset.object_diameter={object_diameter:g} needs objects, and the labels are "
                "classes. Give inference.scale=FACTOR, by which images are enlarged."
            )
        if object_diameter <= 0:
            raise PlanError(
                f"dataset.object_diameter={object_diameter:g}: give the diameter that objects are "
                "to have for the network, in pixels."
            )
        wanted = round(object_diameter / median, 4)
        return Choice(wanted, f"shows objects of {median:.3g} pixels with {object_diameter:g}")
    if found.by_class:
        return Choice(1.0, "the images as they are")
    if median < SMALL:
        scale = min(MOST_SCALE, SMALL_SHOWN / median)
        reason = f"shows objects of {median:.3g} pixels with {median * scale:.3g}"
        return Choice(round(scale, 3), reason)
    if large > TILES[1]:
        seen = 2 * reach(DEPTHS[1])
        return Choice(round(seen / large, 3), f"shows large objects of {large:.0f} with {seen}")
    return Choice(1.0, "the images as they are")


def depth(found: Fingerprint) -> Choice:
    """Return the number of poolings with which a network sees a large object from its middle."""
    least, usual, most = DEPTHS
    shortest, large = found.sides[0], found.diameters[2]
    if shortest < 2 * 2**usual:
        fitting = [d for d in range(least, usual) if 2 * 2**d <= shortest]
        return Choice(max(fitting, default=least), f"the smallest image has {shortest} pixels")
    if found.by_class:
        return Choice(usual, "the article's")
    for poolings in range(usual, most + 1):
        if (sees := reach(poolings)) >= large / 2 or 2 * BOTTOM * 2**poolings > shortest:
            reason = f"sees {sees} pixels to each side; large objects measure {large:.0f}"
            return Choice(poolings, reason)
    raise PlanError(
        f"Large objects measure {large:.0f} pixels, and a network with {most} poolings sees "
        f"{reach(most)} pixels to each side. Leave out inference.scale, or give "
        "dataset.object_diameter=100, which shrinks images and labels for the network."
    )


def reach(poolings: int) -> int:
    """Return the number of pixels that a padded U-Net sees to each side.

    >>> [reach(depth) for depth in (3, 4, 5, 6)]
    [48, 96, 192, 384]
    """
    with torch.device("meta"):
        return UNet(depth=poolings, base_channels=1, padding="same").halo


def max_tile(found: Fingerprint) -> Choice:
    """Return the side of a tile that contains a whole large object."""
    least, most = TILES
    if found.by_class:
        return Choice(CLASS_TILE, "labels are classes")
    needed = WHOLE * found.diameters[2]
    if needed <= least:
        return Choice(least, f"holds a large object whole ({found.diameters[2]:.0f} pixels)")
    side = min(most, -(-round(needed) // 32) * 32)
    return Choice(side, f"shows {side / found.diameters[2]:.1f} times a large object")


def batch_size(tile: int) -> Choice:
    """Return the number of tiles for a step with the usual number of pixels.

    >>> batch_size(256), batch_size(64).value
    (Choice(value=2, reason='131,072 pixels a step'), 16)
    """
    count = min(MOST_TILES, max(1, round(PER_STEP / tile**2)))
    return Choice(count, f"{count * tile**2:,} pixels a step")


def sigma(found: Fingerprint) -> Choice:
    """Return the reach of the extra weight in gaps, from the size of the objects."""
    low, high = SIGMAS
    if found.by_class:
        return Choice(high, "the article's")
    if found.touching < APART:
        return Choice(high, f"the article's; only {found.touching:.0%} of the objects touch")
    value = round(min(high, max(low, SIGMA_PER_DIAMETER * found.diameters[1])), 1)
    return Choice(value, f"the article's 5 for cells of 100 pixels; here {found.diameters[1]:.0f}")


def min_size(found: Fingerprint) -> Choice:
    """Return the smallest number of pixels of an object."""
    if found.by_class:
        return Choice(0, "labels are classes")
    small = round(math.pi / 4 * found.diameters[0] ** 2)
    return Choice(int(SPECK * small), f"{SPECK:.0%} of the pixels of a small object, {small}")


def smoothing(found: Fingerprint, usual: float) -> Choice:
    """Return the pixels by which evidence is smoothed: ``usual``, but less for small objects."""
    if found.by_class:
        return Choice(usual, "labels are classes")
    median = found.diameters[1]
    return Choice(min(usual, round(SMOOTHED * median, 2)), f"1/8 of an object of {median:.3g}")


def grow(gap: int, scale: float) -> Choice:
    """Return the pixels of an image that the target took from each of two touching objects.

    >>> grow(1, scale=0.25), grow(1, scale=2).value
    (Choice(value=4, reason='1 pixel of the shrunk image'), 1)
    """
    size = "shrunk" if scale < 1 else "enlarged"
    return Choice(math.ceil(gap / scale), f"{gap} pixel{'s' * (gap != 1)} of the {size} image")


def max_steps(found: Fingerprint) -> Choice:
    """Return the number of steps that the data need."""
    needed = STEPS * (found.pixels / STEPS_PIXELS) ** 0.5
    steps = min(MOST_STEPS, max(STEPS, round(needed / ROUND) * ROUND))
    return Choice(steps, f"for {found.pixels / 1e6:.1f} million pixels")


def describe(found: Fingerprint) -> Iterator[str]:
    """Yield the facts of a fingerprint, a line each."""
    short, long = found.sides
    size = f"{short}" if short == long else f"{short} to {long}"
    yield (
        f"{found.images} image{'s' * (found.images != 1)} with sides of {size} pixels, "
        f"{found.foreground:.0%} foreground"
    )
    if found.by_class:
        return
    low, median, high = found.diameters
    yield (
        f"{found.objects:,} objects of {low:.0f} to {high:.0f} pixels in diameter, median "
        f"{median:.0f}, the smallest of {found.smallest} pixels; {found.touching:.0%} touch another"
    )
    if found.outliers > 0:
        yield (
            f"in {found.outliers:.0%} of the images, single pixels are far brighter than all "
            "others; dataset.normalization=percentile ignores them"
        )
