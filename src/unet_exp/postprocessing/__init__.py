"""From the probabilities of an image to its instances: each option is a class to call."""
