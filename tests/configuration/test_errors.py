"""One clear message for each exception."""

import pytest
import torch
from hydra.errors import InstantiationException

from unet_exp.configuration.errors import explain


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_the_wrapping_error_of_hydra_is_removed() -> None:
    wrapped = InstantiationException("Error in call to target 'UNet':\n\nfull_key: model")
    told = explain(caused(wrapped, ValueError("depth=9 is out of range.\n  Choose 1 to 7.")))
    assert told == "model.depth=9 is out of range. Choose 1 to 7."


def test_the_clearest_error_of_a_chain_is_shown() -> None:
    """The message of a loader is shown, not that of the socket below it."""
    known = FileNotFoundError("No images in data/hela. Unzip them there.")
    assert explain(caused(known, ConnectionError("[Errno 111]"))) == str(known)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "a.ckpt"), ["disk is full: a.ckpt"]),
        (OSError(28, "No space left on device", "copy", None, "a.ckpt"), ["full: a.ckpt"]),
        (OSError(30, "Read-only file system", "runs"), ["runs cannot be", "Read-only"]),
        (MemoryError(), ["Out of memory", "loader.tile"]),
        (torch.OutOfMemoryError("CUDA out of memory."), ["CUDA out of memory", "batch_size"]),
        (KeyError("thing"), ["KeyError: 'thing'", "not foreseen", "debug=true"]),
        (RuntimeError(), ["RuntimeError"]),
    ],
)
def test_the_remedy_is_given(error: Exception, words: list[str]) -> None:
    for word in words:
        assert word in explain(error)
