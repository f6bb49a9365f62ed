"""What this project uses of other libraries that they may change without notice.

| Library   | Name                                     | Why                                       |
|-----------|------------------------------------------|-------------------------------------------|
| torch     | Optimizer._step_supports_amp_scaling     | while it is True, Lightning clips no      |
|           |                                          | gradients of a fused optimiser in float16 |
| torch     | torch._utils._rebuild_tensor_v2,         | the pickle of a checkpoint names them,    |
|           | torch._utils._rebuild_parameter          | and is read without torch.load            |
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
