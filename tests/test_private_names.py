"""Private names of other libraries that the project uses, and that may change.

| Library   | Name                                     | Why                                       |
|-----------|------------------------------------------|-------------------------------------------|
| torch     | Optimizer._step_supports_amp_scaling     | while it is True, Lightning clips no      |
|           |                                          | gradients of a fused optimiser in float16 |
| torch     | torch._utils._rebuild_tensor_v2,         | the pickle of a checkpoint names them,    |
|           | torch._utils._rebuild_parameter          | and is read without torch.load            |
| torch     | utils._python_dispatch.TorchDispatchMode,| count the memory of each tensor that a    |
|           | utils._pytree.tree_leaves,               | forward pass makes                        |
|           | UntypedStorage._cdata                    |                                           |
| torch     | Module._forward_hooks,                   | a layer with hooks is not fused with      |
|           | Module._forward_pre_hooks                | its batch norm                            |
| torch,    | texts of warnings (IGNORED_WARNINGS)     | these have no category of their own       |
| Lightning |                                          |                                           |
| W&B       | wandb.sdk.mailbox.HandleAbandonedError   | raised when W&B's process has ended       |

Each test fails when a new version of the library changes the name.
"""

import importlib
import inspect
import io
import zipfile

import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision

from unet_exp.inference.folding import plain
from unet_exp.inference.memory import bytes_per_pixel
from unet_exp.training.ignored_warnings import IGNORED_WARNINGS

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])


@pytest.mark.parametrize(("module", "text"), IGNORED_WARNINGS)
def test_an_ignored_warning_has_its_text(module: str, text: str) -> None:
    if module.startswith("torch.") and VERSION < (2, 13):
        pytest.skip("Older versions of torch lack some of these warnings.")
    assert text in inspect.getsource(importlib.import_module(module))


def test_lightning_clips_gradients_of_a_fused_optimizer_that_leaves_scaling_alone() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight], fused=True)
    weight.grad = torch.ones(2)
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))  # pyright: ignore[reportPrivateImportUsage]
    assert optimizer._step_supports_amp_scaling is True  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(RuntimeError, match="gradient clipping"):
        precision.clip_gradients(optimizer, 0.1)
    optimizer._step_supports_amp_scaling = False  # pyright: ignore[reportAttributeAccessIssue]
    precision.clip_gradients(optimizer, 0.1)
    assert weight.grad.norm() < 0.2


def test_a_checkpoint_names_what_its_reader_knows() -> None:
    content = io.BytesIO()
    torch.save({"a": torch.ones(2), "b": torch.nn.Parameter(torch.ones(3))}, content)
    with zipfile.ZipFile(content) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        pickled = archive.read(name)
    assert b"torch._utils\n_rebuild_tensor_v2\n" in pickled
    assert b"torch._utils\n_rebuild_parameter\n" in pickled


def test_wandb_raises_what_the_logger_catches() -> None:
    from wandb.sdk.mailbox import HandleAbandonedError, MailboxHandle

    assert issubclass(HandleAbandonedError, Exception)
    assert "HandleAbandonedError" in (inspect.getdoc(MailboxHandle.wait_or) or "")


def test_every_tensor_that_an_operation_makes_is_counted() -> None:
    class Halves(torch.nn.Module):
        """Three tensors of the image's size, two of them from one operation, and views of them."""

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            first, second = torch.frexp(image)
            return first[..., ::2] + second[..., 1::2]

    # 4 bytes for the image, its mantissa and its exponent (int32); 2 for the sum of the halves.
    assert bytes_per_pixel(Halves(), 8) == 14


def test_storages_have_one_address_each() -> None:
    tensor, other = torch.zeros(2), torch.zeros(2)
    assert tensor.untyped_storage()._cdata == tensor[1:].untyped_storage()._cdata
    assert tensor.untyped_storage()._cdata != other.untyped_storage()._cdata


@pytest.mark.parametrize("hook", ["register_forward_hook", "register_forward_pre_hook"])
def test_the_hooks_of_a_layer_are_found(hook: str) -> None:
    layer = torch.nn.Conv2d(1, 1, 1)
    assert plain(layer, torch.nn.Conv2d)
    handle = getattr(layer, hook)(lambda *_: None)
    assert not plain(layer, torch.nn.Conv2d)
    handle.remove()
    assert plain(layer, torch.nn.Conv2d)
