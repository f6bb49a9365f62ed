"""From a network and an image of any size to a map of the whole image."""
