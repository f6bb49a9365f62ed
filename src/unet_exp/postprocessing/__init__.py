"""From the probabilities of an image to its instances: one function each."""
