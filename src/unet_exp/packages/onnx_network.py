"""A network in an ONNX file, which onnxruntime runs on the tiles of the overlap-tile strategy.

An ONNX file is a graph of known operators. It may take long or need much memory, but it reads no
files and runs no code of its own. Graphs that refer to other files are refused.
"""

import logging
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unet_exp.packages.archive import PackageError
from unet_exp.packages.description import Description
from unet_exp.packages.steps import Step
from unet_exp.packages.whole_tile import whole_tile_operators

log = logging.getLogger(__name__)

NEEDED = ("onnx", "onnxruntime")
TYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(uint8)": "uint8", "tensor(uint16)": "uint16", "tensor(int32)": "int32",
}  # fmt: skip
#: Where a side ends that no network takes.
ENDLESS = 2**62


class OnnxNetwork:
    """A network of a package: (b, in_channels, h, w) -> (b, out_channels, h', w').

    It is a `unet_exp.models.network.Network`. The package's postprocessing is applied to its
    output.

    Parameters
    ----------
    content
        The content of the ONNX file.
    description
        The package's description of the network.
    steps
        The package's postprocessing.
    device
        ``cpu``, ``gpu`` or ``auto``.

    Raises PackageError if a Python package is missing, or if the graph cannot be run.
    """

    def __init__(
        self, content: bytes, description: Description, steps: Sequence[Step], device: str = "cpu"
    ) -> None:
        self.description, self.steps = description, steps
        self.in_channels, self.out_channels = description.channels
        self.halo = -(-description.lost // 2) + description.halo
        self.padding = "valid" if description.lost else "same"
        self.sides = description.sides
        self.step = self.sides.step or grid(self.sides.smallest, self.halo)
        # A package of ours brings its own warnings.
        warn = description.unet_exp is None
        self.session = session_of(content, description.name, device, warn)
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type not in TYPES:
            kinds = ", ".join(one.type for one in inputs)
            raise PackageError(
                f"The ONNX graph of {description.name} takes {kinds} and gives {len(outputs)} "
                "results. Give a network that takes one image and gives one."
            )
        self.taken, self.dtype = inputs[0].name, TYPES[inputs[0].type]

    def output_size(self, size: int) -> int:
        """Output pixels along an axis of ``size`` pixels."""
        if self.fitting_sizes(size)[0] != size:
            raise ValueError(
                f"A side of {size} pixels does not fit {self.description.name}. Give "
                f"{self.fitting_sizes(size)}."
            )
        return size - self.description.lost

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest input sizes that fit: the largest <= size, or None, and the smallest >= size."""
        least, step = self.sides.smallest, self.sides.step
        if not step:
            return (least if size >= least else None), (least if size <= least else ENDLESS)
        above = least + -(-max(size - least, 0) // step) * step
        return (above if above <= size else above - step if size >= least else None), above

    def __call__(self, image: Tensor, /) -> Tensor:
        """Output for a batch of images."""
        return torch.stack([torch.from_numpy(self.run(one)) for one in image.cpu().numpy()])

    def run(self, image: Any) -> Any:
        """Return the output (k, h', w') for one image (c, h, w), both float32.

        Raises PackageError if the graph cannot run, or if the output has another shape than in the
        description.
        """
        letters, result = self.description.axes
        fed = image if "c" in letters else image[0]
        order = [one for one in letters if one in "cyx"]
        fed = fed.transpose([("cyx" if "c" in letters else "yx").index(one) for one in order])
        fed = fed.reshape([dict(zip(order, fed.shape, strict=True)).get(one, 1) for one in letters])
        name = self.description.name
        try:
            (found,) = self.session.run(None, {self.taken: fed.astype(self.dtype)})
        except Exception as error:  # onnxruntime raises many kinds
            raise PackageError(
                f"onnxruntime cannot run {name} on {image.shape[1]} x {image.shape[2]} pixels "
                f"({' '.join(str(error).split())[:200]}). Its description may be wrong."
            ) from error
        lost = self.description.lost
        wanted = {"c": self.out_channels, "y": image.shape[1] - lost, "x": image.shape[2] - lost}
        shape = tuple(wanted.get(one, 1) for one in result)
        if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind != "f":
            raise PackageError(
                f"{name} gives {getattr(found, 'dtype', type(found).__name__)} of shape "
                f"{getattr(found, 'shape', '?')}, and its description says floating point numbers "
                f"of shape {shape} (axes {result}). Give a package that is described as it is."
            )
        kept = [one for one in result if one in "cyx"]
        found = found.reshape([wanted[one] for one in kept])
        found = found.transpose([kept.index(one) for one in "cyx" if one in kept])
        found = found.reshape(tuple(wanted.values())).astype(np.float32)
        for step in self.steps:
            found = step(found)
        return np.ascontiguousarray(found)


def grid(side: int, halo: int) -> int:
    """Return a step for the tiles of a network that accepts only one side, as poolings suggest.

    >>> grid(256, halo=32), grid(100, halo=48)
    (32, 4)
    """
    step = 32
    while step > 1 and (side % step or side - 2 * halo < step):
        step //= 2
    return step


def session_of(content: bytes, name: str, device: str, warn: bool = False) -> Any:
    """Return an onnxruntime session; ``warn`` of what makes the output depend on the whole tile.

    Raises PackageError if onnx or onnxruntime is not installed, has no GPU, or refuses the graph.
    """
    if missing := [one for one in NEEDED if find_spec(one) is None]:
        raise PackageError(
            f"A package runs with {missing[0]}, which is not installed. Install the extra: "
            "pip install 'unet-exp[export]'."
        )
    import onnxruntime

    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device in ("gpu", "cuda") and not cuda:
        raise PackageError(
            f"device={device} needs onnxruntime-gpu, which is not installed. Install it in place "
            "of onnxruntime, or choose device=cpu."
        )
    providers = ["CUDAExecutionProvider"] if cuda and device != "cpu" else []
    require_self_contained(content, name)
    providers.append("CPUExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(content, providers=providers)
    except Exception as error:  # onnxruntime raises many kinds
        raise PackageError(
            f"onnxruntime refuses the ONNX graph of {name} "
            f"({' '.join(str(error).split())[:200]}). Give a graph that it runs."
        ) from error
    if warn:  # onnxruntime has checked the graph
        warn_of_whole_tiles(content, name)
    return session


def warn_of_whole_tiles(content: bytes, name: str) -> None:
    """Log a warning if the output for a pixel depends on all pixels of its tile."""
    import onnx

    if operators := whole_tile_operators(onnx.load_model_from_string(content)):
        log.warning(
            "%s has %s, which mixes all pixels of a tile, so tiles may differ where they meet, and "
            "results change with inference.tile. Choose a tile as large as the images, or as those "
            "that the network was trained on.", name, " and ".join(operators),
        )  # fmt: skip


def require_self_contained(content: bytes, name: str) -> None:
    """Refuse an ONNX file that reads other files.

    Raises PackageError if it does, or if it is no ONNX file.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise PackageError(
            f"The weights of {name} are no ONNX file ({error}). Fetch the package again."
        ) from error
    for tensor in tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise PackageError(
                f"The ONNX graph of {name} reads its weights from another file. Save them in the "
                "graph itself: onnx.save(model, path, save_as_external_data=False)."
            )


def tensors(message: Any) -> Iterator[Any]:
    """Yield all tensors within an ONNX message, also those of inner graphs."""
    from google.protobuf.message import Message

    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if isinstance(value, Message) else value:
                yield from tensors(one)
