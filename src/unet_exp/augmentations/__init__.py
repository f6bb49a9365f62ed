"""Random views of an image, its labels and its weights (the article's section 3.1)."""
