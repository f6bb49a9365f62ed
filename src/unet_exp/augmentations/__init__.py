"""Random views of an image, its labels and its weights (arXiv:1505.04597, section 3.1)."""

import os

# Albumentations asks PyPI for a newer version of itself whenever it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
