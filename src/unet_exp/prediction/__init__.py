"""From files of images to files of results, of any kind and size.

The network runs in `inference`; files are opened in `images`. What a person types is read in
`commands`.
"""
