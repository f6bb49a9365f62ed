"""Label files: from stored numbers to instances and classes.

A file is read as integers, and all files of a data set together decide what these mean.
`datasets.pairing` decides which label file belongs to which image.
"""
