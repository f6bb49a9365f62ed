"""From a BioImage.IO package to a predictor: read it safely, run its ONNX weights.

A package may come from an enemy. Its files are read in memory and never unpacked. Only its ONNX
graph is run. The room `export` writes packages.
"""
