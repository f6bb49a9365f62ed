"""Random tiles of an image, its target and its weights (arXiv:1505.04597, section 3.1)."""

import os

# When it is imported, albumentations asks PyPI for a newer version of itself.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
