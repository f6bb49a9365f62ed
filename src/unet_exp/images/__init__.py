"""From image files to arrays that are read by slices: PNG, TIFF, NPY and OME-Zarr.

Axes, pixel sizes and the meaning of grey values come from the file's metadata. Labels, and which
files belong together, are in `datasets`.
"""
