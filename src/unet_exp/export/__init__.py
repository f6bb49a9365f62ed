"""From a checkpoint to files that other programs run: BioImage.IO, ONNX, TorchScript, torch.export.

`programs` writes a network, and `bioimageio` a whole package. Nothing here trains, scores or writes
segmented images.
"""

import os

# When it is imported, onnxruntime begins to report its use to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
