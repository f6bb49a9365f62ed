"""Weights of the pixels in the loss (equation 2 of the article)."""
