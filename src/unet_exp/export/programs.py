"""Write a network as a program that runs without this package, for images of any fitting size.

Each program is run on images of three sizes before it is kept.
"""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from unet_exp.export.sizes import Sizes

#: Largest difference between the outputs of a network and of its program.
TOLERANCE = 1e-4
#: The key of the metadata in an exported file.
METADATA = "unet_exp.json"
REMEDY = "Let its forward decide nothing by the image or its size, or choose another format."


class ExportError(Exception):
    """A network cannot be exported."""


def to_torchscript(network: Any, metadata: str = "{}") -> bytes:
    """Return a network in evaluation mode as a TorchScript file, which ``torch.jit.load`` reads.

    ``metadata`` is stored as the extra file ``unet_exp.json``.

    Raises ExportError if the program computes something else than the network.
    """
    with quiet():
        program: Any = torch.jit.trace(network, example(network), check_trace=False)
    require_equal(network, program)
    content = io.BytesIO()
    with quiet():
        torch.jit.save(program, content, _extra_files={METADATA: metadata.encode()})
    return content.getvalue()


def to_torch_export(network: Any, metadata: str = "{}") -> bytes:
    """Return a network in evaluation mode as a file that ``torch.export.load`` reads.

    ``metadata`` is stored as the extra file ``unet_exp.json``.

    Raises ExportError if the network cannot be captured for all sizes, or the program computes
    something else.
    """
    program = captured(network)
    require_equal(network, program.module())
    content = io.BytesIO()
    with quiet():
        torch.export.save(program, content, extra_files={METADATA: metadata})
    return content.getvalue()


def to_onnx(network: Any, metadata: str = "{}") -> bytes:
    """Return a network in evaluation mode as an ONNX file: ``image`` in, ``output`` out.

    ``metadata`` is stored under the key ``unet_exp.json`` of the model's metadata.

    Raises ExportError as :func:`to_torch_export` does.
    """
    import onnxruntime

    with quiet():
        program: Any = torch.onnx.export(
            captured(network), input_names=["image"], output_names=["output"], verbose=False
        )
    model = program.model_proto
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, metadata
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    require_equal(
        network,
        lambda image: torch.from_numpy(session.run(["output"], {"image": image.numpy()})[0]),
    )
    return content


def captured(network: Any) -> ExportedProgram:
    """Capture a network with torch.export, for any batch and all of its sizes.

    Raises ExportError if the network behaves differently at some sizes.
    """
    sizes = Sizes.of(network)
    rest = sizes.smallest % sizes.step
    rows, columns = (sizes.step * Dim(name, min=sizes.smallest // sizes.step) for name in "hw")
    if rest:
        rows, columns = rows + rest, columns + rest
    shape = {0: Dim("batch"), 2: rows, 3: columns}
    try:
        with quiet():
            return torch.export.export(network, (example(network),), dynamic_shapes=(shape,))
    except Exception as error:  # torch raises many kinds, because networks may do anything
        raise ExportError(
            f"torch.export cannot capture {type(network).__name__} for images of any size "
            f"({' '.join(str(error).split())[:200]}). {REMEDY}"
        ) from error


def example(network: Any) -> Tensor:
    """Return two images of noise, with different height and width that fit the network."""
    _, height, width = Sizes.of(network).first(3)
    return noise(2, network.in_channels, height, width)


def noise(*shape: int) -> Tensor:
    """Return normal noise, always the same.

    >>> noise(2).equal(noise(2))
    True
    """
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def require_equal(network: nn.Module, program: Callable[[Tensor], Tensor]) -> None:
    """Compare a program with its network on images of three sizes.

    Raises ExportError with the size and the difference.
    """
    sizes: Any = Sizes.of(network)  # pyright: ignore[reportArgumentType]
    for count, side in enumerate(sizes.first(3), start=1):
        image = noise(count, network.in_channels, side, side + sizes.step)  # pyright: ignore
        try:
            expected, found = network(image), program(image)
        except Exception as error:  # a guard of torch.export, or an operator of onnxruntime
            raise ExportError(
                f"The exported {type(network).__name__} cannot run at {side} x {side + sizes.step} "
                f"pixels ({' '.join(str(error).split())[:200]}). {REMEDY}"
            ) from error
        same = expected.shape == found.shape
        difference = float((expected - found).abs().max()) if same else float("inf")
        if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
            raise ExportError(
                f"The exported {type(network).__name__} differs from the network by {difference:g} "
                f"at {side} x {side + sizes.step} pixels. {REMEDY}"
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence messages of the exporters about their own code, which a user cannot change."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
