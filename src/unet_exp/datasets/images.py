"""Any PNG, TIFF or NPY file: 8 or 16 bit, float, one or many pages, one or many channels."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, Int32, Shaped

from unet_exp.datasets.tiff import arrange, read_tiff, without_opaque_alpha

SUFFIXES = (".png", ".tif", ".tiff", ".lsm", ".npy")
NORMALIZATIONS = ("zscore", "percentile", "minmax", "dtype", "none")


def read_pages(
    path: Path, channels: int | None = None, pages: int | None = None
) -> Shaped[np.ndarray, "n c h w"]:
    """Read a file as pages of channels, in the numbers that the file holds.

    Colours come as red, green, blue; an opaque alpha channel is left out. A TIFF's axes decide
    which of them are channels (see `unet_exp.datasets.tiff`); the planes of a file that does not
    say count as pages, unless they fit only as channels: there are ``channels`` of them (more
    than one), or a single page is expected (``pages=1``).

    Raises
    ------
    ValueError
        The file is damaged, cut short, empty or of another format; the message names it.
    OSError
        It is not there, or may not be read.
    """
    try:
        stack, named = _read(path)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # codecs raise whatever they like at damaged data
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"{path} cannot be read ({reason}). It is damaged, cut short or not what its name "
            "says: copy or export it again."
        ) from error
    if stack.size == 0 or stack.dtype.kind not in "buif":
        raise ValueError(
            f"{path} holds {stack.shape} values of type {stack.dtype}. "
            "Save it as 8 or 16 bit or as float32."
        )
    planes = stack.shape[0]
    if not named and planes > 1 and (planes == channels or pages == 1):
        stack = stack.reshape(1, -1, *stack.shape[2:])
    return stack


def read_images(
    path: Path,
    normalization: str = "zscore",
    channels: int | None = None,
    pages: int | None = None,
) -> list[Float32[np.ndarray, "_ _ _"]]:
    """Read and normalise the pages of a file, each (channels, height, width).

    ``channels`` and ``pages`` say what is expected of a file that does not name its axes, as in
    `read_pages`. Values that are not finite are refused with the file's name.
    """
    stack = read_pages(path, channels, pages)
    if stack.dtype.kind == "f" and not (finite := np.isfinite(stack)).all():
        raise ValueError(
            f"{path} has {np.count_nonzero(~finite)} values of {stack.size} that are NaN or "
            "infinite. Replace them before training, for example by the image's median."
        )
    return [normalise(page, normalization) for page in stack]


def read_labels(path: Path, pages: int | None = None) -> list[Int32[np.ndarray, "_ _"]]:
    """Read the pages of a file of whole numbers, one channel each.

    A grey picture saved in colour is taken as grey; real colours and fractions are refused.

    Raises
    ------
    ValueError
        As `read_pages`, and for colours, fractions and numbers beyond 32 bits.
    """
    stack = read_pages(path, pages=pages)
    if stack.shape[1] > 1 and (stack == stack[:, :1]).all():
        stack = stack[:, :1]
    if stack.shape[1] > 1:
        raise ValueError(
            f"{path} has {stack.shape[1]} channels, but labels are one number per pixel. Save "
            "them as a grey picture; from colours for instance by numpy.unique(pixels.reshape(-1, "
            f"{stack.shape[1]}), axis=0, return_inverse=True), from a palette by "
            "numpy.asarray(PIL.Image.open(file))."
        )
    labels = stack[:, 0]
    with np.errstate(invalid="ignore"):
        whole = labels.astype(np.int32)
    if not np.array_equal(whole, labels):
        raise ValueError(
            f"{path} has labels that are no whole numbers below 2**31 (values from {labels.min()} "
            f"to {labels.max()}, {labels.dtype}). Save them as 8 or 16 bit."
        )
    return list(whole)


def normalise(
    image: Shaped[np.ndarray, "c h w"], normalization: str = "zscore"
) -> Float32[np.ndarray, "c h w"]:
    """Scale the grey values of an image, each channel by itself.

    "zscore" gives mean 0 and standard deviation 1; "percentile" maps the 1st and 99.8th
    percentile to 0 and 1 without clipping; "minmax" the darkest and the brightest pixel; "dtype"
    divides by the largest value of an integer type; "none" only converts. A page of a stack is
    treated as if it were a file of its own, so that it means the same alone and in its stack. A
    constant channel becomes 0 (by "zscore", "percentile" and "minmax").

    >>> normalise(np.array([[[1, 3], [1, 3]]], np.uint8)).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    >>> normalise(np.array([[[0, 51], [102, 255]]], np.uint8), "dtype").round(1)
    array([[[0. , 0.2],
            [0.4, 1. ]]], dtype=float32)
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"dataset.normalization={normalization} is not known. "
            f"Choose one of {', '.join(NORMALIZATIONS)}."
        )
    top = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    result = np.empty(image.shape, np.float32)
    for channel, out in zip(image, result, strict=True):
        low, scale = 0.0, 1.0
        darkest, brightest = float(channel.min()), float(channel.max())
        if normalization == "dtype":
            scale = float(top)
        elif normalization != "none" and darkest == brightest:
            low = darkest
        elif normalization == "zscore":
            low, scale = float(channel.mean(dtype=np.float64)), float(channel.std(dtype=np.float64))
        elif normalization == "percentile":
            low, high = (float(v) for v in np.percentile(channel, (1, 99.8)))
            scale = (high - low) or 1.0
        elif normalization == "minmax":
            low, scale = darkest, brightest - darkest
        out[...] = (channel - low) / scale
    return result


def _read(path: Path) -> tuple[Shaped[np.ndarray, "n c h w"], bool]:
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"\x89PNG"):
        return _read_png(path.read_bytes()), True
    if magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return read_tiff(path)
    if magic.startswith(b"\x93NUMPY"):
        return arrange_plain(np.load(path, allow_pickle=False))
    raise ValueError("neither PNG nor TIFF nor NPY")


def _read_png(data: bytes) -> Shaped[np.ndarray, "1 c h w"]:
    if b"IEND" not in data:
        raise ValueError("the end of the picture is missing")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("OpenCV cannot decode it")
    if picture.ndim == 2:
        return picture[None, None]
    grey_and_alpha = data[25] == 4  # the header's colour type; OpenCV makes four channels of it
    order = [0, 3] if grey_and_alpha else [2, 1, 0, 3][: picture.shape[2]]
    pages = np.moveaxis(picture[..., order], 2, 0)[None]
    return without_opaque_alpha(pages) if len(order) in (2, 4) else pages


def arrange_plain(array: Shaped[np.ndarray, "..."]) -> tuple[Shaped[np.ndarray, "n c h w"], bool]:
    """Arrange an array without axis names as pages of channels.

    These may be (h, w), (h, w, few channels), (pages, h, w) or (pages, channels, h, w).

    >>> arrange_plain(np.zeros((64, 48, 3)))[0].shape
    (1, 3, 64, 48)
    """
    names = {2: "YX", 3: "QYX", 4: "ICYX"}
    if array.ndim not in names:
        raise ValueError(f"an array of shape {array.shape} is no image")
    return arrange(array, names[array.ndim])
