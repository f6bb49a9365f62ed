"""From a checkpoint to files that other programs run: BioImage.IO, ONNX, TorchScript, torch.export.

`programs` writes a network, and `bioimageio` a whole package. Nothing here trains, scores or writes
segmented images.
"""
