"""Shapes in annotations are checked at every call, in tests only."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("WANDB_MODE", "offline")
os.environ.setdefault("WANDB_SILENT", "true")

install_import_hook("unet_exp", "beartype.beartype")
