"""Warnings of Lightning and torch that do not apply to this project's trainings."""

import logging
import re
import warnings

#: The module that warns, and a part of the text. Lightning's other warnings of this kind have a
#: category of their own.
IGNORED_WARNINGS = (
    # A run's own checkpoints may be there before.
    ("lightning.pytorch.callbacks.model_checkpoint", " exists and is not empty."),
    # ckpt_path goes on in a new folder.
    ("lightning.pytorch.callbacks.model_checkpoint", "The dirpath has changed from "),
    # Callbacks may be left out when a run goes on.
    ("lightning.pytorch.trainer.call", "callbacks used to create the checkpoint need to be"),
    # configure_model does nothing in a training that has an EMA.
    ("lightning.pytorch.callbacks.weight_averaging", "WeightAveraging callback with a model that"),
    # No loss writes into its logits.
    ("torch.distributed.fsdp._fully_shard._fsdp_state", "returned a view tensor. "),
    # Lightning's own call.
    ("torch.utils._pytree", "`isinstance(treespec, LeafSpec)` is deprecated, "),
    # A step that float16's gradient scaler left out.
    ("torch.optim.lr_scheduler", "Detected call of `lr_scheduler.step()` before "),
)


def ignore_warnings() -> None:
    """Silence what Lightning says about its own workings; errors and others' warnings stay."""
    from lightning.fabric.utilities import disable_possible_user_warnings

    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    disable_possible_user_warnings()
    for _, text in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", f".*{re.escape(text)}")
