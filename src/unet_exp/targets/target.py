"""The interface of targets, and the encoded labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int16, Shaped, UInt8
from torch import Tensor, nn

from unet_exp.contracts import require_contract
from unet_exp.losses.loss import require_loss, require_number
from unet_exp.weight_maps.class_weights import UNKNOWN


@dataclass(frozen=True, eq=False)
class Encoded:
    """Labels of one image as training uses them.

    Attributes
    ----------
    target
        The data that the loss compares with the network's output: whole numbers, where -1 is
        unknown, or floating point numbers in any number of channels, where NaN is unknown.
    labels
        Instances for the weight map: 0 background, -1 unknown.
    classes
        Classes for the weight map and for scores of pixels: 0 background, 255 unknown.
    """

    target: Int16[np.ndarray, "h w"] | Float32[np.ndarray, "*c h w"]
    labels: Int[np.ndarray, "h w"]
    classes: UInt8[np.ndarray, "h w"]


@runtime_checkable
class Meaning(Protocol):
    """The meaning of a network's output: the part of a target that inference needs."""

    @property
    def num_classes(self) -> int:
        """Number of classes in the evidence, including the background."""
        ...

    @property
    def gap(self) -> int:
        """Pixels that each of two touching objects loses; ``grow`` returns them."""
        ...

    @property
    def maps(self) -> Sequence[str]:
        """Names of the channels that the evidence has after the classes, for pictures."""
        ...

    @property
    def height(self) -> int | None:
        """Channel of evidence that the watershed divides; None: the foreground's probability."""
        ...

    @property
    def smoothing(self) -> float:
        """Pixels by which evidence is smoothed; ``postprocessing.smoothing`` replaces it."""
        ...

    @property
    def seed_threshold(self) -> float:
        """Height that each object must exceed; ``postprocessing.seed_threshold`` replaces it."""
        ...

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Convert the network's output to evidence, from which postprocessing makes instances.

        The first ``num_classes`` channels are the probabilities of the classes, background first.
        Those of ``maps`` follow. A ``height`` is one of them, with values from 0 to 1.
        """
        ...


@runtime_checkable
class Target(Meaning, Protocol):
    """What a network learns. A new target is one class with these members and one YAML file."""

    @property
    def out_channels(self) -> int:
        """Channels that the network's output needs."""
        ...

    @property
    def losses(self) -> Sequence[str]:
        """Options of ``loss`` that fit; an error message names them."""
        ...

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return the target of the loss, with the labels and classes for the weight map.

        ``labels`` holds instances (0 background, -1 unknown). ``classes`` (0 background, 255
        unknown) is given for data that are labelled with classes.
        """
        ...


@runtime_checkable
class Directed(Protocol):
    """A target whose numbers are directions in the image, so that they turn with it."""

    def turned(
        self, values: Float32[np.ndarray, "k h w"], matrix: Float[np.ndarray, "2 2 *grid"]
    ) -> Float32[np.ndarray, "k h w"]:
        """Rotate the directions in a result of ``encode`` or ``evidence`` whose pixels have moved.

        The matrix transforms an old direction (down, right) to the new one. It is (2, 2), or
        (2, 2, h, w) with a matrix for each pixel, NaN where the new direction is unknown.
        """
        ...


def turned(target: Meaning, values: Any, matrix: Any) -> Any:
    """Rotate the directions of a target, if it has any: see `Directed`."""
    return target.turned(values, matrix) if isinstance(target, Directed) else values


def require_target(target: Any) -> None:
    """Refuse a target without the members of `Target`, or with evidence of another shape.

    Raises TypeError with what is missing, or ValueError with the shapes.
    """
    require_contract("target", target, Target)
    with torch.device("cpu"):
        found = target.evidence(torch.zeros(1, target.out_channels, 2, 3))
    channels = target.num_classes + len(target.maps)
    if tuple(found.shape) != (1, channels, 2, 3):
        raise ValueError(
            f"target: evidence of {type(target).__name__} returns shape {tuple(found.shape)} for "
            f"an output of shape {(1, target.out_channels, 2, 3)}. Return {(1, channels, 2, 3)}: a "
            "channel for each of num_classes, and one for each of maps."
        )


def pixel_classes(
    labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
) -> UInt8[np.ndarray, "h w"]:
    """Return the class of each pixel, 255 where labels or classes are unknown.

    Without ``classes`` all instances are of class 1.

    >>> pixel_classes(np.array([[0, 7, -1]]))
    array([[  0,   1, 255]], dtype=uint8)
    """
    if classes is None:
        classes = (labels > 0).astype(np.uint8)
    return np.where(labels < 0, np.uint8(UNKNOWN), classes)


def unknown_pixels(target: Shaped[np.ndarray, "*c h w"]) -> Bool[np.ndarray, "h w"]:
    """Return a mask of the pixels whose target is unknown.

    >>> unknown_pixels(np.array([[-1, 0, 1]])), unknown_pixels(np.array([[[np.nan, -1.0]]]))
    (array([[ True, False, False]]), array([[ True, False]]))
    """
    unknown = np.isnan(target) if target.dtype.kind == "f" else target < 0
    return np.logical_or.reduce(unknown.reshape(-1, *target.shape[-2:]))


def target_tensor(target: Shaped[np.ndarray, "*c h w"]) -> Shaped[Tensor, "*c h w"]:
    """Return a target for a loss: classes as int64; numbers as they are, 0 where unknown.

    >>> target_tensor(np.array([[np.nan, 0.5]], np.float32))
    tensor([[0.0000, 0.5000]])
    """
    if target.dtype.kind == "f":
        return torch.from_numpy(np.nan_to_num(target, nan=0.0))
    return torch.from_numpy(np.array(target)).long()


def require_match(target: Target, network: Any, loss: nn.Module) -> None:
    """Refuse a network or a loss that does not fit the target, and objects that are neither.

    The loss is computed for a tiny example, so this check works for any loss.

    Raises ValueError with the options that fit, or TypeError with the missing members.
    """
    require_target(target)
    require_loss(loss)
    channels = target.out_channels
    if network.out_channels != channels:
        raise ValueError(
            f"The network has {network.out_channels} output "
            f"channel{'' if network.out_channels == 1 else 's'}, and the target needs "
            f"{channels}. Leave out model.out_channels: the target sets it."
        )
    if any(tensor.is_meta for tensor in loss.state_dict().values()):
        return  # a rehearsal of a sweep, without numbers
    example = target_tensor(target.encode(np.array([[0, 1, 1], [2, 0, 0]], np.int32)).target)
    try:
        with torch.device("cpu"), torch.enable_grad():
            output = torch.zeros(1, channels, 2, 3, requires_grad=True)
            require_number(loss(output, example[None], torch.ones(1, 2, 3)))
    except Exception as error:
        raise ValueError(
            f"{type(loss).__name__} does not fit the target {type(target).__name__}: {error} "
            f"Choose loss={' or loss='.join(target.losses)}."
        ) from error
