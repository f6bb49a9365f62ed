import io
from types import SimpleNamespace
from typing import Any, cast

import torch
from rich.console import Console

from unet_exp.training.progress import ProgressBar


def trainer(step: int, **metrics: float) -> Any:
    return SimpleNamespace(
        global_step=step,
        max_steps=40,
        is_global_zero=True,
        sanity_checking=False,
        num_val_batches=[3],
        log_every_n_steps=10,
        accumulate_grad_batches=1,
        callback_metrics={name.replace("_", "/"): value for name, value in metrics.items()},
    )


def shown(terminal: bool) -> str:
    text = io.StringIO()
    bar = ProgressBar("val/seg", Console(file=text, force_terminal=terminal, width=120))
    module = cast(Any, None)
    bar.on_train_start(trainer(0), module)
    bar.on_train_batch_end(trainer(10), module, {"loss": torch.tensor(0.25)}, None, 0)
    now = trainer(10, val_loss=0.5, val_seg=0.75)
    bar.on_validation_start(now, module)
    bar.on_validation_batch_end()
    bar.on_validation_end(now, module)
    bar.on_train_end(now, module)
    return text.getvalue()


def test_a_file_gets_one_line_per_validation() -> None:
    (line,) = shown(terminal=False).splitlines()
    assert line.startswith("step 10/40  loss 0.250  val/loss 0.500  val/seg 0.750")
    assert line.endswith("s left")


def test_a_terminal_gets_a_bar() -> None:
    text = shown(terminal=True)
    assert "10/40" in text
    assert "loss 0.250" in text
