"""HTML pages that need neither a network connection nor an account.

What they show is read through `runs` and `evaluation`. Pictures are drawn in `pictures`.
"""
