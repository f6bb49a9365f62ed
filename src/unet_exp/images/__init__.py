"""From image files to arrays, slice by slice: PNG, TIFF, NPY and OME-Zarr, with their metadata.

What a file says of its axes, units and grey values is read here. Labels, and which files belong
together, are in `datasets`.
"""
