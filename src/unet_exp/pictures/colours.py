"""Images, instances and errors as RGB, in colours that colour-blind readers can tell apart.

The colours are those of Okabe and Ito (jfly.uni-koeln.de/color) and of Tol
(sronpersonalpages.nl/~pault).
"""

import cv2
import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt8
from scipy import ndimage

TONES = (  # neighbours differ clearly in lightness
    (86, 180, 233), (240, 228, 66), (0, 158, 115), (136, 204, 238), (170, 68, 153), (153, 153, 51),
    (0, 114, 178), (204, 121, 167), (136, 34, 85), (213, 94, 0), (221, 204, 119), (68, 170, 153),
    (17, 119, 51), (230, 159, 0), (51, 34, 136), (204, 102, 119),
)  # fmt: skip
PALETTE = np.array(TONES, np.uint8)
Colour = tuple[int, int, int]
ERRORS: dict[str, Colour] = {
    "found": (86, 180, 233),
    "merged": (204, 121, 167),
    "split": (0, 158, 115),
    "other class": (204, 121, 167),
    "missed": (213, 94, 0),
    "false": (240, 228, 66),
    "unknown": (150, 150, 150),
}


def resized(
    values: Shaped[np.ndarray, "h w"], height: int, width: int
) -> Shaped[np.ndarray, "h2 w2"]:
    """Resize an image: shrink float32 by taking means, everything else by the nearest pixel.

    >>> resized(np.array([[1, 2]]), 2, 4)
    array([[1, 1, 2, 2], [1, 1, 2, 2]])
    >>> resized(np.array([[1.0, 2.0]], np.float32), 1, 1)
    array([[1.5]], dtype=float32)
    """
    if values.shape == (height, width):
        return values
    if values.dtype == np.float32 and values.shape[0] >= height and values.shape[1] >= width:
        return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))
    down = ((np.arange(height) + 0.5) * values.shape[0] / height).astype(int)
    across = ((np.arange(width) + 0.5) * values.shape[1] / width).astype(int)
    return values[down[:, None], across]


