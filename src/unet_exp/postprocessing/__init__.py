"""From the probabilities of an image to its instances: one class of parameters each, called."""
