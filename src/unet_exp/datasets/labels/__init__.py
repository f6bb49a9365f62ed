"""Label files: from stored numbers to instances and classes.

A file is read as integers. The meaning of the integers is inferred from all files of a data set.
`datasets.pairing` decides which label file belongs to which image.
"""
