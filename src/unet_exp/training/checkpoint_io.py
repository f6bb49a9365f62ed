"""How Lightning writes checkpoints in a training."""

import os
from typing import Any

from lightning.fabric.plugins.io import TorchCheckpointIO

from unet_exp.training.whole_files import WholeFiles


class WholeFilesIO(TorchCheckpointIO):
    """Write checkpoints as `WholeFiles` does; read them as Lightning does."""

    def __init__(self) -> None:
        super().__init__()
        self.files = WholeFiles()

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Save a checkpoint. Raises OSError; an earlier checkpoint of that name then stays."""
        self.files.save(checkpoint, path)
