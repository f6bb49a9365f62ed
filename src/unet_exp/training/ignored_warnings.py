"""Warnings of Lightning and torch that do not apply to this project's trainings."""

import logging
import re
import warnings

#: The module that warns, and a part of the text.
IGNORED_WARNINGS = (
    # The folder may hold earlier checkpoints of the same run.
    ("lightning.pytorch.callbacks.model_checkpoint", " exists and is not empty."),
    # With ckpt_path, a training continues in a new folder.
    ("lightning.pytorch.callbacks.model_checkpoint", "The dirpath has changed from "),
    # A resumed run may have fewer callbacks.
    ("lightning.pytorch.trainer.call", "callbacks used to create the checkpoint need to be"),
    # configure_model does nothing in a training that has an EMA.
    ("lightning.pytorch.callbacks.weight_averaging", "WeightAveraging callback with a model that"),
    # No loss writes into its logits.
    ("torch.distributed.fsdp._fully_shard._fsdp_state", "returned a view tensor. "),
    # Lightning's own call.
    ("torch.utils._pytree", "`isinstance(treespec, LeafSpec)` is deprecated, "),
    # The gradient scaler of float16 skipped a step.
    ("torch.optim.lr_scheduler", "Detected call of `lr_scheduler.step()` before "),
)


def ignore_warnings() -> None:
    """Silence warnings about Lightning's own internals; all other warnings and errors remain."""
    from lightning.fabric.utilities import disable_possible_user_warnings

    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    disable_possible_user_warnings()
    for _, text in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", f".*{re.escape(text)}")
