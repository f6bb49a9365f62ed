"""Networks: the article's figure 1 and its variations."""
