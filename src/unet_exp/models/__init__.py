"""Networks: figure 1 of the article with its variations, and the network that it replaced."""
