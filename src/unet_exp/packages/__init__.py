"""From a BioImage.IO package to a predictor: read it safely, run its ONNX weights.

A package may come from an enemy. Its files are read in memory and never unpacked. Only its ONNX
graph is run. The room `export` writes packages.
"""

import os

# When it is imported, onnxruntime begins to report its use to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
