"""Experiments with the U-Net of Ronneberger, Fischer and Brox (arXiv:1505.04597)."""
