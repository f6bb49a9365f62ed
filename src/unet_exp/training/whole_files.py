"""Checkpoints that appear whole or not at all, whatever the disk or a kill does."""

import io
import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io import TorchCheckpointIO

from unet_exp.files import replacing


class WholeFiles(TorchCheckpointIO):
    """Write under another name beside the checkpoint, then rename.

    Lightning writes to the system's temporary folder and moves the file. Where that is another
    disk the move is a copy, which a full disk or a kill cuts short, over the last good
    checkpoint; and a folder without write permission passes in silence.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Save what ``torch.load`` will read.

        Raises
        ------
        OSError
            No room, or no permission; an earlier checkpoint of that name is left as it was.
        """
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing(Path(path)) as part, part.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
