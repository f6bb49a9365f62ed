"""From image files to result files, of any kind and size.

Files are opened in `images` and the network runs in `inference`. Here each image's results are
found or made, written in the chosen format, and listed in a manifest.
"""