def stretched(values: Shaped[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Scale numbers of any type from their 0.5th and 99.5th percentile to 0 and 255.

    Numbers that are not finite become black, a constant image becomes mid-grey.

    >>> stretched(np.array([[1000, 3000, 2000]], np.uint16))
    array([[  0, 255, 127]], dtype=uint8)
    """
    numbers = np.asarray(values, np.float32)
    finite = np.isfinite(numbers)
    step = max(1, int(np.sqrt(numbers.size / 250_000)))
    sample = numbers[::step, ::step][finite[::step, ::step]]
    low, high = np.percentile(sample, [0.5, 99.5]) if sample.size else (0.0, 0.0)
    if high <= low:
        return np.where(finite, 128, 0).astype(np.uint8)
    scaled = (np.where(finite, numbers, low) - low) * (255 / (high - low))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def picture(
    image: Shaped[np.ndarray, "c h w"], height: int, width: int
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Return an image as RGB: its first three channels, or the first one in grey.

    >>> picture(np.zeros((2, 8, 6)), 4, 3).shape
    (4, 3, 3)
    """
    count = 3 if len(image) >= 3 else 1
    channels = (np.asarray(channel, np.float32) for channel in image[:count])
    shades = [stretched(resized(channel, height, width)) for channel in channels]
    return np.stack(shades * (3 // count), axis=-1)


def tinted(
    canvas: UInt8[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    colour: Colour,
    opacity: float,
) -> UInt8[np.ndarray, "h w 3"]:
    """Blend a colour into the pixels of a mask.

    >>> tinted(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), bool), (100, 0, 200), 0.5)
    array([[[ 50,   0, 100]]], dtype=uint8)
    """
    result = canvas.copy()
    blend = canvas[mask] * (1 - opacity) + np.array(colour) * opacity
    result[mask] = blend.astype(np.uint8)
    return result


def hatched(
    canvas: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Hatch the pixels of a mask in grey, which means "unknown"."""
    height, width = mask.shape
    diagonal = np.add.outer(np.arange(height), np.arange(width)) % 8 < 4
    canvas = tinted(canvas, mask & diagonal, ERRORS["unknown"], 0.9)
    return tinted(canvas, mask & ~diagonal, (90, 90, 90), 0.9)


def outlines(labels: Int[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return a mask of the pixels of objects that share a side with another label.

    >>> outlines(np.array([[1, 1, 1, 2, 0]])).astype(int)
    array([[0, 0, 1, 1, 0]])
    """
    cross = ndimage.generate_binary_structure(2, 1)
    highest, lowest = (
        find(labels, footprint=cross, mode="nearest")
        for find in (ndimage.maximum_filter, ndimage.minimum_filter)
    )
    return (highest != lowest) & (labels > 0)


def coloured(
    canvas: UInt8[np.ndarray, "h w 3"], labels: Int[np.ndarray, "h w"], opacity: float = 0.6
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw instances in colours with outlines over an image; hatch unknown pixels (-1).

    An object that would consist almost only of its outline is filled with its colour instead.
    """
    result = canvas.copy()
    inside, edge = labels > 0, outlines(labels)
    tiny = mostly(edge, labels)
    colours = PALETTE[(labels[inside] - 1) % len(PALETTE)]
    strength = np.where(tiny[inside], 1.0, opacity)[:, None]
    result[inside] = (canvas[inside] * (1 - strength) + colours * strength).astype(np.uint8)
    result = tinted(result, edge & ~tiny, (255, 255, 255), 0.8)
    return hatched(result, labels < 0)


def mostly(
    mask: Bool[np.ndarray, "h w"], labels: Int[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Return a mask of the objects that are covered by ``mask`` to three quarters or more.

    >>> mostly(np.array([[True, True, False]]), np.array([[1, 2, 2]])).astype(int)
    array([[1, 0, 0]])
    """
    inside = labels > 0
    numbers = labels[inside]
    if numbers.max(initial=0) > labels.size:
        numbers = np.unique(numbers, return_inverse=True)[1]
    covered = np.bincount(numbers, weights=mask[inside])
    result = np.zeros_like(mask)
    result[inside] = (covered >= 0.75 * np.bincount(numbers))[numbers]
    return result


def overlaps(
    prediction: Int[np.ndarray, "h w"], labels: Int[np.ndarray, "h w"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return pairs of predicted and true instances and their overlap, largest first."""
    both = (prediction > 0) & (labels > 0)
    base = int(labels.max(initial=0)) + 1
    pairs, pixels = np.unique(
        prediction[both].astype(np.int64) * base + labels[both], return_counts=True
    )
    order = np.argsort(-pixels, kind="stable")
    return pairs[order] // base, pairs[order] % base, pixels[order]


def alike(
    prediction: Int[np.ndarray, "h w"], labels: Int[np.ndarray, "h w"]
) -> Int[np.ndarray, "h w"]:
    """Give predicted instances the number, and so the colour, of the true one they overlap most.

    Pairs are formed in the order of decreasing overlap, at most one for each instance. Other
    predicted instances get new numbers.

    >>> alike(np.array([[5, 5, 9, 9, 9]]), np.array([[2, 2, 2, 4, 4]]))
    array([[2, 2, 4, 4, 4]])
    """
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for predicted, true in np.transpose(overlaps(prediction, labels)[:2]).tolist():
        if predicted not in partner and true not in taken:
            partner[predicted] = true
            taken.add(true)
    names = np.arange(prediction.max(initial=0) + 1) + labels.max(initial=0)
    names[0] = 0
    names[list(partner)] = list(partner.values())
    return names[np.maximum(prediction, 0)]


def merged_and_split(
    prediction: Int[np.ndarray, "h w"], labels: Int[np.ndarray, "h w"]
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Return the masks of merged predicted instances and of split true instances.

    A merged instance contains more than half of each of several true ones. A split instance
    contains more than half of each of several predicted ones.

    >>> merged, split = merged_and_split(np.array([[1, 1, 2, 3]]), np.array([[1, 2, 3, 3]]))
    >>> merged.astype(int), split.astype(int)
    (array([[1, 1, 0, 0]]), array([[0, 0, 1, 1]]))
    """
    predicted, true, pixels = overlaps(prediction, labels)
    sizes = np.bincount(prediction[(prediction > 0) & (labels >= 0)], minlength=1)
    areas = np.bincount(labels[labels > 0], minlength=1)
    held = np.bincount(predicted[2 * pixels > areas[true]], minlength=len(sizes))
    parts = np.bincount(true[2 * pixels > sizes[predicted]], minlength=len(areas))
    merged = np.isin(prediction, np.flatnonzero(held > 1))
    return merged, np.isin(labels, np.flatnonzero(parts > 1))


def errors(
    canvas: UInt8[np.ndarray, "h w 3"],
    prediction: Int[np.ndarray, "h w"],
    labels: Int[np.ndarray, "h w"],
    by_class: bool = False,
) -> tuple[UInt8[np.ndarray, "h w 3"], dict[str, Colour]]:
    """Tint correct and wrong pixels; return the picture and the colours of its legend.

    Pixels are found, missed or false. Found pixels may belong to merged or split objects, or to
    another class if ``by_class``.
    """
    true, known = labels > 0, labels >= 0
    found = (prediction > 0) & true
    if by_class:
        masks = {"found": found, "other class": found & (prediction != labels)}
    else:
        merged, split = merged_and_split(prediction, labels)
        masks = {"found": found, "split": found & split, "merged": found & merged}
    masks |= {"missed": true & ~found, "false": (prediction > 0) & known & ~true}
    result = canvas.copy()
    for name, mask in masks.items():
        opacity = 0.85 if name in ("missed", "false", "other class") else 0.45
        result[mask] = tinted(canvas, mask, ERRORS[name], opacity)[mask]
    shown = [name for name in ERRORS if name in masks or (name == "unknown" and not known.all())]
    return hatched(result, ~known), {name: ERRORS[name] for name in shown}
