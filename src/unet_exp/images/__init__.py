"""Read image files as arrays, by slices if they are large; `formats` lists their formats.

Axes, pixel sizes and the meaning of grey values come from the file's metadata. Labels, and the
pairing of files, are in `datasets`.
"""
