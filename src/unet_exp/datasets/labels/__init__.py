"""Label files: from what a file stores to instances and classes.

A file is read as whole numbers, and all files of a data set decide together what the numbers mean.
Which label file belongs to which image is decided in `datasets.pairing`.
"""
