"""How much each pixel counts in the loss (the article's equation 2)."""
