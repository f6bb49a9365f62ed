"""From a BioImage.IO package to a predictor: read it safely, run its ONNX weights.

A package may come from an enemy. Its files are read in memory, never unpacked; nothing in it is
run but its ONNX graph. Packages are written in `export`.
"""
