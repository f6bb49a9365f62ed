"""Random tiles of an image, its target and its weights (arXiv:1505.04597, section 3.1)."""

import os

# On import, albumentations would ask PyPI for a newer version of itself.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
