"""From image files to result files, of any kind and size.

The room `images` opens files, and `inference` runs the network. This room finds the images without
results, writes their results in the chosen format, and lists them in a manifest.
"""
