"""Networks: the article's figure 1 and its variations; the one that it replaced."""
