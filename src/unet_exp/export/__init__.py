"""From a checkpoint to files that other programs run: BioImage.IO, ONNX, TorchScript, torch.export.

`programs` writes a network, `bioimageio` a whole package, and `packages` opens one again. Nothing
here trains, scores or writes segmented images.
"""
